"""Where MicroPython's source comes from, and that a wrong archive is refused."""

import io
import tarfile

import pytest
import source

DEB822 = """\
# a comment
Types: deb
URIs: http://deb.example.org/debian-security
Suites: bookworm-security
Components: main

Types: deb deb-src
# another
URIs: http://mirror.example.org/debian/
Suites: bookworm bookworm-updates
Components: main contrib
Architectures: amd64
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEXX
"""


@pytest.fixture
def apt(tmp_path):
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_deb822_keeps_the_mirror_and_its_key(apt):
    (apt / "sources.list.d" / "debian.sources").write_text(DEB822)
    entry = source.debian_source("trixie", apt)
    assert entry
    name, text = entry
    assert name == "debian.sources"
    assert text == (
        "Types: deb-src\n"
        "URIs: http://mirror.example.org/debian/\n"
        "Suites: trixie\n"
        "Components: main\n"
        "Signed-By: \n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEXX\n"
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("deb http://a.example/debian bookworm main", "http://a.example/debian trixie main"),
        (
            "deb [arch=amd64 signed-by=/k.gpg] https://a.example/debian/ bookworm main contrib",
            "[signed-by=/k.gpg] https://a.example/debian/ trixie main",
        ),
        (
            "deb [ trusted=yes ] file:/srv/debian bookworm main # local",
            "[trusted=yes] file:/srv/debian trixie main",
        ),
    ],
)
def test_one_line_format(apt, line, expected):
    (apt / "sources.list").write_text(
        "# deb http://commented.example/debian bookworm main\n"
        "deb http://a.example/debian-security bookworm-security main\n"
        "deb http://third.example/apt stable main\n" + line + "\n"
    )
    assert source.debian_source("trixie", apt) == ("debian.list", f"deb-src {expected}\n")


def test_machine_without_debian(apt):
    (apt / "sources.list.d" / "other.list").write_text("deb http://a.example/ubuntu noble main\n")
    assert source.debian_source("trixie", apt) is None


def archive(folder, names):
    file = folder / "micropython.tar.xz"
    with tarfile.open(file, "w:xz") as tar:
        for name in names:
            data = b"x"
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return file


def test_archive_in_the_cache_is_used_and_unpacked(tmp_path):
    file = archive(tmp_path, ["micropython-9/py/obj.h", "micropython-9/README.md"])
    found = source.fetch(tmp_path, "trixie", file.name, source.sha256(file))
    target = tmp_path / "out"
    source.unpack(found, target)
    assert (target / "py/obj.h").read_bytes() == b"x"
    assert (target / "lib/micropython-lib/README.md").read_bytes() == b""
    source.unpack(found, target)
    assert not (tmp_path / "out.part").exists()


def test_wrong_checksum_is_refused_and_removed(tmp_path):
    file = archive(tmp_path, ["micropython-9/py/obj.h"])
    with pytest.raises(SystemExit) as stop:
        source.fetch(tmp_path, "trixie", file.name, "0" * 64)
    assert "SHA-256" in str(stop.value) and "0" * 64 in str(stop.value)
    assert not file.exists()


def test_archive_of_several_folders_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="2 folders"):
        source.unpack(archive(tmp_path, ["a/x", "b/x"]), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_missing_apt_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="MICROPYTHON_DIR"):
        source.fetch(tmp_path, "trixie", "none.tar.xz", "0" * 64)


def test_failed_download_shows_what_apt_said(tmp_path, monkeypatch):
    monkeypatch.setattr(source, "debian_source", lambda suite: ("debian.list", "deb-src x\n"))
    monkeypatch.setattr(source.shutil, "which", lambda name: name)

    class Done:
        returncode = 100
        stdout = "E: no network\n"
        stderr = ""

    with pytest.raises(SystemExit, match="(?s)apt-get update failed.*no network"):
        source.download(tmp_path, "trixie", "none.tar.xz", run=lambda *a, **k: Done)
