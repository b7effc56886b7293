"""What is written from Kconfig into the repository: the reference of all symbols in
docs/configuration.md, between two marker lines, and the types of the module boardcfg.
"""

from __future__ import annotations

from pathlib import Path

import esp_kconfiglib.core as kconfiglib
from kconfig_boards import ROOT, ConfigError, shown
from kconfig_data import write_if_changed
from kconfig_model import allowed, default_of, load_kconfig, symbols

DOC = ROOT / "docs" / "configuration.md"
STUBS = ROOT / "typings" / "boardcfg.pyi"
BEGIN = "<!-- symbols: generated from Kconfig by 'tools/kconfig.py doc', do not edit -->"
END = "<!-- end of symbols -->"


def _needs(symbol: kconfiglib.Symbol) -> str:
    """The symbol's own dependencies, without the switch of the whole menu."""
    parts = kconfiglib.split_expr(symbol.direct_dep, kconfiglib.AND)
    texts = [
        kconfiglib.expr_str(part, lambda item: f"CONFIG_{item.name}")
        for part in parts
        if getattr(part, "name", "") not in ("MEMORY_POOL_ENABLE", "y")
    ]
    return f"Needs `{' && '.join(texts)}`. " if texts else ""


def symbols_text(kconf: kconfiglib.Kconfig) -> str:
    table = ["| symbol | values | default | what |", "|---|---|---|---|"]
    details = []
    for symbol in symbols(kconf):
        node = symbol.nodes[0]
        prompt = node.prompt[0] if node.prompt else ""
        name = f"CONFIG_{symbol.name}"
        table.append(f"| `{name}` | {allowed(symbol)} | {default_of(symbol)} | {prompt} |")
        about = " ".join((node.help or "").split())
        details += ["", f"**`{name}`** {_needs(symbol)}{about}"]
    return "\n".join(table + details)


def merged(text: str, reference: str) -> str:
    """The document with the reference between its markers."""
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise ConfigError(f"{shown(DOC)}: the marker lines of the symbols are missing")
    return f"{before}{BEGIN}\n\n{reference}\n\n{END}{after}"


def stubs_text(kconf: kconfiglib.Kconfig) -> str:
    """boardcfg.pyi: every symbol with its type."""
    lines = [
        '"""What this firmware was built with. Written by tools/kconfig.py doc: do not edit."""',
        "",
        "BOARD: str",
    ]
    for symbol in symbols(kconf):
        kind = "bool" if symbol.type == kconfiglib.BOOL else "int"
        lines.append(f"{symbol.name}: {kind}")
    lines += [
        "PINS: tuple[tuple[str, int], ...]",
        "",
        "def items() -> list[tuple[str, int | str]]:",
        '    """All (name, value) pairs but the pins, sorted by name. Allocates the list."""',
        "",
        "def pin(role: str) -> int:",
        '    """The pin of a role of pins.csv. ValueError lists the roles that the board has."""',
    ]
    return "\n".join(lines) + "\n"


def update() -> list[tuple[Path, bool]]:
    """Write both files; each with whether it had to be written."""
    kconf = load_kconfig()
    texts = {
        DOC: merged(DOC.read_text(encoding="utf-8"), symbols_text(kconf)),
        STUBS: stubs_text(kconf),
    }
    return [(path, write_if_changed(path, text)) for path, text in texts.items()]
