"""The quick part of `make proof`, and that its checks can fail."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "genmc")]

import analyzers  # noqa: E402
import cores  # noqa: E402
import eva  # noqa: E402
import findings  # noqa: E402
import misra  # noqa: E402
import scenes  # noqa: E402


def run(*arguments):
    return subprocess.run(
        [sys.executable, str(HERE / "run.py"), *arguments], capture_output=True, text=True
    )


@pytest.mark.parametrize("check", ["genmc scenes", "misra", "gcc -fanalyzer", "clang-tidy"])
def test_nothing_is_left(check):
    done = run("--quick", "--only", check)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("table", [misra.TABLE, analyzers.TABLE, eva.TABLE])
def test_tables_can_be_read(table):
    entries = findings.load(table)
    assert len(set(entries)) == len(entries)


FINDING = findings.Finding("15.5", "tests/proof/findings.py", 1, "", "load")


def hold(entry, whole=True):
    return findings.hold([FINDING], [entry], whole=whole)


def test_a_finding_that_the_table_does_not_name_fails():
    for entry in (
        findings.Entry("15.4", "reason"),
        findings.Entry("15.5", "reason", file="tests/proof/misra.py"),
        findings.Entry("15.5", "reason", function="hold"),
        findings.Entry("15.5", "reason", texts=("not in that line",)),
    ):
        assert any("not in the table" in problem for problem in hold(entry))


def test_an_entry_that_accepts_nothing_fails():
    gone = findings.Entry("15.5", "reason", texts=("What a tool reports", "not in that line"))
    assert len(hold(gone)) == 1
    assert "found no more" in hold(gone)[0]
    assert hold(gone, whole=False) == []


def test_an_entry_that_fits_is_enough():
    assert hold(findings.Entry("15.5", "reason", "tests/*", "load", ("reports",))) == []


def test_an_entry_without_a_reason_is_refused(tmp_path):
    table = tmp_path / "table.toml"
    table.write_text('[[accept]]\nrule = "15.5"\nreason = "fine"\n')
    with pytest.raises(SystemExit, match="needs a rule and a reason"):
        findings.load(table)


FAULTY = """
#include <stdlib.h>
int faulty(int *given);
int faulty(int *given) {
    int *made = malloc(sizeof(int));
    if (given == NULL) {
        *made = 0;
        free(made);
        free(made);
    }
    return *given;
}
"""


@pytest.mark.parametrize("tool", [analyzers.gcc, analyzers.tidy])
def test_a_planted_fault_is_found(tool, monkeypatch):
    folder = cores.OUTPUT / "planted"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "faulty.c").write_text(FAULTY)
    monkeypatch.setattr(analyzers, "OURS", analyzers.re.compile("^build/proof/planted/"))
    job = ("planted", ["-std=gnu11"], [str((folder / "faulty.c").relative_to(cores.ROOT))])
    with (folder / "log").open("w") as log:
        found = tool([job], log, lambda text: None)
    assert any("free" in finding.message for finding in found)


def test_a_scene_that_goes_wrong_fails():
    scene = next(scene for scene in scenes.SCENES if scene.name == "double give")
    good, _, output = scenes.natively(dataclasses.replace(scene, won=2))
    assert not good
    assert "won == " in output


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--depth", "0"], "DEPTH must be 1 to 3, not '0'"),
        (["--depth", "many"], "DEPTH must be 1 to 3, not 'many'"),
        (["--only", "nonsense"], "no check's name has 'nonsense'"),
    ],
)
def test_bad_arguments_are_named(arguments, said):
    done = run(*arguments)
    assert done.returncode == 2
    assert said in done.stdout + done.stderr
