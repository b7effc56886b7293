"""README and docs/ tell the truth: examples run, links lead somewhere, names and commands are."""

from __future__ import annotations

import ast
import doctest
import re
import subprocess
import sys
from pathlib import Path

import machine
import pages
import pytest
from waiting import PROGRAM_S

ROOT = pages.ROOT
MODULE = ROOT / "cmodules" / "mempool"
INCLUDES = [ROOT / "cmodules" / name / "include" for name in ("mempool", "eventbus")]
PYTHON = ("mempool", "eventbus", "appmodule", "boardcfg", "memdiag")
IDS = [str(page.relative_to(ROOT)) for page in pages.PAGES]

every_page = pytest.mark.parametrize("page", pages.PAGES, ids=IDS)

# Runs the examples as a REPL does: expressions print what they are, and the scheduler's callbacks
# have run before the next prompt. SPLIT stands between answers.
RUNNER = """\
import time
names = {"__name__": "__main__"}
for source, session in EXAMPLES:
    print(SPLIT)
    try:
        exec(compile(source, "<page>", "single" if session else "exec"), names)
    except Exception as error:
        text = str(error)
        print(RAISED + type(error).__name__ + (": " + text if text else ""))
    time.sleep_ms(4)
print(SPLIT)
"""
SPLIT = "\x1e\x1e"
RAISED = "\x1f"
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def differs(example: pages.Example, got: str) -> str | None:
    """What is wrong with an example's output, or None. An exception's line begins with RAISED."""
    printed, _, raised = got.partition(RAISED)
    if example.want is None:
        return f"raised {raised}" if raised else None
    if doctest.OutputChecker().check_output(example.want, printed + raised, OPTIONS):
        if bool(raised) == example.raises:
            return None
    return f"the page says:\n{example.want}it says:\n{got.replace(RAISED, '')}"


def run_examples(target: str, page: Path) -> list[str]:
    """Runs the page's examples in one session; what does not hold."""
    found = pages.examples(page)
    pairs = [(one.source, one.want is not None) for one in found]
    head = f"SPLIT = {SPLIT!r}\nRAISED = {RAISED!r}\nEXAMPLES = {pairs!r}\n"
    with machine.Machine(target) as one:
        status, output = one.run(head + RUNNER, name=page.name, timeout=PROGRAM_S)
        assert status == 0, one.traceback
    answers = output.decode().split(SPLIT + "\n")[1:-1]
    assert len(answers) == len(found)
    problems = []
    for example, got in zip(found, answers, strict=True):
        wrong = differs(example, got)
        if wrong:
            problems.append(f"{page.name}:{example.line}: {example.source}{wrong}")
    return problems


@every_page
def test_examples(page):
    problems = run_examples("unix", page)
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("target", ["unix32", "cm3", "rv32"])
@pytest.mark.parametrize("name", ["README.md", "docs/errors.md"])
def test_examples_elsewhere(target, name):
    """The same answers on the other targets, where they are built (make test builds them all)."""
    try:
        machine.binary(target)
    except machine.MachineError as missing:
        pytest.skip(str(missing))
    problems = run_examples(target, ROOT / name)
    assert not problems, "\n".join(problems)


def test_readme_session_is_there():
    """At least the six lines that a newcomer reads."""
    assert len(pages.examples(ROOT / "README.md")) >= 6


def test_a_wrong_example_is_found(tmp_path):
    """The check itself can fail: a wrong answer, a missing exception, a script that raises."""
    page = tmp_path / "page.md"
    page.write_text(
        "```python\n>>> 1 + 1\n2\n>>> 1 + 1\n3\n>>> int('x')\nTraceback (most recent call last):\n"
        "ValueError: invalid ...\n>>> print('fine')\nValueError: no\n```\n\n"
        "    >>> 2 * 3\n    7\n\n```python\nnonsense\n```\n\n```python\nx = 1\n```\n"
    )
    problems = run_examples("unix", page)
    assert [problem.split(":")[1] for problem in problems] == ["4", "9", "13", "17"]


@every_page
def test_links(page):
    for link in pages.links(page):
        if re.match(r"[a-z]+:", link):
            assert link.startswith("https://"), link
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link} leads nowhere"
        if anchor:
            assert anchor in pages.anchors(target), f"{page.name}: {link} has no such heading"


def make_targets() -> set[str]:
    """The targets of the Makefile and of what it includes, as make knows them."""
    done = subprocess.run(
        ["make", "-C", str(ROOT), "-npq", "help"],
        capture_output=True,
        text=True,
        timeout=PROGRAM_S,
    )
    return set(re.findall(r"^([a-z][\w-]*):", done.stdout, re.M))


@every_page
def test_make_targets_exist(page):
    text = pages.prose(page)
    code = re.findall(r"`make ([a-z][\w-]*)", text)
    code += re.findall(r"^ {4,}(?:\$ )?make ([a-z][\w-]*)", text, re.M)
    assert set(code) <= make_targets(), f"{page.name}: {set(code) - make_targets()}"


@every_page
def test_symbols_exist(page):
    """CONFIG_MEMORY_POOL_* and MEMORY_POOL_* are symbols of the menu."""
    known = set(re.findall(r"^\s*config (\w+)", (MODULE / "Kconfig").read_text(), re.M))
    named = set(re.findall(r"\b(?:CONFIG_)?(MEMORY_POOL_[A-Z_]+[A-Z])\b", pages.prose(page)))
    wrong = {name for name in named if name not in known} - {"MEMORY_POOL_TINY_CONT"}
    assert not wrong


def stub_names(module: str) -> set[str]:
    tree = ast.parse((ROOT / "typings" / f"{module}.pyi").read_text())
    names = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            if "type_check_only" not in map(ast.unparse, node.decorator_list):
                names.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def members(module: str) -> dict[str, set[str]]:
    """The public attributes and methods of each class of a stub."""
    tree = ast.parse((ROOT / "typings" / f"{module}.pyi").read_text())
    found: dict[str, set[str]] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            items = [ast.unparse(getattr(item, "target", ast.Name(""))) for item in node.body]
            items += [getattr(item, "name", "") for item in node.body]
            found[node.name] = {name for name in items if name and not name.startswith("_")}
    return found


@every_page
def test_names_exist(page):
    """mempool.x and its like are in the stubs, as is event.x; mempool_x() is in a header."""
    files = r"(?:h|hpp|pyi|core|c|md|mpy)"
    text = re.sub(
        rf"import mempool\.\w+|\b(?:mempool|eventbus|memdiag)\.{files}\b", "", pages.prose(page)
    )
    text = text.replace("mempool::", "")
    known = {module: stub_names(module) for module in PYTHON}
    of_bus = members("eventbus")
    known |= {"bus": of_bus["EventBus"], "event": of_bus["Event"], "sub": of_bus["Subscription"]}
    known["listener"] = of_bus["Listener"]
    for name, names in known.items():
        used = set(re.findall(rf"(?<![\w/.>]){name}\.([A-Za-z_]\w*)", text))
        assert used <= names, used - names
    headers = "".join(path.read_text() for folder in INCLUDES for path in folder.glob("*.h"))
    used = set(re.findall(r"\b((?:mempool|eventbus)_[a-z_]+)\(", text))
    assert used <= set(re.findall(r"\b((?:mempool|eventbus)_[a-z_]+)\b", headers)), used


@every_page
def test_files_named_exist(page):
    """What stands in `code` and looks like a path of the repository is one."""
    tops = {path.name for path in ROOT.iterdir()} - {"build"}
    for code in re.findall(r"`([^`\n ]+)`", pages.FENCE.sub("", pages.prose(page))):
        if "/" in code and code.split("/")[0] in tops and not set(code) & set("*<>BOARD|"):
            assert (ROOT / code).exists(), f"{page.name}: {code} is not there"


def test_api_page_is_complete():
    """docs/api.md names every public function and type, and every attribute of the types."""
    text = (ROOT / "docs" / "api.md").read_text()
    for module in PYTHON:
        for name in stub_names(module):
            if name.startswith("MEMORY_POOL_"):
                continue
            assert re.search(rf"\b{name}\b", text), f"docs/api.md says nothing of {module}.{name}"


@pytest.mark.parametrize("page", ["api.md", "eventbus.md"])
def test_bus_is_complete(page):
    """Both pages name every method and attribute of a bus and of what it answers."""
    text = (ROOT / "docs" / page).read_text()
    for name, names in members("eventbus").items():
        if page == "api.md" and name == "BusStats":
            continue
        for member in names - {"send", "throw"}:  # asyncio's own business
            assert re.search(rf"\b{member}\b", text), f"docs/{page}: nothing of {name}.{member}"


def test_readme_markers():
    text = (ROOT / "README.md").read_text()
    for name in ("bench", "size"):
        for end in ("begin", "end"):
            assert text.count(f"<!-- {name}:{end} -->") == 1


def test_cpp_examples_compile(tmp_path):
    """Each ```cpp or ```c block is a file that compiles against the headers."""
    count = 0
    for page in pages.PAGES:
        for language, body in pages.FENCE.findall(page.read_text()):
            if language not in ("c", "cpp"):
                continue
            count += 1
            source = tmp_path / f"{page.stem}{count}.{language}"
            source.write_text(body)
            command = ["g++", "-std=c++17"] if language == "cpp" else ["gcc", "-std=c11"]
            command += ["-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
            command += [f"-I{folder}" for folder in INCLUDES]
            done = subprocess.run([*command, str(source)], capture_output=True, text=True)
            assert done.returncode == 0, f"{page.name}\n{done.stderr}"
    assert count >= 4


if __name__ == "__main__":  # shows what the examples of a page print: for those who write one
    for name in sys.argv[1:]:
        print("\n".join(run_examples("unix", Path(name))) or f"{name}: all right")
