# The package, and the data that tools/kconfig.py generated for this build into
# $MEMPOOL_CONFIG_DIR/frozen (an absolute path; the build sets it).
import os

package("boardcfg", files=("__init__.py",), base_path="..")
module("_boardcfg_data.py", base_path=os.path.join(os.environ["MEMPOOL_CONFIG_DIR"], "frozen"))
