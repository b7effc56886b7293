"""A prompt on a board: `make repl PORT=`. mpremote does the work, where the port can be opened."""

from __future__ import annotations

import argparse
import os
import sys

import flash_port


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", default="")
    arguments = parser.parse_args(argv)
    try:
        port = flash_port.check(arguments.port, "repl")
    except flash_port.PortError as error:
        print(f"repl: {error}", file=sys.stderr)
        return 1
    if not sys.stdin.isatty():
        print(
            f"repl: a prompt on {port} needs a terminal; "
            f"for a script: .venv/bin/mpremote connect {port} run FILE",
            file=sys.stderr,
        )
        return 1
    print(f"{port}: Ctrl-X leaves, Ctrl-C interrupts, Ctrl-D is a soft reset", flush=True)
    os.execv(sys.executable, [sys.executable, "-m", "mpremote", "connect", port, "repl"])


if __name__ == "__main__":
    sys.exit(main())
