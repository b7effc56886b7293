#!/usr/bin/env -S python3 -I -S
"""Stands before gcc while mutants are tested: each source is compiled once to an object that is
kept, so that a mutant of one file costs the compiling of one file.

An object is known by all that goes into it: flags, the headers of every folder of the -I flags,
the source and the sources that it includes. What has the mutant in it goes to a folder of its own,
which is emptied after it. Warnings are no errors here: a mutant is not killed because the compiler
does not like its looks.
"""

import hashlib
import os
import pathlib
import re
import subprocess
import sys

GCC = "/usr/bin/gcc"


def headers(folders):
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(pathlib.Path(folder).glob("*.h")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.digest()


def with_included(source, folders):
    """The text of a source, and of those that it includes."""
    text = pathlib.Path(source).read_bytes()
    for name in re.findall(rb'#include "([a-z_]+\.c)"', text):
        for folder in folders:
            path = pathlib.Path(folder, name.decode())
            text += path.read_bytes() if path.exists() else b""
    return text


def refused(run):
    """The status of a run; where it is not 0 there is a sign for who wants to know."""
    if run.returncode:
        pathlib.Path(os.environ["MUTANT_OWN"], "refused").touch()
    return run.returncode


def main(args):
    sources = [a for a in args if a.endswith(".c") and not a.startswith("-")]
    if not sources or {"-E", "-S", "-c"} & set(args) or "-o" not in args:
        os.execv(GCC, [GCC, *args])
    args = [a for a in args if a not in ("-Werror", "-g", "-Wall", "-Wextra")]
    output = args.index("-o")
    flags, link = args[:output] + args[output + 2 :], args[output : output + 2]
    flags = [a for a in flags if a not in sources]
    folders = [a[2:] for a in flags if a.startswith("-I")]
    compiling = [a for a in flags if not a.startswith("-Wl,") and not a.endswith((".so", ".o"))]
    named = [a for a in compiling if not a.startswith("-I")]  # folders' names are of no account
    common = hashlib.sha256(repr(named).encode() + headers(folders)).digest()
    mutated = os.environ["MUTANT_FILE"]
    objects = []
    for source in sources:
        text = with_included(source, folders)
        key = hashlib.sha256(
            common + pathlib.Path(source).name.encode() + b"\0" + text
        ).hexdigest()
        own = mutated.endswith(".h") or (mutated and mutated.encode() in text + source.encode())
        kept = os.environ["MUTANT_OWN" if own else "MUTANT_OBJECTS"]
        made = f"{kept}/{key[:32]}.o"
        objects.append(made)
        if not os.path.exists(made):
            draft = f"{made}.{os.getpid()}"
            run = subprocess.run([GCC, *compiling, "-c", source, "-o", draft])
            if refused(run):
                return run.returncode
            os.rename(draft, made)
    libraries = [a for a in flags if a.endswith((".so", ".o"))]
    flags = [a for a in flags if a not in libraries]
    return refused(subprocess.run([GCC, *flags, *objects, *libraries, *link]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
