"""Run the MicroPython suite, tests/mpy/*.py, on one target.

A test with a `.exp` beside it must print exactly that; every test must end with status 0; one
that prints SKIP and nothing else is skipped. Comments at the head of a test say where it runs
and how long it may take where nothing else runs; without them it runs everywhere, for 60 seconds:

    # targets: unix cm3
    # timeout: 120

Each test gets a machine of its own; on a board (tools/device.py) those that say `fresh:` do.

A folder tests/mpy/NAME is another configuration: its file `build` says `targets:` and
`config:`, and `make test` runs the tests of the folder there, or the whole suite where it holds
none.
"""

import argparse
import concurrent.futures
import difflib
import re
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import machine  # noqa: E402
from waiting import STRETCH  # noqa: E402

FOLDER = Path(__file__).resolve().parent / "mpy"
TIMEOUT_SECONDS = 60.0
HEADER = re.compile(r"^#\s*(targets|timeout|fresh):\s*(.+?)\s*$", re.M)


def header(file):
    """The settings in the comments before the first line of code."""
    comments = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            break
        comments.append(line)
    return dict(HEADER.findall("\n".join(comments)))


def chosen(target, files):
    """The tests for a target, and how many others are not for it."""
    wanted = [file for file in files if target in header(file).get("targets", target).split()]
    return wanted, len(files) - len(wanted)


def explain(output, expected):
    lines = difflib.unified_diff(
        expected.decode("utf-8", "replace").splitlines(),
        output.decode("utf-8", "replace").splitlines(),
        "expected",
        "printed",
        lineterm="",
    )
    return "\n".join(lines)


def run(target, variant, file):
    """(verdict, details) of one test: pass, skip or fail."""
    try:
        status, output, traceback = machine.run_file(
            target, file, variant, timeout(file, on_this_computer=True)
        )
    except machine.MachineError as error:
        return "fail", str(error)
    return judge(file, status, output, traceback)


def timeout(file, on_this_computer):
    """Seconds. This computer may have other work, which a board has not."""
    seconds = float(header(file).get("timeout", TIMEOUT_SECONDS))
    return seconds * STRETCH if on_this_computer else seconds


def judge(file, status, output, traceback):
    expected = file.with_suffix(".exp")
    if output == b"SKIP\n":
        return "skip", ""
    if status:
        shown = output.decode("utf-8", "replace")
        return "fail", f"{shown[-4000:]}\n{traceback}status {status}"
    if expected.is_file() and output != expected.read_bytes():
        return "fail", explain(output, expected.read_bytes())
    return "pass", ""


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default="unix", choices=machine.BOARDS)
    parser.add_argument("--variant", default="")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("files", nargs="*", type=Path, help="without: tests/mpy/*.py")
    args = parser.parse_args(argv)
    files = args.files or sorted(FOLDER.glob("*.py"))
    if not files:
        print("suite: no tests found")
        return 1
    wanted, elsewhere = chosen(args.target, files)
    count = {"pass": 0, "skip": 0, "fail": 0}

    def timed(file):
        start = time.monotonic()
        return *run(args.target, args.variant, file), time.monotonic() - start

    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        results = pool.map(timed, wanted)
        for file, (verdict, details, seconds) in zip(wanted, results, strict=True):
            count[verdict] += 1
            print(f"{verdict} {file.name} {seconds:.1f} s", flush=True)
            if details:
                print(details, flush=True)
    print(
        f"{args.target}{' ' if args.variant else ''}{args.variant}: {count['pass']} passed, "
        f"{count['fail']} failed, {count['skip']} skipped, {elsewhere} for other targets"
    )
    return 1 if count["fail"] else 0


if __name__ == "__main__":
    sys.exit(main())
