"""A board of its own for each test, and the command as a user runs it."""

import json
import subprocess
import sys
from pathlib import Path

import kconfig
import kconfig_boards
import pytest
from waiting import PROGRAM_S

ROOT = kconfig_boards.ROOT
KCONFIG_TOOL = ROOT / "tools" / "kconfig.py"


class BoardFolder:
    """A folder of boards with one board, TEST, whose files a test writes."""

    def __init__(self, boards: Path) -> None:
        self.boards = boards
        self.folder = boards / "TEST"
        self.output = boards.parent / "out"
        self.folder.mkdir(parents=True)
        self.describe(mcu="host", product="a board of the tests")
        self.settings()

    @property
    def board(self) -> kconfig_boards.Board:
        return kconfig_boards.load_board("TEST")

    @property
    def settings_path(self) -> Path:
        return self.folder / "sdkconfig.board"

    def describe(self, **about: object) -> None:
        (self.folder / "board.json").write_text(json.dumps(about))

    def settings(self, *lines: str) -> None:
        self.settings_path.write_text("".join(line + "\n" for line in lines))

    def pins(self, *lines: str) -> None:
        (self.folder / "pins.csv").write_text("".join(line + "\n" for line in lines))

    def generate(self, *sets: str) -> int:
        """The command in this process; its exit status."""
        arguments = ["generate", "--board", "TEST", "--output", str(self.output)]
        for each in sets:
            arguments += ["--set", each]
        return kconfig.main(arguments)

    def header(self) -> dict[str, int]:
        """Symbol -> value, of the generated sdkconfig.h."""
        found = {}
        for line in (self.output / "sdkconfig.h").read_text().splitlines():
            if line.startswith("#define "):
                _define, name, value = line.split()
                found[name.removeprefix("CONFIG_MEMORY_POOL_")] = int(value)
        return found


@pytest.fixture
def at(tmp_path, monkeypatch) -> BoardFolder:
    """The board TEST, and its folder's parent as the current folder: paths shown are short."""
    folder = BoardFolder(tmp_path / "boards")
    monkeypatch.setattr(kconfig_boards, "BOARDS", folder.boards)
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def refused(at, capfd):
    """Runs generate, and answers the one line that it must have stopped with."""

    def run(*sets: str) -> str:
        assert at.generate(*sets) == 1
        output, error = capfd.readouterr()
        assert output == ""
        assert error.endswith("\n") and error.count("\n") == 1, error
        assert not at.output.exists(), "nothing is written where a value is wrong"
        return error.rstrip("\n")

    return run


@pytest.fixture
def command():
    """The command as make runs it: a process of its own."""

    def run(*arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, str(KCONFIG_TOOL), *map(str, arguments)],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=PROGRAM_S,
        )

    return run
