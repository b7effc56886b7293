# Package appmodule: needs the C module mempool.
package("appmodule", files=("__init__.py",), base_path="..")
