"""tools/device.py as `make test-device` runs it, on emulated boards, with a report to look at."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from waiting import PROGRAM_S

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def device(tmp_path):
    """device("--port", ...) -> status, out, err, report (a dict, or None), results by name."""

    def run(*arguments, timeout=PROGRAM_S):
        output = tmp_path / "report"
        command = [sys.executable, ROOT / "tools/device.py", "--output", output, *arguments]
        done = subprocess.run(
            [*map(str, command)], capture_output=True, text=True, timeout=timeout
        )
        assert "Traceback" not in done.stderr, done.stderr
        file = output / "REPORT.json"
        report = json.loads(file.read_text()) if file.is_file() else None
        results = {one["name"]: one for one in report["results"]} if report else {}
        markdown = (output / "REPORT.md").read_text() if report else ""
        return SimpleNamespace(
            status=done.returncode,
            out=done.stdout,
            err=done.stderr,
            report=report,
            results=results,
            markdown=markdown,
        )

    return run


@pytest.fixture
def script(tmp_path):
    """script(name, source) -> a MicroPython test."""

    def write(name, source):
        file = tmp_path / f"{name}.py"
        file.write_text(source)
        return file

    return write
