"""The on-device suite: `make test-device PORT=`. The MicroPython tests, and what only a board can
show, run one after another; build/device/REPORT.md and .json say what was found.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import device_parts
import flash_port
from device_link import BOOT_SECONDS, Board, Hung, LinkError, Lost, Restarted
from device_report import FAIL, NOT_HERE, NOT_RUN, OK, Report, Result

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import suite  # noqa: E402

FOLDER = ROOT / "build" / "device"
VERDICTS = {"pass": OK, "skip": NOT_HERE, "fail": FAIL}


def run_test(board: Board, file: Path) -> Result:
    """One MicroPython test, after a soft reset or, where it says so, a start."""
    header = suite.header(file)
    targets = header.get("targets", board.target)
    if board.target not in targets.split():
        return Result(file.name, NOT_HERE, f"it is for {targets}")
    if "fresh" in header:
        board.fresh()
    else:
        board.soft_reset()
    seconds = suite.timeout(file, on_this_computer=board.emulator is not None)
    status, output = board.run(file.read_bytes(), file.name, seconds)
    verdict, details = suite.judge(file, status, output, board.traceback)
    reason = ""
    if verdict == "fail":
        lines = board.traceback.strip().splitlines()
        reason = lines[-1] if lines else "it prints something else" if not status else "it failed"
    elif verdict == "skip":
        reason = "it says SKIP: the firmware is built without what it tests"
    return Result(file.name, VERDICTS[verdict], reason, details=details)


def run_part(board: Board, report: Report, name: str) -> Result:
    try:
        board.soft_reset()
        device_parts.ALL[name](board, report)
    except device_parts.NotHere as why:
        return Result(name, NOT_HERE, str(why))
    except device_parts.Failed as error:
        return Result(name, FAIL, str(error), details=error.details)
    return Result(name, OK)


def recover(board: Board, error: LinkError) -> str:
    """Makes the board answer again -> "", or why it does not."""
    try:
        if isinstance(error, Lost):
            board.restart()
            return ""
        try:
            board.wait(5)
        except Lost:
            board.restart()
        return ""
    except LinkError as again:
        return str(again)


def run(board: Board, report: Report, parts: list[str], files: list[Path]) -> None:
    def part(name: str) -> tuple[str, Callable[[], Result]]:
        return f"part {name}", lambda: run_part(board, report, name)

    jobs = [part(name) for name in parts if name not in device_parts.LAST]
    jobs += [(file.name, lambda file=file: run_test(board, file)) for file in files]
    jobs += [part(name) for name in parts if name in device_parts.LAST]
    for name, job in jobs:
        start = time.monotonic()
        if report.ended:
            report.results.append(Result(name, NOT_RUN, report.ended))
            continue
        try:
            result = job()
        except LinkError as error:
            kind = {Hung: "it hangs", Restarted: "it restarts"}.get(type(error), "no result")
            result = Result(name, FAIL, f"{kind}: {error}")
            report.ended = recover(board, error)
        result.name = name
        result.seconds = time.monotonic() - start
        report.add(result)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", default="")
    parser.add_argument("--parts", help=f"of: {' '.join(device_parts.ALL)}; all without it")
    parser.add_argument("--output", type=Path, default=FOLDER, help="where the report goes")
    parser.add_argument("--wait", type=float, default=BOOT_SECONDS, help="seconds for a start")
    parser.add_argument("files", nargs="*", type=Path, help="without: tests/mpy/*.py")
    args = parser.parse_args(argv)
    parts = list(device_parts.ALL) if args.parts is None else args.parts.split()
    if unknown := [name for name in parts if name not in device_parts.ALL]:
        print(
            f"test-device: no part {unknown[0]!r}; parts: {' '.join(device_parts.ALL)}",
            file=sys.stderr,
        )
        return 1
    files = args.files or sorted(suite.FOLDER.glob("*.py"))
    if missing := [file for file in files if not file.is_file()]:
        print(f"test-device: {missing[0]} is not there", file=sys.stderr)
        return 1
    report = Report(args.port)
    try:
        if not args.port:
            raise Lost(
                "say which port, make test-device PORT=/dev/ttyUSB0, or an emulated board, "
                f"PORT=qemu:cm3 or qemu:rv32; {flash_port.present()}"
            )
        with Board(args.port, args.wait) as board:
            board.wait()
            run(board, report, parts, files)
    except LinkError as error:
        # Before anything ran: there is nothing to report.
        print(f"test-device: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        report.ended = "stopped by Ctrl-C"
    path = report.write(args.output)
    if report.ended:
        print(f"test-device: ended early: {report.ended}", file=sys.stderr)
    print(f"{'passed' if report.passed else 'FAILED'}: {report.summary()}; {path}")
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
