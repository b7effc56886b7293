"""A copy of the sources and their tests, in which one file at a time is mutated.

The tests find everything from where they themselves lie, so that in a copy of their folders they
test the copy: nothing is ever changed in the tree that the copy is of.
"""

from __future__ import annotations

import dataclasses
import faulthandler
import os
import resource
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pytest
from mutate import Mutant
from stages import FOLDERS, Stage

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tools"))
from console import die_with_parent  # noqa: E402

HERE = Path(__file__).resolve().parent
OUTPUT = ROOT / "build" / "mutants"
GCC = "/usr/bin/gcc"
PATH = os.environ["PATH"]

# How long one test may take: in computing, which a busy computer does not lengthen; in all, for
# one that sleeps for ever. A mutant may also eat memory for ever.
COMPUTING_S = 10
IN_ALL_S = 150
MEMORY = 4 << 30


@dataclass(frozen=True)
class Result:
    passed: bool
    test: str = ""  # the one that failed
    how: str = ""  # failed, hang, crash, does not compile


class Watch:
    """In a stage's own process: which tests it runs, and their limits.

    It has everything loaded and the tests collected when it is asked; each mutant is tried in a
    fork of it, which builds and loads the cores for itself.
    """

    def __init__(self, tree: Tree, stage: Stage, requests: int, answers: int):
        self.tree, self.stage = tree, stage
        self.requests, self.answers = os.fdopen(requests), answers
        self.before = self.built()

    def built(self) -> set[Path]:
        return set((self.tree.root / "build").glob("*/*"))

    def pytest_collection_modifyitems(self, config, items):
        kept = [item for item in items if self.stage.wants(item.nodeid)]
        items[:] = sorted(kept, key=lambda item: self.stage.rank(item.nodeid))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        """Serves, and never ends but in a fork, which goes on to the tests themselves."""
        if session.testsfailed:
            return None  # to be collected is no test: the server ends, and nothing is killed
        if self.built() != self.before and not self.stage.early:
            print("a core was built, and perhaps loaded, before there was a mutant")
            os._exit(1)
        read_interfaces()
        while line := self.requests.readline():
            mutated, only, last = line.rstrip("\n").split("\t")
            child = os.fork()
            if child == 0:
                return self._begin(session, mutated, only, last)
            os.write(self.answers, f"{self.tree.wait(child)}\n".encode())
        os._exit(0)

    def _begin(self, session, mutated: str, only: str, last: str) -> None:
        os.setsid()
        os.environ.update(self.tree.environment(mutated))
        if mutated.endswith(".h"):
            forget_interfaces()
        output = os.open(self.tree.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (IN_ALL_S, IN_ALL_S))
        names = [item.nodeid for item in session.items]
        if only:
            session.items[:] = [item for item in session.items if item.nodeid == only]
        elif last in names:
            del session.items[names.index(last) + 1 :]

    def pytest_runtest_logstart(self, nodeid):
        with self.tree.note.open("a") as note:
            note.write(f"{nodeid}\n")
        signal.setitimer(signal.ITIMER_VIRTUAL, COMPUTING_S)  # what they do by themselves: an end
        signal.setitimer(signal.ITIMER_REAL, IN_ALL_S)


def read_interfaces() -> None:
    """What every test of the pools reads from the public header, once for all mutants."""
    if corelib := sys.modules.get("corelib"):
        corelib.interface()
    if buslib := sys.modules.get("buslib"):
        config = sys.modules["busconfig"]
        for one in (config.SMALL, config.TINY, config.RESERVE):
            for variant in (one, dataclasses.replace(one, name=f"{one.name}-masked", masked=True)):
                buslib.interface(variant)


def forget_interfaces() -> None:
    if buslib := sys.modules.get("buslib"):
        buslib.interface.cache_clear()


def forget_the_original() -> None:
    """What this process has loaded of the tests finds the sources that are not mutated."""
    folders = tuple(f"{ROOT / folder}/" for folder in (*FOLDERS, "tests/mutants"))
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
        for shared in (ROOT / "tests").glob("*.py"):
            shutil.copy(shared, self.root / "tests")
        shutil.copy(ROOT / "pyproject.toml", self.root)
        (self.root / "bin").mkdir()
        shutil.copy(HERE / "gcc.py", self.root / "bin" / "gcc")
        (self.root / "bin" / "gcc").chmod(0o755)
        for folder in (self.own, self.objects):
            folder.mkdir(parents=True, exist_ok=True)
        self.mutated = ""
        self.note, self.log = self.root / "running", self.root / "log"
        self.servers: dict[Stage, tuple[TextIO, TextIO]] = {}
        self.passed: dict[Stage, set[str]] = {}  # tests, without a mutant

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

    def environment(self, mutated: str) -> dict[str, str]:
        return {
            "PATH": f"{self.root / 'bin'}:{PATH}",
            "MUTANT_FILE": mutated,
            "MUTANT_OWN": str(self.own),
            "MUTANT_OBJECTS": str(self.objects),
            "MEMPOOL_TESTS": "first",
        }

    def run(self, stage: Stage, only: str = "", last: str = "") -> Result:
        """A stage, or one test of it, or all up to one, on what the tree holds now."""
        if stage not in self.servers:
            self.servers[stage] = self._serve(stage)
        requests, answers = self.servers[stage]
        self.note.write_text("")
        print(self.mutated, only, last, sep="\t", file=requests, flush=True)
        answer = answers.readline()
        if stage.early:
            del self.servers[stage]
            requests.close()
            answers.close()
        if not answer:
            raise RuntimeError(f"stage {stage.name} runs no test:\n{self.said()}")
        status = int(answer)
        test = (self.begun() or [stage.name])[-1]
        if os.WIFSIGNALED(status):
            hang = os.WTERMSIG(status) in (signal.SIGVTALRM, signal.SIGALRM, signal.SIGKILL)
            return Result(False, test, "hang" if hang else "crash")
        if os.WEXITSTATUS(status) == pytest.ExitCode.OK:
            return Result(True)
        # In a configuration that the gate does not have.
        refused = (self.own / "refused").exists()
        return Result(False, test, "does not compile" if refused else "failed")

    def begun(self) -> list[str]:
        """The tests that the last run has begun."""
        return self.note.read_text().splitlines()

    def said(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]

    def passes_without(self, stage: Stage, test: str, alone: bool) -> bool:
        """Whether a test passes with the tree as it is: alone, or behind those before it."""
        passed = self.passed.setdefault(stage, set())
        asked = {"only": test} if alone else {"last": test}
        if test not in passed and self.run(stage, **asked).passed:
            passed.update(self.begun())
            passed.add(test)  # which is the stage's name where a mutant let none begin
        return test in passed

    def _serve(self, stage: Stage) -> tuple[TextIO, TextIO]:
        """A process that has collected the tests of a stage: where it is asked, and answers."""
        read_requests, requests = os.pipe()
        answers, write_answers = os.pipe()
        if os.fork():
            os.close(read_requests)
            os.close(write_answers)
            return os.fdopen(requests, "w"), os.fdopen(answers)
        code = 70
        try:
            os.close(requests)
            os.close(answers)
            die_with_parent()
            faulthandler.disable()  # a mutant that crashes is killed, and nobody's affair
            os.chdir(self.root)
            os.environ.update(self.environment(""))
            forget_the_original()
            output = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(output, 1)
            os.dup2(output, 2)
            flags = ["-x", "-q", "-s", "--tb=short", "-W", "ignore"]
            flags += ["-p", "no:cacheprovider", "-p", "no:faulthandler"]
            watch = Watch(self, stage, read_requests, write_answers)
            code = pytest.main([*flags, *stage.files], plugins=[watch])
            sys.stdout.flush()
        finally:
            os._exit(int(code))

    @staticmethod
    def wait(child: int) -> int:
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
