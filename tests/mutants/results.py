"""What earlier runs found, in build/mutants/results.json, as far as it still holds.

A kill holds while the cores, what the tests share and the file of the killing test are as they
were; that nothing kills a mutant holds while no test and no source has changed.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from mutate import Mutant
from stages import FOLDERS
from tree import OUTPUT, ROOT

FILE = OUTPUT / "results.json"
KILLERS = Path(__file__).resolve().parent / "killers.json"
KEPT = {".c", ".h", ".py", ".list"}


@dataclass
class Found:
    verdict: str  # killed, survived, equal, does not compile
    stage: str = ""
    test: str = ""
    how: str = ""
    of: str = ""  # the hash of what it hangs on


def _hash(paths: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


@functools.cache
def _files() -> tuple[list[Path], list[Path], list[Path]]:
    """The cores, what tests share, and the tests."""
    folders = [ROOT / folder for folder in FOLDERS]
    paths = [p for folder in folders for p in folder.rglob("*") if p.suffix in KEPT]
    paths += (ROOT / "tests").glob("*.py")
    paths = [p for p in paths if "mpy" not in p.relative_to(ROOT).parts]
    cores = [p for p in paths if ROOT / "cmodules" in p.parents]
    tests = [p for p in paths if p.name.startswith("test_")]
    return cores, [p for p in paths if p not in cores and p not in tests], tests


@functools.cache
def what_it_hangs_on(verdict: str, test: str) -> str:
    cores, shared, tests = _files()
    if verdict in ("equal", "does not compile"):
        return _hash(cores)
    if verdict == "killed":
        named = ROOT / test.split("::")[0]
        return _hash([*cores, *shared, *([named] if named.is_file() else [])])
    return _hash([*cores, *shared, *tests, ROOT / "tests/mutants/stages.py"])


@functools.cache
def _killers() -> dict[str, str]:
    """What killed the mutants of the sample when it was last drawn, which saves minutes.
    A mutant that its test does not kill any more meets all the others.
    """
    return json.loads(KILLERS.read_text())


class Results:
    def __init__(self):
        try:
            kept = json.loads(FILE.read_text())
        except (OSError, ValueError):
            kept = {}
        self.found = {id: Found(**entry) for id, entry in kept.items()}

    def holds(self, mutant: Mutant) -> Found | None:
        found = self.found.get(mutant.id)
        if found is None or found.of != what_it_hangs_on(found.verdict, found.test):
            return None
        return found

    def last_killer(self, mutant: Mutant) -> str:
        """The test that is asked first: a later run's, or that of the list for the sample."""
        found = self.found.get(mutant.id)
        known = found.test if found is not None else _killers().get(mutant.id, "")
        return known if "::" in known else ""

    def keep(self, mutant: Mutant, found: Found) -> None:
        found.of = what_it_hangs_on(found.verdict, found.test)
        self.found[mutant.id] = found
        FILE.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(
            {id: asdict(entry) for id, entry in sorted(self.found.items())}, indent=0
        )
        draft = FILE.with_suffix(".new")
        draft.write_text(text)
        draft.rename(FILE)
