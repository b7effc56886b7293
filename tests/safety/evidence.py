"""What an evidence of docs/safety.md names, and whether it is there and is run by `make test`.

tests/FOLDER/test_X.py::test_name          a pytest function, all its cases
tests/FOLDER/test_X.py::test_name[case]    one case of it
tests/mpy/X.py                             a script of the MicroPython suite
tests/mpy/X.py: words of a comment         a part of it: the words stand in one of its comments
budget take                                a budget of benchmarks/, in instructions
make proof                                 a target of the Makefile
"""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

import budgets  # noqa: E402
import bus_budgets  # noqa: E402
import run  # noqa: E402
import suite  # noqa: E402


def problem(evidence: str) -> str | None:
    """What is wrong with an evidence, in a line, or None."""
    if "::" in evidence:
        return _pytest_problem(evidence)
    if evidence.startswith("tests/mpy/"):
        return _script_problem(evidence)
    kind, _, name = evidence.partition(" ")
    if kind == "budget":
        return None if name in _budgets() else "benchmarks/ has no such budget"
    if kind == "make":
        return _target_problem(name)
    return "no kind of evidence: see tests/safety/evidence.py"


# ---- pytest ------------------------------------------------------------------------------------


def _pytest_problem(evidence: str) -> str | None:
    path, _, test = evidence.partition("::")
    name = test.partition("[")[0]
    file = ROOT / path
    if not file.is_file():
        return "no such file"
    tree = _tree(file)
    function = next(
        (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name),
        None,
    )
    if function is None:
        return f"{path} has no function {name}"
    marks = [*map(ast.unparse, function.decorator_list), *_marks(tree)]
    if any("skip" in mark or "xfail" in mark for mark in marks):
        return "it is marked to be skipped, or to fail"
    return None


@functools.cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _marks(tree: ast.Module) -> list[str]:
    """What `pytestmark = ...` of a module says."""
    return [
        ast.unparse(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and "pytestmark" in map(ast.unparse, node.targets)
    ]


def not_collected(evidence: list[str]) -> list[str]:
    """Those of the pytest kind that pytest itself, asked for their files, does not find."""
    tests = [name for name in evidence if "::" in name]
    files = {name.partition("::")[0] for name in tests}
    command = [sys.executable, "tests/safety/collect.py", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    collected = {line for line in done.stdout.splitlines() if "::" in line}
    collected |= {name.partition("[")[0] for name in collected}
    return [name for name in tests if name not in collected]


# ---- The MicroPython suite ---------------------------------------------------------------------


def _script_problem(evidence: str) -> str | None:
    path, _, words = evidence.partition(": ")
    file = ROOT / path
    if not file.is_file():
        return "no such script"
    if not targets(file):
        return "no target of `make test` runs it"
    if words and words not in _comments(file):
        return f"no comment of {path} has these words"
    return None


def targets(file: Path) -> set[str]:
    """Where `make test` runs a script: the targets of the suite, or of its folder's build."""
    said = suite.header(file).get("targets")
    if file.parent == suite.FOLDER:
        built = set(run.TARGETS)
    else:
        built = {one[0] for one in run.other_configurations() if file in one[3]}
    return built & set(said.split()) if said else built


@functools.cache
def _comments(file: Path) -> str:
    """Its comments; those of several lines in one."""
    text = file.read_text(encoding="utf-8")
    runs = re.findall(r"(?:^[ \t]*#.*\n)+", text, re.M)
    lines = [re.sub(r"\s*\n\s*#\s*", " ", run.strip()) for run in runs]
    return "\n".join(lines)


# ---- Budgets and targets of make ---------------------------------------------------------------


@functools.cache
def _budgets() -> set[str]:
    return {budget.operation for budget in (*budgets.BUDGETS, *bus_budgets.BUDGETS)}


def _target_problem(name: str) -> str | None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(name)}:.*## (.*)$", makefile, re.M)
    if not found:
        return "the Makefile has no such target"
    return "the Makefile says: later" if "(later)" in found[1] else None
