"""The public CI's workflow, which has no runner here: the schema of such files, that it builds
every board with what the tools advise, and that its scripts are shell and call what exists."""

import re
import subprocess
import sys

import firmware_env
import pytest
from fwlib import BOARDS, ROOT
from ruamel.yaml import YAML

FILE = ROOT / ".github/workflows/firmware.yml"
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.fixture(scope="module")
def workflow():
    return YAML(typ="safe").load(FILE)


def scripts(workflow):
    return [
        step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step
    ]


def check(file):
    command = ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(file)]
    return subprocess.run([f"{sys.prefix}/bin/{command[0]}", *command[1:]], capture_output=True)


def test_it_is_a_workflow(tmp_path):
    done = check(FILE)
    assert done.returncode == 0, done.stdout
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(FILE.read_text().replace("runs-on:", "runs-at:"))
    assert check(wrong).returncode != 0


def test_it_builds_every_board(workflow):
    matrix = workflow["jobs"]["board"]["strategy"]["matrix"]
    assert sorted(matrix["board"]) == [name for name in BOARDS if name.startswith("MODESP")]
    for each in matrix["include"]:
        folder = ROOT / "boards" / each["board"]
        assert (folder / f"mpconfigvariant_{each['variant']}.cmake").is_file()


def test_it_builds_with_what_the_tools_advise(workflow):
    assert workflow["jobs"]["board"]["container"] == f"espressif/idf:{firmware_env.ADVISED_IDF}"
    assert workflow["env"]["MICROPYTHON_VERSION"] == firmware_env.ADVISED_MICROPYTHON
    fetched = " ".join(scripts(workflow))
    assert all(name in fetched for name, _file in firmware_env.SUBMODULES)


def test_its_scripts(workflow):
    for script in scripts(workflow):
        subprocess.run(["sh", "-n"], input=script.encode(), check=True)
        for target in re.findall(r"^\s*make ([a-z-]+)", script, re.MULTILINE):
            assert target in TARGETS


def test_a_release_waits_for_tests_and_images(workflow):
    release = workflow["jobs"]["release"]
    assert set(release["needs"]) == {"test", "board"}
    assert "refs/tags/v" in release["if"]
