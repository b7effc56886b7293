"""Everything that `make test` checks: a line a step with its time, and the whole output of what
failed. With --load, so many processes compute beside them: what needs a quiet computer fails.

Steps run two at a time, in the order below, each as soon as what it needs is done; beside a load
as many as it has processes, or they would get a fifth of the computer and take hours. A failed
build fails what needs it. The output of every step is kept in build/test/.
"""

import argparse
import os
import shlex
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import busy
import suite
from console import die_with_parent

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "build" / "test"
PYTHON = str(ROOT / ".venv/bin/python")
TARGETS = ("unix", "unix32", "cm3", "rv32")
# Builds beside the boards' own that run the whole suite. The masked ones mask interrupts, where
# the others use atomics: a mutex on the host, the ESP32-C3's way on RV32.
MASKED = ("unix", "rv32")
# Host tests that need no firmware.
COMPILE_THEMSELVES = ("host", "weak", "cpp")
LANES = 2


@dataclass
class Step:
    name: str
    command: list[str]
    needs: list[str] = field(default_factory=list)
    state: str = "waiting"  # running, ok, FAIL, not run
    seconds: float = 0.0

    @property
    def log(self):
        return LOGS / (self.name.replace(" ", "-").replace("/", "-") + ".log")


def make(*arguments):
    return ["make", "--no-print-directory", *arguments]


def build(target, variant="", settings=()):
    """The step that builds a target, and the name that others wait for."""
    name = f"build {target}{' ' if variant else ''}{variant}"
    arguments = [f"TARGET={target}", "JOBS=1", *settings]
    if variant:
        arguments.append(f"VARIANT={variant}")
    # A variant starts from what its target has built already.
    return Step(name, make("build", *arguments), [f"build {target}" if variant else "prepare"])


def run_suite(target, variant="", files=()):
    command = [PYTHON, "tests/suite.py", "--target", target, "--jobs", "1"]
    if variant:
        command += ["--variant", variant]
    shown = f"{target}{' ' if variant else ''}{variant}"
    return Step(f"suite {shown}", [*command, *map(str, files)], [f"build {shown}"])


def sources(*suffixes):
    """Our own files, for the tools that take a list of them."""
    found = []
    for folder in ("cmodules", "firmware", "tests", "benchmarks", "examples"):
        found += [str(file) for file in (ROOT / folder).rglob("*") if file.suffix in suffixes]
    return sorted(found)


def lint():
    c_files = sources(".c", ".h", ".hpp", ".cpp")
    return [
        Step("lint ruff", [".venv/bin/ruff", "check", "."]),
        Step("lint format", [".venv/bin/ruff", "format", "--check", "."]),
        Step("lint pyright", [".venv/bin/pyright"]),
        Step("lint clang-format", ["clang-format", "--dry-run", "--Werror", *c_files]),
    ]


def other_configurations():
    """Folders of tests/mpy with a `build` file: (target, variant, settings, files)."""
    for file in sorted(suite.FOLDER.glob("*/build")):
        lines = dict(line.split(":", 1) for line in file.read_text().splitlines() if ":" in line)
        for target in lines.get("targets", "unix").split():
            settings = [
                f"CONFIG={lines.get('config', '').strip()}",
                *lines.get("settings", "").split(),
            ]
            yield target, file.parent.name, settings, sorted(file.parent.glob("*.py"))


def pytest(folder, needs):
    name = f"pytest {folder.relative_to(ROOT / 'tests')}"
    return Step(name, [PYTHON, "-m", "pytest", "-q", str(folder)], needs)


def host_folders():
    return sorted({file.parent for file in (ROOT / "tests").glob("**/test_*.py")})


def everything():
    boards = [f"build {target}" for target in TARGETS]
    source = os.environ.get("MICROPYTHON_DIR") or make_variable("SOURCE")
    steps = [Step("prepare", make("prepare"))]
    # The longest ones compile for themselves: one lane starts with them, the other builds.
    steps += [pytest(ROOT / "tests" / name, ["prepare"]) for name in COMPILE_THEMSELVES]
    steps += [build(target) for target in TARGETS]
    steps += lint()
    steps += [Step("build stock", make("stock", "JOBS=1"), ["prepare"])]
    variants = [(target, "masked", ["MASKED=1"], []) for target in MASKED]
    variants += list(other_configurations())
    steps += [build(target, variant, settings) for target, variant, settings, _ in variants]
    others = [folder for folder in host_folders() if folder.name not in COMPILE_THEMSELVES]
    steps += [pytest(folder, boards) for folder in others]
    steps += [run_suite(target) for target in TARGETS]
    steps += [run_suite(target, variant, files) for target, variant, _, files in variants]
    upstream = [PYTHON, "tests/upstream.py", "--source", source]
    steps += [Step("upstream", upstream, ["build unix", "build stock"])]
    return steps


def one_target(target):
    return [Step("prepare", make("prepare")), build(target), run_suite(target)]


def make_variable(name):
    done = subprocess.run(
        make("-s", f"print-{name}"), cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


class Runner:
    """Lanes that take the next step whose needs are met."""

    def __init__(self, steps, lanes=LANES):
        self.steps = steps
        self.lanes = lanes
        self.states = {step.name: step for step in steps}
        self.changed = threading.Condition()
        self.live = sys.stdout.isatty()
        self.start = time.monotonic()
        self.processes = set()
        self.stopped = False

    def _next(self):
        """A step to run, or None where none will come; waits where one may."""
        with self.changed:
            while not self.stopped:
                waiting = [step for step in self.steps if step.state == "waiting"]
                if not waiting:
                    return None
                for step in waiting:
                    needed = [self.states[name].state for name in step.needs]
                    if any(state in ("FAIL", "not run") for state in needed):
                        step.state = "not run"
                        self._say(step)
                        break
                    if all(state == "ok" for state in needed):
                        step.state = "running"
                        return step
                else:
                    self.changed.wait()
            return None

    def _say(self, step):
        if self.live:
            print("\r\x1b[K", end="")
        print(f"{step.state:>8}  {step.name:<24} {step.seconds:6.1f} s", flush=True)

    def _status(self):
        running = [step.name for step in self.steps if step.state == "running"]
        done = sum(step.state not in ("waiting", "running") for step in self.steps)
        seconds = time.monotonic() - self.start
        line = f"{done}/{len(self.steps)} steps, {seconds:.0f} s; running: {', '.join(running)}"
        print(f"\r\x1b[K{line[:110]}", end="", flush=True)

    def _run(self, step):
        start = time.monotonic()
        step.log.parent.mkdir(parents=True, exist_ok=True)
        environment = dict(os.environ)
        for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "TARGET", "VARIANT", "CONFIG", "BOARD"):
            environment.pop(name, None)
        with step.log.open("wb") as log:
            log.write(f"$ {shlex.join(step.command)[:2000]}\n".encode())
            log.flush()
            process = subprocess.Popen(
                step.command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,
            )
            self.processes.add(process)
            code = process.wait()
            self.processes.discard(process)
        with self.changed:
            step.seconds = time.monotonic() - start
            step.state = "FAIL" if code else "ok"
            self._say(step)
            self.changed.notify_all()

    def _lane(self):
        while step := self._next():
            self._run(step)
        with self.changed:
            self.changed.notify_all()

    def run(self):
        lanes = [threading.Thread(target=self._lane, daemon=True) for _ in range(self.lanes)]
        for lane in lanes:
            lane.start()
        try:
            while any(lane.is_alive() for lane in lanes):
                time.sleep(0.5)
                if self.live:
                    with self.changed:
                        self._status()
        except KeyboardInterrupt:
            self.stopped = True
            for process in list(self.processes):
                process.terminate()
            raise
        return self._summary()

    def _summary(self):
        if self.live:
            print("\r\x1b[K", end="")
        failed = [step for step in self.steps if step.state == "FAIL"]
        for step in failed:
            print(f"\n---- {step.name} ----\n{step.log.read_text(errors='replace')}")
        ok = sum(step.state == "ok" for step in self.steps)
        seconds = time.monotonic() - self.start
        bad = [step.name for step in self.steps if step.state != "ok"]
        print(f"\n{ok} of {len(self.steps)} steps passed in {seconds / 60:.1f} minutes")
        if bad:
            print(f"not passed: {', '.join(bad)}")
        return 1 if bad else 0


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", choices=TARGETS, help="only its build and its suite")
    parser.add_argument("--load", default="", help="processes that compute meanwhile")
    parser.add_argument("--only", choices=["lint"], help="only these steps")
    args = parser.parse_args(argv)
    if args.only:
        steps = lint()
    else:
        steps = one_target(args.target) if args.target else everything()
    try:
        with busy.Load(busy.workers(args.load)) as load:
            if load.count:
                print(f"beside {load.count} processes of stress-ng that compute", flush=True)
            status = Runner(steps, max(LANES, load.count)).run()
        if load.ended_early:
            print("stress-ng ended before the tests: they were not beside it")
        return status or int(load.ended_early)
    except busy.Refused as error:
        print(f"test: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped")
        return 130


if __name__ == "__main__":
    sys.exit(main())
