"""A copy of the sources and their tests, in which one file at a time is mutated.

The tests find everything from where they themselves lie, so that in a copy of their folders they
test the copy: nothing is ever changed in the tree that the copy is of.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from mutate import Mutant
from stages import FOLDERS, Stage

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
OUTPUT = ROOT / "build" / "mutants"
GCC = "/usr/bin/gcc"

# How long one test may take: in computing, which a busy computer does not lengthen; in all, for
# one that sleeps for ever. A mutant may also eat memory for ever.
COMPUTING_S = 30
IN_ALL_S = 150
MEMORY = 4 << 30


@dataclass(frozen=True)
class Result:
    passed: bool
    test: str = ""  # the one that failed
    how: str = ""  # failed, hang, crash, does not compile


class Watch:
    """In the child: which test runs, and its limits."""

    def __init__(self, note: Path, stage: Stage):
        self.note, self.stage = note, stage

    def pytest_collection_modifyitems(self, config, items):
        kept = [item for item in items if self.stage.wants(item.nodeid)]
        items[:] = sorted(kept, key=lambda item: self.stage.rank(item.nodeid))

    def pytest_runtest_logstart(self, nodeid):
        self.note.write_text(nodeid)
        signal.setitimer(signal.ITIMER_VIRTUAL, COMPUTING_S)  # what they do by themselves: an end
        signal.setitimer(signal.ITIMER_REAL, IN_ALL_S)


def forget_the_original() -> None:
    """What this process has loaded of the tests finds the sources that are not mutated."""
    folders = tuple(f"{ROOT / folder}/" for folder in FOLDERS)
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(folders):
            del sys.modules[name]
    sys.path[:] = [path for path in sys.path if not f"{path}/".startswith(folders)]


class Tree:
    def __init__(self, number: int):
        self.root = OUTPUT / f"tree-{number}"
        self.own = OUTPUT / f"objects-{number}"
        self.objects = OUTPUT / "objects"
        shutil.rmtree(self.root, ignore_errors=True)
        for folder in FOLDERS:
            if (ROOT / folder).exists():
                ignored = shutil.ignore_patterns("__pycache__", "*.o")
                shutil.copytree(ROOT / folder, self.root / folder, ignore=ignored)
        shutil.copy(ROOT / "pyproject.toml", self.root)
        (self.root / "bin").mkdir()
        shutil.copy(HERE / "gcc.py", self.root / "bin" / "gcc")
        (self.root / "bin" / "gcc").chmod(0o755)
        for folder in (self.own, self.objects):
            folder.mkdir(parents=True, exist_ok=True)
        self.mutated = ""

    def mutate(self, mutant: Mutant) -> None:
        path = self.root / "cmodules" / mutant.file
        path.write_bytes(mutant.apply((ROOT / "cmodules" / mutant.file).read_bytes()))
        self.mutated = path.name

    def restore(self, mutant: Mutant) -> None:
        """As it was, and without what was built meanwhile."""
        shutil.copy(ROOT / "cmodules" / mutant.file, self.root / "cmodules" / mutant.file)
        self.mutated = ""
        shutil.rmtree(self.root / "build", ignore_errors=True)
        shutil.rmtree(self.own)
        self.own.mkdir()

    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}",
            "MUTANT_FILE": self.mutated,
            "MUTANT_OWN": str(self.own),
            "MUTANT_OBJECTS": str(self.objects),
            "MEMPOOL_TESTS": "first",
        }

    def run(self, stage: Stage) -> Result:
        """One stage, in a child that has pytest and the rest loaded already."""
        note = self.root / "running"
        note.write_text("")
        log = self.root / "log"
        child = os.fork()
        if child == 0:
            self._in_child(stage, note, log)
        status = self._wait(child)
        test = note.read_text() or stage.name
        if os.WIFSIGNALED(status):
            hang = os.WTERMSIG(status) in (signal.SIGVTALRM, signal.SIGALRM, signal.SIGKILL)
            return Result(False, test, "hang" if hang else "crash")
        code = os.WEXITSTATUS(status)
        if code == pytest.ExitCode.OK:
            return Result(True)
        if code in (pytest.ExitCode.NO_TESTS_COLLECTED, pytest.ExitCode.USAGE_ERROR):
            raise RuntimeError(f"stage {stage.name} runs no test:\n{log.read_text()[-3000:]}")
        # In a configuration that the gate does not have.
        refused = (self.own / "refused").exists()
        return Result(False, test, "does not compile" if refused else "failed")

    def _in_child(self, stage: Stage, note: Path, log: Path) -> None:
        code = 70
        try:
            os.setsid()
            os.chdir(self.root)
            os.environ.update(self.environment())
            forget_the_original()
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(output, 1)
            os.dup2(output, 2)
            flags = [
                "-x",
                "-q",
                "-p",
                "no:cacheprovider",
                "-p",
                "no:faulthandler",
                "--tb=short",
                "-W",
                "ignore",
            ]
            code = pytest.main([*flags, *stage.files], plugins=[Watch(note, stage)])
            sys.stdout.flush()
        finally:
            os._exit(int(code))

    @staticmethod
    def _wait(child: int) -> int:
        """Its status; and nothing that it started lives on."""
        limit = time.monotonic() + 10 * IN_ALL_S
        while True:
            done, status = os.waitpid(child, os.WNOHANG)
            if done or time.monotonic() > limit:
                break
            time.sleep(0.02)
        try:
            os.killpg(child, signal.SIGKILL)
        except ProcessLookupError:
            pass
        return status if done else os.waitpid(child, 0)[1]
