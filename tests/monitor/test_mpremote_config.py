"""The shortcuts in a user's mpremote configuration, and what else is in it."""

import os
import subprocess
import sys

import mpremote_config
import pytest
from tool import ROOT

OWN = "# mine\ncommands = {'blink': 'exec print(1)'}\n"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """mpremote's folder of a user who is not this one."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config/mpremote/config.py"


def run(*arguments):
    command = [sys.executable, ROOT / "tools/mpremote_config.py", *arguments]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


def helped():
    """What mpremote itself lists."""
    command = [sys.executable, "-m", "mpremote", "help"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_they_are_installed_and_mpremote_lists_them(home):
    status, said = run()
    assert status == 0 and f"{home}: the shortcuts are in it" in said
    shown = helped()
    for name in ("pools", "leaks", "poolmap"):
        assert f"  {name} " in shown and "(mempool)" in shown
    assert "is as it should be" in run()[1]


def test_what_was_there_stays_and_they_can_go_again(home):
    home.parent.mkdir(parents=True)
    home.write_text(OWN)
    os.chmod(home, 0o600)
    assert run()[0] == 0
    assert home.read_text().startswith(OWN) and home.stat().st_mode & 0o777 == 0o600
    assert "  blink " in helped() and "  pools " in helped()
    assert run("--remove") == (0, f"mpremote-config: {home}: the shortcuts are taken out\n")
    assert home.read_text() == OWN
    assert "nothing of ours is in it" in run("--remove")[1]


def test_removing_what_is_only_ours_leaves_nothing(home):
    run()
    assert "removed, nothing else was in it" in run("--remove")[1]
    assert not home.exists() and list(home.parent.iterdir()) == []


def test_an_older_section_is_refreshed_and_what_is_around_it_kept(home):
    home.parent.mkdir(parents=True)
    old = f"{mpremote_config.BEGIN}\ncommands['pools'] = 'exec old'\n{mpremote_config.END}\n"
    home.write_text("a = 1\n" + old + "b = 2\n")
    run()
    text = home.read_text()
    assert text.startswith("a = 1\nb = 2\n") and "exec old" not in text
    assert text.count(mpremote_config.BEGIN) == text.count(mpremote_config.END) == 1


def test_a_command_of_the_users_own_stays_and_it_is_said(home):
    home.parent.mkdir(parents=True)
    home.write_text("commands['pools'] = 'exec print(1)'")  # and no newline at the end
    status, said = run()
    assert status == 0 and "pools is a command of your own there, and stays so" in said
    assert "(mempool)" not in [line for line in helped().splitlines() if " pools " in line][0]
    run("--remove")
    assert home.read_text().strip() == "commands['pools'] = 'exec print(1)'"


def test_a_link_to_a_file_elsewhere_stays_a_link(home, tmp_path):
    home.parent.mkdir(parents=True)
    (tmp_path / "dots.py").write_text(OWN)
    home.symlink_to(tmp_path / "dots.py")
    run()
    assert home.is_symlink() and mpremote_config.BEGIN in (tmp_path / "dots.py").read_text()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"def broken(:\n", "line 1: invalid syntax; mend it first"),
        (b"\xff\xfe", "is no UTF-8 text; it is left alone"),
        (mpremote_config.BEGIN.encode() + b"\n", "is damaged: delete it by hand"),
        (f"{mpremote_config.END}\n{mpremote_config.BEGIN}\n".encode(), "is damaged"),
    ],
)
def test_a_file_that_is_not_understood_is_left_alone(home, content, message):
    home.parent.mkdir(parents=True)
    home.write_bytes(content)
    status, said = run()
    assert status == 1 and message in said and len(said.splitlines()) == 1
    assert home.read_bytes() == content


def test_a_configuration_that_fails_is_said(home):
    home.parent.mkdir(parents=True)
    home.write_text("import no_such_module\n")
    status, said = run()
    assert status == 1 and "mpremote cannot load it" in said and "no_such_module" in said


def test_a_folder_that_cannot_be_written_is_said(home, tmp_path):
    (tmp_path / "config").write_text("a file")
    status, said = run()
    assert status == 1 and "config.py: " in said and len(said.splitlines()) == 1


def test_make_installs_and_removes_them(home):
    make = ["make", "--no-print-directory", "mpremote-config"]
    done = subprocess.run(make, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0 and home.exists(), done.stdout + done.stderr
    subprocess.run([*make, "REMOVE=1"], cwd=ROOT, capture_output=True, check=True)
    assert not home.exists()
