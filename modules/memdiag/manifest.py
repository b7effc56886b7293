# Package memdiag: needs the C module mempool, eventbus and boardcfg.
package(
    "memdiag",
    files=("__init__.py", "live.py", "span.py", "state.py", "text.py"),
    base_path="..",
)
