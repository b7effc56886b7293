"""Bring MicroPython's source: the Debian source package, checked, and unpacked under build/.

The machine's own apt sources say where Debian is; only the suite is replaced, in a private apt
configuration, so that nothing of the machine's package management changes. The archive is
refused unless its SHA-256 is the pinned one.
"""

import argparse
import hashlib
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import NoReturn

APT_DIR = Path("/etc/apt")


def fail(message) -> NoReturn:
    sys.exit(f"source: {message}")


def looks_like_debian(uri, suites):
    """The main archive, not security, not a third party's, whatever the mirror."""
    path = uri.rstrip("/").rsplit("/", 1)[-1]
    return path == "debian" and not any("security" in suite for suite in suites)


def from_deb822(text, suite):
    """The first Debian stanza of a .sources file, as deb-src of `suite`; None if it has none."""
    for stanza in text.replace("\r\n", "\n").split("\n\n"):
        lines = [line for line in stanza.splitlines() if line and not line.startswith("#")]
        fields = {}
        name = ""
        for line in lines:
            if line[0] in " \t":
                fields[name] += "\n" + line
            else:
                name, _, value = line.partition(":")
                fields[name] = value.strip()
        kept = {key.lower(): value for key, value in fields.items()}
        if kept.get("enabled", "yes").lower() == "no" or "deb" not in kept.get("types", ""):
            continue
        uris, suites = kept.get("uris", "").split(), kept.get("suites", "").split()
        if not uris or not looks_like_debian(uris[0], suites):
            continue
        fields = {
            key: value for key, value in fields.items() if key.lower() not in ("architectures",)
        }
        replaced = {"types": "deb-src", "suites": suite, "components": "main"}
        return "".join(
            f"{key}: {replaced.get(key.lower(), value)}\n" for key, value in fields.items()
        )
    return None


def from_one_line(text, suite):
    """The first Debian line of a sources.list, as deb-src of `suite`; None if it has none."""
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words or words[0] not in ("deb", "deb-src"):
            continue
        words = words[1:]
        options = []
        if words and words[0].startswith("["):
            while words:
                word = words.pop(0)
                options += [part for part in word.strip("[]").split() if part]
                if word.endswith("]"):
                    break
        if len(words) < 3 or not looks_like_debian(words[0], words[1:2]):
            continue
        options = [option for option in options if not option.startswith("arch")]
        shown = f"[{' '.join(options)}] " if options else ""
        return f"deb-src {shown}{words[0]} {suite} main\n"
    return None


def debian_source(suite, apt_dir=APT_DIR):
    """(file name, text) of the private source entry, made from the machine's own."""
    files = [apt_dir / "sources.list", *sorted((apt_dir / "sources.list.d").glob("*"))]
    for file in files:
        if not file.is_file() or file.suffix not in (".sources", ".list"):
            continue
        convert = from_deb822 if file.suffix == ".sources" else from_one_line
        entry = convert(file.read_text(encoding="utf-8", errors="replace"), suite)
        if entry:
            return f"debian{file.suffix}", entry
    return None


def sha256(file):
    return hashlib.sha256(file.read_bytes()).hexdigest()


def check(file, expected):
    """Refuse an archive that is not the pinned one, and put it out of the way."""
    found = sha256(file)
    if found != expected:
        file.unlink()
        fail(
            f"{file.name} has SHA-256 {found}, expected {expected}; it was deleted "
            "(set MICROPYTHON_DIR to build from a clone instead)"
        )


def download(folder, suite, archive, run=subprocess.run):
    if shutil.which("apt-get") is None:
        fail("no apt-get here to fetch MicroPython; set MICROPYTHON_DIR to a clone of it")
    entry = debian_source(suite)
    if entry is None:
        fail("no Debian entry in /etc/apt; set MICROPYTHON_DIR to a clone of MicroPython")
    private = (folder / "apt").resolve()
    for name in ("etc", "lists/partial", "cache/archives/partial"):
        (private / name).mkdir(parents=True, exist_ok=True)
    (private / "etc" / entry[0]).write_text(entry[1])
    apt = [
        "apt-get",
        "-qq",
        "-o=Dir::Etc::SourceList=/dev/null",
        f"-o=Dir::Etc::SourceParts={private}/etc",
        f"-o=Dir::State::Lists={private}/lists",
        f"-o=Dir::Cache={private}/cache",
        "-o=APT::Get::List-Cleanup=0",
        # The download runs as the caller: the sandbox user may not write under a home folder.
        "-o=APT::Sandbox::User=root",
    ]
    print(f"source: fetching MicroPython's source package of Debian {suite} (6 MB)", flush=True)
    for command in (["update"], ["source", "--download-only", "micropython"]):
        done = run([*apt, *command], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            fail(f"apt-get {command[0]} failed:\n{done.stdout}{done.stderr}")
    if not (folder / archive).is_file():
        found = ", ".join(sorted(file.name for file in folder.glob("*.tar.*"))) or "nothing"
        fail(f"Debian {suite} no longer carries {archive} (it gave {found})")
    shutil.rmtree(private)


def fetch(folder, suite, archive, expected):
    """The checked archive, from the folder if it is there already."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / archive
    if not file.is_file():
        download(folder, suite, archive)
    check(file, expected)
    return file


def unpack(file, target):
    """Unpack beside the target and rename, so that a target that exists is complete."""
    scratch = target.with_name(target.name + ".part")
    shutil.rmtree(scratch, ignore_errors=True)
    with tarfile.open(file) as tar:
        names = {member.name.split("/")[0] for member in tar.getmembers()}
        if len(names) != 1:
            fail(f"{file.name} holds {len(names)} folders, expected one")
        # The archive is pinned by its checksum; newer Pythons still want to be told.
        if hasattr(tarfile, "data_filter"):
            tar.extractall(scratch, filter="data")
        else:
            tar.extractall(scratch)
    inner = scratch / names.pop()
    # The build asks for this file of a submodule that the source package leaves out.
    readme = inner / "lib" / "micropython-lib" / "README.md"
    readme.parent.mkdir(parents=True, exist_ok=True)
    readme.touch()
    shutil.rmtree(target, ignore_errors=True)
    inner.rename(target)
    shutil.rmtree(scratch)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", required=True)
    parser.add_argument("--archive", required=True)
    parser.add_argument("--sha256", required=True)
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps the archive")
    parser.add_argument("--output", type=Path, required=True, help="the unpacked source")
    args = parser.parse_args(argv)
    unpack(fetch(args.cache, args.suite, args.archive, args.sha256), args.output)
    print(f"source: {args.output}")


if __name__ == "__main__":
    main()
