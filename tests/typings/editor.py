"""A user's editor: an environment with the wheel of `make stubs` beside MicroPython's own stubs,
and pyright as typings/README.md sets it up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from waiting import PROGRAM_S

ROOT = Path(__file__).resolve().parents[2]
TYPINGS = ROOT / "typings"
MICROPYTHON_STUBS = "micropython-esp32-stubs==1.29.0.post1"


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=PROGRAM_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def install(folder: Path) -> None:
    """A fresh environment in folder/.venv, from the wheel as make builds it."""
    run("make", "--no-print-directory", "stubs")
    wheels = list((ROOT / "build/stubs").glob("*.whl"))
    assert len(wheels) == 1
    run(sys.executable, "-m", "venv", "--without-pip", folder / ".venv")
    pip = (sys.executable, "-m", "pip", "--python", folder / ".venv/bin/python", "install", "-q")
    run(*pip, "--disable-pip-version-check", MICROPYTHON_STUBS, wheels[0])


def pyright(folder: Path, files: list[Path]) -> dict[tuple[str, int], set[str]]:
    """(file, line) -> the rules that complain there. The files are copied; .txt is taken off."""
    names = []
    for file in files:
        inside = file.relative_to(ROOT) if file.is_relative_to(ROOT) else Path(file.name)
        name = str(inside).removesuffix(".txt")
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(file.read_text())
        names.append(name)
    packages = next((folder / ".venv/lib").glob("python3*/site-packages"))
    settings = {
        "include": names,
        "extraPaths": ["examples"],
        "venvPath": ".",
        "venv": ".venv",
        "typeshedPath": str(packages.relative_to(folder)),
        "reportMissingModuleSource": False,
        "pythonVersion": "3.11",
        "typeCheckingMode": "standard",
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PROGRAM_S,
    )
    found: dict[tuple[str, int], set[str]] = {}
    report = json.loads(done.stdout)
    for one in report["generalDiagnostics"]:
        if one["severity"] == "error":
            place = (Path(one["file"]).name, one["range"]["start"]["line"] + 1)
            found.setdefault(place, set()).add(one.get("rule", one["message"]))
    assert report["summary"]["filesAnalyzed"] >= len(files)
    return found
