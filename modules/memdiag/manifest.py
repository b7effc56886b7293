# Package memdiag: needs the C module mempool, eventbus and boardcfg.
package(
    "memdiag",
    files=(
        "__init__.py",
        "box.py",
        "box_store.py",
        "growth.py",
        "history.py",
        "live.py",
        "monitor.py",
        "owners.py",
        "span.py",
        "state.py",
        "text.py",
    ),
    base_path="..",
)
