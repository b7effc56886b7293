"""docs/safety.md is what its sources say; no promise is without evidence, and no evidence names
what is not there, or is not run.
"""

from __future__ import annotations

import dataclasses

import evidence
import pytest
import safetyfile

SOURCES = safetyfile.load()


@pytest.fixture(scope="module")
def every_evidence() -> list[str]:
    return sorted({name for promise in SOURCES.promises for name in promise.shown})


def test_the_page_is_what_the_sources_say():
    said = safetyfile.PAGE.read_text(encoding="utf-8")
    assert said == safetyfile.render(SOURCES), "run tests/safety/safetyfile.py"


def test_numbers_stand_once_and_in_order():
    for part in SOURCES.parts:
        order = [promise.order for promise in part.promises]
        assert order == sorted(set(order)), part.title
    numbers = [promise.number for promise in SOURCES.promises]
    assert len(set(numbers)) == len(numbers)
    texts = [promise.text for promise in SOURCES.promises]
    assert len(set(texts)) == len(texts)
    assumed = [one.number for one in SOURCES.assumptions]
    assert assumed == [f"A{nth}" for nth in range(1, len(assumed) + 1)]


def test_every_promise_has_a_technique_and_evidence():
    for promise in SOURCES.promises:
        assert promise.shown and promise.by, promise.number
        assert len(set(promise.shown)) == len(promise.shown), promise.number
        assert set(promise.by) <= SOURCES.techniques.keys(), promise.number


def test_every_technique_is_used():
    used = {key for promise in SOURCES.promises for key in promise.by}
    assert used == SOURCES.techniques.keys()


def test_every_evidence_is_there(every_evidence):
    wrong = {name: evidence.problem(name) for name in every_evidence}
    assert not {name: said for name, said in wrong.items() if said}


def test_every_test_is_collected(every_evidence):
    assert evidence.not_collected(every_evidence) == []


def test_assumptions_name_files_that_are_there():
    for one in SOURCES.assumptions:
        assert one.where, one.number
        for path in one.where:
            assert (safetyfile.ROOT / path).is_file(), f"{one.number}: {path}"


GOOD = "tests/safety/test_safety_file.py::test_the_page_is_what_the_sources_say"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (GOOD + "_not", "has no function"),
        ("tests/safety/test_gone.py::test_it", "no such file"),
        ("tests/mpy/gone.py", "no such script"),
        ("tests/mpy/block.py: words that nobody wrote", "no comment"),
        ("budget flying", "no such budget"),
        ("make coffee", "no such target"),
        ("a good feeling", "no kind of evidence"),
    ],
)
def test_what_is_not_there_is_found(name, says):
    assert says in (evidence.problem(name) or "")


def test_what_is_skipped_or_nowhere_run_is_found(tmp_path, monkeypatch):
    (tmp_path / "tests" / "mpy").mkdir(parents=True)
    monkeypatch.setattr(evidence, "ROOT", tmp_path)
    skipped = tmp_path / "tests" / "test_x.py"
    skipped.write_text("@pytest.mark.skipif(True)\ndef test_a(): pass\ndef test_b(): pass\n")
    assert "skipped" in (evidence.problem("tests/test_x.py::test_a") or "")
    assert evidence.problem("tests/test_x.py::test_b") is None
    marked = tmp_path / "tests" / "test_y.py"
    marked.write_text("pytestmark = pytest.mark.skip\ndef test_a(): pass\n")
    assert "skipped" in (evidence.problem("tests/test_y.py::test_a") or "")
    script = tmp_path / "tests" / "mpy" / "x.py"
    monkeypatch.setattr(evidence.suite, "FOLDER", script.parent)
    script.write_text("# targets: vax\npass\n")
    assert "no target" in (evidence.problem("tests/mpy/x.py") or "")
    script.write_text("# targets: unix\npass\n")
    assert evidence.problem("tests/mpy/x.py") is None


def test_a_case_that_is_gone_is_not_collected():
    gone = "tests/safety/test_safety_file.py::test_what_is_not_there_is_found[no-such-case]"
    assert evidence.not_collected([GOOD, gone]) == [gone]


def test_a_promise_that_changes_makes_the_page_old():
    part = SOURCES.parts[0]
    other = dataclasses.replace(part.promises[0], text="Something else.")
    parts = [dataclasses.replace(part, promises=[other, *part.promises[1:]]), *SOURCES.parts[1:]]
    changed = dataclasses.replace(SOURCES, parts=parts)
    assert safetyfile.render(changed) != safetyfile.render(SOURCES)
    assert "Something else." in safetyfile.render(changed)
