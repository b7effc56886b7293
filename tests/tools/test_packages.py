"""What is missing is named; it is installed only by root."""

import subprocess

import packages
import pytest


@pytest.fixture
def without(monkeypatch):
    """A machine that lacks the commands, and remembers what was run on it."""
    ran = []
    lacking = set()

    def which(name):
        return None if name in lacking else f"/usr/bin/{name}"

    def run(command, **options):
        ran.append(command)
        return subprocess.CompletedProcess(command, 0, "/", "")

    monkeypatch.setattr(packages.shutil, "which", which)
    monkeypatch.setattr(packages.subprocess, "run", run)
    monkeypatch.setattr(packages.os, "geteuid", lambda: 1000)

    def make(*names):
        lacking.update(names)
        return ran

    return make


def test_nothing_missing_is_silent(without, capsys):
    without()
    assert packages.main(["build", "cm3", "rv32"]) == 0
    assert capsys.readouterr().out == ""


def test_only_what_the_task_needs(without):
    without("arm-none-eabi-gcc", "qemu-system-riscv32")
    assert packages.missing(["unix"]) == []
    assert packages.missing(["rv32"]) == ["qemu-system-misc"]
    assert packages.missing(["cm3"]) == ["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"]


def test_without_root_it_says_the_command(without):
    ran = without("qemu-system-arm")
    message = packages.main(["cm3"])
    assert message == "packages: missing; run: sudo apt-get install qemu-system-arm"
    assert not any(command[0] == "apt-get" for command in ran)


def test_root_installs_and_says_so(without, monkeypatch, capsys):
    ran = without("qemu-system-arm")
    monkeypatch.setattr(packages.os, "geteuid", lambda: 0)
    message = packages.main(["cm3"])
    assert "installing qemu-system-arm" in capsys.readouterr().out
    assert [c for c in ran if c[0] == "apt-get"][-1][-1] == "qemu-system-arm"
    assert message == "packages: installed, but not found: qemu-system-arm"


def test_failed_install_shows_what_apt_said(monkeypatch):
    def run(command, **options):
        return subprocess.CompletedProcess(command, 100, "", "E: unable to locate\n")

    monkeypatch.setattr(packages.subprocess, "run", run)
    assert "unable to locate" in (packages.install(["none"]) or "")


def test_unknown_task():
    assert "no task 'z80'" in str(packages.main(["z80"]))
