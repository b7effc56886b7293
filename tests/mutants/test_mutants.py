"""The mutants themselves, the list of those that nothing can kill, and a sample of 40."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import equivalent  # noqa: E402
import mutate  # noqa: E402
import run  # noqa: E402
from results import Found, Results  # noqa: E402
from tree import Result  # noqa: E402

SAMPLE = 40
TEXT = b"""\
// a < b is no code, nor is "c + 1"
#define TWICE(n) ((n) * 2)
#if LEVELS > 3
int twice(const char *text, int a) {
    text = "a < b"; /* a < b */
    if (a < 1) {
        mempool_store(&word, TWICE(a));
    }
    return a == 0;
}
#endif
"""
MADE = {
    ("TWICE", "arithmetic", "*", "+"),
    ("TWICE", "constant", "2", "3"),
    ("TWICE", "constant", "2", "1"),
    ("twice", "statement", 'text = "a < b";', ";"),
    ("twice", "condition", "(a < 1)", "(1)"),
    ("twice", "condition", "(a < 1)", "(0)"),
    ("twice", "comparison", "<", "<="),
    ("twice", "comparison", "<", ">="),
    ("twice", "constant", "1", "2"),
    ("twice", "constant", "1", "0"),
    ("twice", "statement", "mempool_store(&word, TWICE(a));", ";"),
    ("twice", "order", "mempool_store", "mempool_poke"),
    ("twice", "comparison", "==", "!="),
    ("twice", "constant", "0", "1"),
}


@pytest.fixture(scope="module")
def drawn():
    return run.draw(run.CMODULES, run.SEED)


def made_of(folder: Path, text: bytes) -> list[mutate.Mutant]:
    (folder / "file.c").write_bytes(text)
    return mutate.mutants_of(folder, "file.c")


def test_code_is_mutated_and_nothing_else(tmp_path):
    made = made_of(tmp_path, TEXT)
    assert {(m.function, m.kind, m.old, m.new) for m in made} == MADE
    assert len(made) == len(MADE)
    for mutant in made:
        changed = mutant.apply(TEXT)
        assert changed[: mutant.start] == TEXT[: mutant.start]
        assert changed.endswith(TEXT[mutant.end :])
        assert changed != TEXT


def test_ids_outlive_edits(tmp_path):
    before = {m.id for m in made_of(tmp_path, TEXT)}
    moved = TEXT.replace(b"    if (a", b"    ++a;\n\n        if (a").replace(
        b"#define", b"\n#define"
    )
    assert before <= {m.id for m in made_of(tmp_path, moved)}


def test_two_like_changes_have_two_ids(tmp_path):
    made = made_of(tmp_path, b"void f(void) {\n    ++a;\n    ++a;\n}\n")
    assert len({m.id for m in made}) == len(made) == 4


def test_every_file_and_kind_has_its_share(drawn):
    assert len({m.id for m in drawn}) == len(drawn) > 3000
    first = drawn[: run.COUNT]
    files = Counter(m.file for m in first)
    assert set(files) == {m.file for m in drawn}
    nothing_but_assertions = {"eventbus/core/eventbus_config.h"}
    assert set(mutate.files(run.CMODULES)) - set(files) == nothing_but_assertions
    # A file of few has all it can have.
    assert max(files.values()) <= 1 + run.COUNT // len(files) + 8
    kinds = Counter(m.kind for m in first)
    assert set(kinds) == {m.kind for m in drawn}
    assert max(kinds.values()) < run.COUNT // 4


def test_the_list_of_equivalent_mutants_is_of_mutants_that_can_be_made(drawn):
    can_be_made = {m.id: str(m) for m in drawn}
    for id, (words, why) in equivalent.entries().items():
        assert can_be_made.get(id) == words, f"{id} {words}: no such mutant any more"
        assert len(why) > 20, f"{id}: an argument is a sentence"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--count", "0"], "COUNT is a number from 1 to 100000, not '0'"),
        (["--count", "many"], "COUNT is a number from 1 to 100000, not 'many'"),
        (["--seed", "-1"], "SEED is a number from 0 to 4294967296, not '-1'"),
        (["--jobs", "0"], "JOBS is a number from 1 to 64, not '0'"),
        (["--file", "nothing.c"], "FILE=nothing.c is not one of: eventbus/core/cbor_read.c "),
        (["--only", "xyz"], "ONLY=xyz is the id of no mutant"),
    ],
)
def test_wrong_arguments(arguments, told):
    command = [sys.executable, str(HERE / "run.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"mutants: {told}")


def test_a_result_holds_only_for_what_it_was_found_with(drawn, tmp_path, monkeypatch):
    monkeypatch.setattr("results.FILE", tmp_path / "results.json")
    kept = Results()
    test = "tests/host/test_contract.py::test_names_are_copied"
    kept.keep(drawn[0], Found("killed", "contract", test, "failed"))
    kept.keep(drawn[1], Found("survived"))
    kept.keep(drawn[2], Found("killed", "contract", test, "failed"))
    kept.found[drawn[2].id].of = "other sources"
    again = Results()
    assert again.holds(drawn[0]).test == test
    assert again.holds(drawn[1]).verdict == "survived"
    assert kept.holds(drawn[2]) is None
    assert kept.last_killer(drawn[2]) == test
    assert kept.last_killer(drawn[1]) == ""


def test_what_fails_by_itself_kills_nothing(drawn, monkeypatch):
    class Failing:
        tree = SimpleNamespace(
            run=lambda stage, only: Result(False, "a test", "failed"),
            restore=lambda mutant: None,
            passes_without=lambda stage, test, alone: False,
            said=lambda: "its output",
        )

        @staticmethod
        def verdict(mutant):
            return "counts"

    monkeypatch.setattr(run, "_gate", Failing)
    with pytest.raises(run.FailsWithout, match="a test fails without a mutant:\nits output"):
        run.try_one(1, drawn[0], "")


def test_each_of_a_sample_is_found(drawn, capsys):
    """What kills a mutant passes without it; and none that is not argued survives."""
    session = run.Session(1, Results(), equivalent.entries())
    found = session.run(drawn, SAMPLE)
    with capsys.disabled():
        print(f"\n{run.table(found)}")
    assert [f"{m.id} {m}" for m in run.survivors(found)] == []
    assert sum(entry.verdict == "killed" for entry in found.values()) > SAMPLE // 2
