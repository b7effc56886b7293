# What is frozen into the firmware of this computer and of the emulated boards: asyncio, the
# packages of modules/, and the demo. An ESP32 board has its own manifest.py.

import os

include("$(MPY_DIR)/extmod/asyncio")  # noqa: F821
include("packages.py")  # noqa: F821

if os.path.exists("../examples/cold_room.py"):
    freeze("../examples", "cold_room.py")  # noqa: F821
    package("refrigeration", base_path="../examples")  # noqa: F821
