# The package, and the data that was generated for this build: by make into $MEMPOOL_CONFIG_DIR,
# on ESP32 by CMake (cmodules/mempool/micropython.cmake), which names the folder to the manifest.
import os

package("boardcfg", files=("__init__.py",), base_path="..")
config = os.environ.get("MEMPOOL_CONFIG_DIR") or "$(MEMPOOL_CONFIG_DIR)"
module("_boardcfg_data.py", base_path=config + "/frozen")
