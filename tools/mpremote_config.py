"""Shortcuts for mpremote: `mpremote pools`, `mpremote leaks`, `mpremote poolmap`. They go in a
marked section of the user's own mpremote configuration; everything else in it stays as it is.

    mpremote_config.py              # add or refresh the section
    mpremote_config.py --remove     # take it out again
"""

from __future__ import annotations

import argparse
import ast
import sys
from pathlib import Path

import mpremote.main
import platformdirs
import whole_file

BEGIN = "# >>> mempool: written by make mpremote-config; changes here are lost"
END = "# <<< mempool"

# `resume`: without it mpremote makes a soft reset first, and what was to be seen is gone.
# A raw REPL gives what follows 0x04 as the error, and mpremote then exits with 1.
ASK = """\
try:
 import memdiag as _m
except ImportError:
 _m = None
 print("\\x04no memdiag in this firmware: make firmware, make flash\\n\\x04", end="")
if _m:
 try:
{ask}
 except NotImplementedError as _e:
  print("\\x04%s\\n\\x04" % _e, end="")
"""

POOLS = """\
  import sys as _s
  _m.report(_s.stdout)
"""

LEAKS = """\
  _l = _m.leaks()
  print("handle      bytes      held  owner")
  for _h, _o, _n, _t in _l:
   print("%-10d %6d %7d s  %s" % (_h, _n, _t // 1000, _o or "nobody"))
  print(len(_l), "blocks are held for longer than 60 s")
"""

MAP = """\
  print(_m.map())
"""

SHORTCUTS = {
    "pools": (POOLS, "memory pools, owners and heaps of the board"),
    "leaks": (LEAKS, "blocks that are held for longer than 60 s, and by whom"),
    "poolmap": (MAP, "every block of the pools: free, or whose it is"),
}


class ConfigError(Exception):
    """Why the configuration is left alone: one line."""


def config_file() -> Path:
    """Where mpremote reads it; a link is followed, as to a folder of dot files."""
    folder = platformdirs.user_config_dir(appname="mpremote", appauthor=False)
    return Path(folder, "config.py").resolve()


def commands() -> dict[str, dict[str, object]]:
    return {
        name: {
            "command": ["resume", "exec", ASK.format(ask=ask.rstrip())],
            "help": f"{shown} (mempool)",
        }
        for name, (ask, shown) in SHORTCUTS.items()
    }


def section() -> str:
    """The user's own commands of these names stay: setdefault."""
    lines = [BEGIN]
    for name, entry in commands().items():
        lines.append(f"commands.setdefault({name!r}, {entry!r})")
    return "\n".join([*lines, END]) + "\n"


def without(text: str, file: Path) -> str:
    """The configuration without our section."""
    begins, ends = text.count(BEGIN), text.count(END)
    if begins == ends == 0:
        return text
    begin, end = text.find(BEGIN), text.find(END)
    if begins != 1 or ends != 1 or end < begin:
        raise ConfigError(
            f"{file}: the section between {BEGIN[:13]!r} and {END!r} is damaged: "
            "delete it by hand and run this again"
        )
    rest = text[end:].partition("\n")[2]
    return text[:begin] + rest


def change(remove: bool) -> str:
    """-> what was done: one line."""
    file = config_file()
    try:
        old = file.read_bytes().decode() if file.exists() else ""
        plain = without(old, file)
        if remove:
            new = plain
        else:
            ast.parse(plain, str(file))
            gap = "" if not plain or plain.endswith("\n") else "\n"
            new = plain + gap + section()
        if new == old:
            return f"{file}: {'nothing of ours is in it' if remove else 'is as it should be'}"
        if not new.strip():
            file.unlink()
            return f"{file}: removed, nothing else was in it"
        file.parent.mkdir(parents=True, exist_ok=True)
        whole_file.write(file, new)
    except SyntaxError as error:
        raise ConfigError(
            f"{file}, line {error.lineno}: {error.msg}; mend it first, mpremote cannot read it"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file} is no UTF-8 text; it is left alone") from None
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from None
    return f"{file}: {'the shortcuts are taken out' if remove else 'the shortcuts are in it'}"


def own_instead() -> list[str]:
    """Which of the names mean something else to mpremote, which loads the file itself here."""
    try:
        loaded = mpremote.main.load_user_config()
    except Exception as error:
        raise ConfigError(f"{config_file()}: mpremote cannot load it: {error!r}") from None
    return [name for name, entry in commands().items() if loaded.commands.get(name) != entry]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--remove", action="store_true", help="take the shortcuts out")
    arguments = parser.parse_args(argv)
    try:
        print(f"mpremote-config: {change(arguments.remove)}")
        if not arguments.remove:
            for name in own_instead():
                print(f"mpremote-config: {name} is a command of your own there, and stays so")
            shown = ", ".join(f"mpremote {name}" for name in SHORTCUTS)
            print(f"mpremote-config: {shown}; or mpremote connect PORT pools")
    except ConfigError as error:
        print(f"mpremote-config: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
