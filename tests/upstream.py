"""MicroPython's own tests on our unix build and on the stock build of the same source: what fails
with us must fail there, too.

Tests that import unittest are left out: the module is in a submodule that the source package
lacks. A test that fails with us alone is run again until it passes, AGAIN times at most: timing
tests suffer from a busy machine, and a real difference fails every time.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
AGAIN = 8
# Upstream's runner gives each test 30 s, which a busy computer needs for one of 3 s.
RUNNER = """
import re, sys
name = sys.argv[0] = "run-tests.py"
sys.path.insert(0, ".")
text = re.sub("^TEST_TIMEOUT = .*$", "TEST_TIMEOUT = 600", open(name).read(), flags=re.M)
exec(compile(text, name, "exec"), {"__name__": "__main__", "__file__": name})
"""
FAILED = re.compile(r"^FAIL\s+(\S+)", re.M)
PERFORMED = re.compile(r"^(\d+) tests performed", re.M)


def unittest_tests(tests):
    """Paths, relative to the folder, of the tests that need unittest."""
    need = re.compile(r"^\s*(?:import|from)\s+unittest\b", re.M)
    return sorted(
        str(file.relative_to(tests))
        for file in tests.rglob("*.py")
        if file.parent != tests and need.search(file.read_text(encoding="utf-8", errors="ignore"))
    )


def run(tests, binary, results, arguments):
    """(names of failed tests, number performed) of one run of upstream's runner."""
    environment = dict(
        os.environ,
        MICROPY_MICROPYTHON=str(binary),
        MICROPY_MPYCROSS=str(ROOT / "build/mpy-cross/mpy-cross"),
    )
    for name in ("MAKEFLAGS", "MFLAGS", "PYTHONPATH"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, "--result-dir", str(results), *arguments],
        cwd=tests,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    performed = PERFORMED.search(done.stdout)
    if performed is None:
        sys.exit(f"upstream: the runner failed:\n{done.stdout[-3000:]}")
    return set(FAILED.findall(done.stdout)), int(performed[1])


def show(results, test):
    """What a failed test printed against what it should have."""
    base = results / test.removesuffix(".py").replace("/", "_")
    for name in (base, results / test.replace("/", "_")):
        out, exp = Path(f"{name}.out"), Path(f"{name}.exp")
        if out.is_file():
            if not exp.is_file():
                return out.read_text(errors="replace")[-2000:]
            diff = subprocess.run(
                ["diff", "-u", str(exp), str(out)],
                capture_output=True,
                text=True,
                errors="replace",
            )
            return diff.stdout[-2000:]
    return ""


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=Path, required=True, help="MicroPython's source")
    parser.add_argument("--ours", type=Path, default=ROOT / "build/unix/micropython")
    parser.add_argument("--stock", type=Path, default=ROOT / "build/stock/micropython")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args(argv)
    tests = args.source.resolve() / "tests"
    left_out = unittest_tests(tests)
    arguments = [f"--jobs={args.jobs}"]
    for name in left_out:
        arguments += ["--exclude", f"^{re.escape(name)}$"]

    results = ROOT / "build/test/upstream"
    failed, performed = {}, {}
    for name, binary in (("stock", args.stock), ("ours", args.ours)):
        failed[name], performed[name] = run(tests, binary.resolve(), results / name, arguments)
        print(f"{name}: {performed[name]} tests, {len(failed[name])} failed", flush=True)

    ours_alone = failed["ours"] - failed["stock"]
    for _ in range(AGAIN):
        if ours_alone:
            print(f"again, alone: {' '.join(sorted(ours_alone))}", flush=True)
            again = ["--jobs=1", *sorted(ours_alone)]
            ours_alone &= run(tests, args.ours.resolve(), results / "ours", again)[0]
    for test in sorted(ours_alone):
        print(f"FAIL only with us: {test}\n{show(results / 'ours', test)}")
    print(f"left out: {len(left_out)} tests that import unittest")
    if performed["ours"] < performed["stock"]:
        print(f"ours skipped {performed['stock'] - performed['ours']} tests that stock runs")
        return 1
    return 1 if ours_alone else 0


if __name__ == "__main__":
    sys.exit(main())
