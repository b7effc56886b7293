# What is frozen into every firmware: asyncio, the packages of modules/, and the demo.

import os

include("$(MPY_DIR)/extmod/asyncio")  # noqa: F821

for name in sorted(os.listdir("../modules")):
    if os.path.exists(f"../modules/{name}/manifest.py"):
        include(f"../modules/{name}/manifest.py")  # noqa: F821

if os.path.exists("../examples/cold_room.py"):
    freeze("../examples", "cold_room.py")  # noqa: F821
    package("refrigeration", base_path="../examples")  # noqa: F821
