"""One list of sources a module: make, CMake and the folders agree."""

import subprocess
from pathlib import Path

import pytest

CMODULES = Path(__file__).resolve().parents[2] / "cmodules"
MODULES = ["mempool", "eventbus"]
PROJECT = """\
cmake_minimum_required(VERSION 3.16)
project(probe C)
add_library(usermod INTERFACE)
include({entry})
get_target_property(FOUND usermod_{module} INTERFACE_SOURCES)
foreach(FILE IN LISTS FOUND)
    message(STATUS "source ${{FILE}}")
endforeach()
get_target_property(LINKED usermod INTERFACE_LINK_LIBRARIES)
message(STATUS "linked ${{LINKED}}")
"""


def listed(module):
    lines = (CMODULES / module / "sources.list").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_every_module_is_tested():
    assert {file.parent.name for file in CMODULES.glob("*/sources.list")} == set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_list_is_what_the_folders_hold(module):
    found = {
        str(file.relative_to(CMODULES / module))
        for name in ("core", "mpy")
        for file in (CMODULES / module / name).glob("*.c")
    }
    assert sorted(listed(module)) == sorted(found)
    assert len(listed(module)) == len(set(listed(module)))


@pytest.mark.parametrize("module", MODULES)
def test_cmake_reads_the_same_list(module, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        PROJECT.format(entry=CMODULES / "micropython.cmake", module=module)
    )
    done = subprocess.run(
        ["cmake", "-S", str(tmp_path), "-B", str(tmp_path / "out"), "-DMEMPOOL_PLATFORM=OFF"],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    sources = [line.split()[-1] for line in lines if line.startswith("-- source ")]
    assert sources == [str(CMODULES / module / name) for name in listed(module)]
    assert f"-- linked {';'.join(f'usermod_{name}' for name in MODULES)}" in lines


def test_no_file_holds_a_conflict():
    """Marks of a merge that nobody resolved: CMake and manifests would show them only on ESP32."""
    root = CMODULES.parent
    done = subprocess.run(
        ["git", "grep", "-lE", "^(<{7}|>{7}) "], cwd=root, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
