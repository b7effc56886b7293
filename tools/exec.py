"""Run a MicroPython script on a target, show its output as it comes, and end with its status.

The status is 0 exactly where the script ends normally or by sys.exit() or sys.exit(0);
sys.exit(3) is 3, an exception is 1 with its traceback; 124 is a timeout, and 125 a machine that
stopped without a result.
"""

import argparse
import sys
from pathlib import Path

import machine


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="unix", choices=machine.BOARDS)
    parser.add_argument("--variant", default="", help="a build of its own: build/<target>-<name>")
    parser.add_argument("--timeout", type=float, help="seconds; without it, as long as it takes")
    parser.add_argument("--icount", action="store_true", help="QEMU counts instructions as time")
    parser.add_argument("--heap", default="", help="on unix: size of the GC heap, as 64m")
    parser.add_argument("-c", dest="code", help="the script itself instead of a file")
    parser.add_argument("file", nargs="?", type=Path)
    args = parser.parse_args(argv)
    if (args.code is None) == (args.file is None):
        parser.error("give a file or -c code")
    try:
        source = args.code.encode() if args.file is None else args.file.read_bytes()
    except OSError as error:
        print(f"exec: cannot read {args.file}: {error.strerror}", file=sys.stderr)
        return 2
    name = "<string>" if args.file is None else args.file.name
    try:
        with machine.Machine(
            args.target, args.variant, icount=args.icount, show=machine.stdout, heap=args.heap
        ) as board:
            status, _ = board.run(source, name=name, timeout=args.timeout, path=args.file)
    except machine.MachineError as error:
        print(f"exec: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 130
    sys.stderr.write(board.traceback)
    return status


if __name__ == "__main__":
    sys.exit(main())
