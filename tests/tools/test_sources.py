"""One list of sources: make, CMake and the folders agree."""

import subprocess
from pathlib import Path

MODULE = Path(__file__).resolve().parents[2] / "cmodules/mempool"
PROJECT = """\
cmake_minimum_required(VERSION 3.16)
project(probe C)
add_library(usermod INTERFACE)
include({entry})
get_target_property(FOUND usermod_mempool INTERFACE_SOURCES)
foreach(FILE IN LISTS FOUND)
    message(STATUS "source ${{FILE}}")
endforeach()
get_target_property(LINKED usermod INTERFACE_LINK_LIBRARIES)
message(STATUS "linked ${{LINKED}}")
"""


def listed():
    lines = (MODULE / "sources.list").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_list_is_what_the_folders_hold():
    found = {
        str(file.relative_to(MODULE))
        for name in ("core", "mpy")
        for file in (MODULE / name).glob("*.c")
    }
    assert sorted(listed()) == sorted(found)
    assert len(listed()) == len(set(listed()))


def test_cmake_reads_the_same_list(tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        PROJECT.format(entry=MODULE.parent / "micropython.cmake")
    )
    done = subprocess.run(
        ["cmake", "-S", str(tmp_path), "-B", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    sources = [line.split()[-1] for line in lines if line.startswith("-- source ")]
    assert sources == [str(MODULE / name) for name in listed()]
    assert "-- linked usermod_mempool" in lines
