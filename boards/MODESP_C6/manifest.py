# What the stock ESP32 boards freeze, asyncio among it, and the packages of modules/.
include("$(PORT_DIR)/boards/manifest.py")
include("../../firmware/packages.py")
