"""Evaluation: Kconfig + a board's settings + --set -> values, or one error.

esp-idf-kconfig evaluates; what it would pass over with a note (a value out of range, a symbol that
does not exist, one that a dependency switches off) is an error here. The net below all checks is
that every assignment must hold in the result.
"""

from __future__ import annotations

import re
from pathlib import Path

from kconfig_boards import ROOT, Board, ConfigError, nearest
from kconfig_lines import Assignment, parse_file, parse_set
from kconfig_rules import PREFIX, broken_rules

try:
    import esp_kconfiglib.core as kconfiglib
except ImportError:
    raise SystemExit(
        "esp-idf-kconfig is missing: run 'make venv', or pip install -r tools/requirements.txt"
    ) from None

KCONFIG = ROOT / "boards" / "Kconfig"
ENABLE = PREFIX + "ENABLE"

# No leading zeros: C would read them as octal.
_NUMBER = re.compile(r"0|-?[1-9][0-9]*")


def load_kconfig() -> kconfiglib.Kconfig:
    """The menu with all defaults. Raises ConfigError where Kconfig itself is wrong."""
    try:
        return kconfiglib.Kconfig(str(KCONFIG), warn=False, parser_version=1)
    except kconfiglib.KconfigError as error:
        raise ConfigError(" ".join(str(error).split())) from None


def symbols(kconf: kconfiglib.Kconfig) -> list[kconfiglib.Symbol]:
    """All symbols in the order of the menu."""
    return list(kconf.unique_defined_syms)


def number_range(symbol: kconfiglib.Symbol) -> tuple[int, int]:
    low, high, _condition = symbol.ranges[0]
    return int(low.str_value), int(high.str_value)


def default_of(symbol: kconfiglib.Symbol) -> str:
    """The default that stands in Kconfig; our symbols have one each, without a condition."""
    value, _condition = symbol.orig_defaults[0]
    return value.str_value


def allowed(symbol: kconfiglib.Symbol) -> str:
    if symbol.type == kconfiglib.BOOL:
        return "y or n"
    return "{} to {}".format(*number_range(symbol))


def _is_idf(kconf: kconfiglib.Kconfig, given: Assignment, board: Board) -> bool:
    """Whether a line is for IDF's own Kconfig, and not one of ours misspelt."""
    if not board.is_esp or given.name.startswith(PREFIX):
        return False
    return not nearest(given.name, [symbol.name for symbol in symbols(kconf)], 0.9)


def _check_one(kconf: kconfiglib.Kconfig, given: Assignment) -> None:
    """Name, type and range of one assignment."""
    names = [symbol.name for symbol in symbols(kconf)]
    if given.name not in names:
        guess = nearest(given.name.upper(), names, 0.7)
        hint = f"; did you mean CONFIG_{guess}?" if guess else ""
        raise given.error("is not a symbol of the menu" + hint)
    symbol = kconf.syms[given.name]
    if symbol.type == kconfiglib.BOOL:
        if given.value not in ("y", "n"):
            raise given.error(f"is not a bool: {allowed(symbol)}")
        return
    if not _NUMBER.fullmatch(given.value):
        raise given.error(f"is not a number: {allowed(symbol)}")
    low, high = number_range(symbol)
    if not low <= int(given.value) <= high:
        raise given.error(f"is out of range: {allowed(symbol)}")


def _check_source(
    kconf: kconfiglib.Kconfig, source: list[Assignment], board: Board
) -> dict[str, Assignment]:
    """The assignments of one source to our symbols, each checked by itself."""
    first: dict[str, Assignment] = {}
    for each in source:
        if _is_idf(kconf, each, board):
            continue
        _check_one(kconf, each)
        earlier = first.setdefault(each.name, each)
        if earlier.value != each.value:
            raise each.error(
                f"contradicts CONFIG_{each.name}={earlier.value} of {earlier.where}:"
                " one value a symbol"
            )
    return first


def _unmet(kconf: kconfiglib.Kconfig, given: dict[str, Assignment], name: str) -> str:
    """Which dependency keeps a symbol from taking its value, and who set that dependency."""
    for part in kconfiglib.split_expr(kconf.syms[name].direct_dep, kconfiglib.AND):
        if kconfiglib.expr_value(part):
            continue
        if isinstance(part, tuple) and part[0] == kconfiglib.NOT:
            needed, wanted, holds = part[1], "n", "y"
        elif isinstance(part, kconfiglib.Symbol):
            needed, wanted, holds = part, "y", "n"
        else:
            return f"needs {kconfiglib.expr_str(part)}"
        source = given[needed.name].where if needed.name in given else "its default"
        return f"needs CONFIG_{needed.name}={wanted}, which is {holds} by {source}"
    return f"does not hold: the result is {kconf.syms[name].str_value}"


def check_rules(kconf: kconfiglib.Kconfig, given: dict[str, Assignment]) -> None:
    """Raise ConfigError for the first rule between symbols that the values break."""
    for broken in broken_rules(values(kconf)):
        if broken.symbol not in given and broken.other in given:
            raise given[broken.other].error(broken.other_says)
        default = Assignment(broken.symbol, kconf.syms[broken.symbol].str_value, "Kconfig")
        raise given.get(broken.symbol, default).error(broken.says)


def evaluate(board: Board, sets: list[str], settings: Path | None = None) -> kconfiglib.Kconfig:
    """The menu with a board's settings (or another file of settings), overridden by --set.

    Raises ConfigError for the first value that is wrong or does not hold in the result.
    """
    kconf = load_kconfig()
    given: dict[str, Assignment] = {}
    for source in (parse_file(settings or board.settings), [parse_set(text) for text in sets]):
        given.update(_check_source(kconf, source, board))
    for each in given.values():
        kconf.syms[each.name].set_value(each.value)
    # With the pools switched off, what else stands in the file waits to be switched on again.
    if kconf.syms[ENABLE].str_value == "y":
        for each in given.values():
            symbol = kconf.syms[each.name]
            if symbol.str_value != each.value or (each.value != "n" and not symbol.config_string):
                raise each.error(_unmet(kconf, given, each.name))
    check_rules(kconf, given)
    return kconf


def values(kconf: kconfiglib.Kconfig) -> dict[str, int]:
    """Symbol -> number (bools are 0 or 1); symbols that a dependency switches off are absent."""
    result = {}
    for symbol in symbols(kconf):
        if symbol.config_string:
            text = symbol.str_value
            result[symbol.name] = int(text == "y") if symbol.type == kconfiglib.BOOL else int(text)
    return result
