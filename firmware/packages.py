# Every package of modules/: a part of the manifests that say what is frozen.

import os

for name in sorted(os.listdir("../modules")):
    if os.path.exists(f"../modules/{name}/manifest.py"):
        include(f"../modules/{name}/manifest.py")  # noqa: F821
