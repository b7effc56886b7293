# Package eventbus: needs the C module mempool.
package("eventbus", files=("__init__.py",), base_path="..")
