#!/usr/bin/env python3
"""Configuration of the firmware: Kconfig and a board's settings in, sdkconfig.h and boardcfg out.

    kconfig.py generate --board UNIX --output build/unix/config [--set MEMORY_POOL_SPILL=y ...]
    kconfig.py check --board UNIX [--set ...]
    kconfig.py menuconfig --board UNIX
    kconfig.py list
    kconfig.py doc

A wrong value ends the command with status 1 and one line that names where it stands, the symbol,
the value and what is allowed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kconfig_boards import ConfigError, board_names, load_board, load_pins, shown


def _generate(args: argparse.Namespace) -> None:
    from kconfig_model import evaluate
    from kconfig_outputs import write_outputs

    board = load_board(args.board)
    pins = load_pins(board)
    for path in write_outputs(evaluate(board, args.set), board, pins, args.output):
        print(f"wrote {shown(path)}")


def _check(args: argparse.Namespace) -> None:
    from kconfig_model import evaluate, values

    board = load_board(args.board)
    pins = load_pins(board)
    count = len(values(evaluate(board, args.set)))
    print(f"{board.name}: {count} symbols and {len(pins)} pins, all right")


def _menuconfig(args: argparse.Namespace) -> None:
    from kconfig_menu import edit

    board = load_board(args.board)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError(f"menuconfig needs a terminal; or write {shown(board.settings)} by hand")
    print(edit(board))
    if board.is_esp:
        print(
            "IDF's own menu, for this build alone: make firmware once, then"
            f' idf.py -C "$MICROPYTHON_DIR/ports/esp32" -B build/{board.name} menuconfig'
        )


def _list(_args: argparse.Namespace) -> None:
    for name in board_names():
        board = load_board(name)
        print(f"{name:12} {board.mcu:10} {board.product}")


def _doc(_args: argparse.Namespace) -> None:
    from kconfig_doc import update

    for path, written in update():
        print(f"{shown(path)} {'written' if written else 'is current'}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kconfig.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, run, says: str, *, board: bool = False, sets: bool = False):
        sub = commands.add_parser(name, help=says, description=says)
        sub.set_defaults(run=run)
        if board:
            sub.add_argument("--board", required=True, metavar="NAME", help="a folder of boards/")
        if sets:
            sub.add_argument(
                "--set",
                action="append",
                default=[],
                metavar="NAME=VALUE",
                help="overrides the board's value; may be given several times",
            )
        return sub

    generate = command(
        "generate", _generate, "write sdkconfig, sdkconfig.h and boardcfg", board=True, sets=True
    )
    generate.add_argument("--output", required=True, type=Path, metavar="DIR")
    command("check", _check, "only check", board=True, sets=True)
    command("menuconfig", _menuconfig, "edit the board's settings in a menu", board=True)
    command("list", _list, "list the boards")
    command("doc", _doc, "update docs/configuration.md and typings/boardcfg.pyi")
    return parser


def main(argv: list[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    try:
        args.run(args)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
