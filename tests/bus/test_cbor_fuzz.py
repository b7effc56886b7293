"""Random and damaged payloads by the hundred thousand, under the sanitizers and as 32-bit code."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import busbuild
import cbor2
import pytest
from cbormodel import acceptable
from corelib import SCALE
from waiting import PROGRAM_S

BUILDS = {
    "asan": ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
    "m32": ("-O2", "-m32"),
}
SEED, ROUNDS, EVERY = 20261125, 500_000 * SCALE, 8


def run(how: str, record: Path) -> tuple[int, int]:
    """Runs the program; -> rounds, and how many payloads were good."""
    program = busbuild.cbor_program("cbor_fuzz.c", BUILDS[how])
    done = subprocess.run(
        [str(program), *map(str, (SEED, ROUNDS, EVERY, record))],
        capture_output=True,
        text=True,
        timeout=PROGRAM_S * SCALE,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr[:4000]}"
    rounds, good, _ = map(int, re.findall(r"\d+", done.stdout))
    return rounds, good


def recorded(record: bytes) -> list[tuple[bool, bytes]]:
    """(what the check said, the payload) of those that were kept."""
    kept, at = [], 0
    while at < len(record):
        length = int.from_bytes(record[at + 1 : at + 3], "little")
        kept.append((bool(record[at]), record[at + 3 : at + 3 + length]))
        at += 3 + length
    return kept


@pytest.fixture(scope="module")
def asan_record(tmp_path_factory) -> bytes:
    file = tmp_path_factory.mktemp("fuzz") / "asan"
    rounds, good = run("asan", file)
    assert rounds == ROUNDS
    assert rounds // 5 < good < rounds * 4 // 5, "hardly a mixture"
    return file.read_bytes()


def test_verdicts_are_the_models(asan_record):
    """And what is good, cbor2 loads."""
    kept = recorded(asan_record)
    assert len(kept) == ROUNDS // EVERY
    for good, data in kept:
        assert good == acceptable(data), data.hex()
        if good:
            cbor2.loads(data)


def test_32_bit_code_says_the_same(asan_record, tmp_path):
    run("m32", tmp_path / "m32")
    assert (tmp_path / "m32").read_bytes() == asan_record
