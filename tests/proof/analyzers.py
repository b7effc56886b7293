"""gcc -fanalyzer and clang-tidy over the cores, for 64 and for 32 bits, and over the bindings.

gcc walks the paths through each function for leaks, double frees, reads of what was never written,
NULL that is followed. clang-tidy looks for what is usually meant otherwise, and its own analyzer
walks the paths too. Nothing is left: what is accepted is in analyzers.toml, with its reason.

The bindings are seen with the headers of the unix build, which has to be there.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import cores
from findings import Finding, hold, load

TABLE = Path(__file__).with_name("analyzers.toml")
WARNING = re.compile(
    r"^(?P<file>[^:\s]+):(?P<line>\d+):\d+: (?:warning|error): "
    r"(?P<message>.*) \[(?P<rule>[^]]+)\]$"
)
WITHIN = re.compile(r"^[^:\s]+: In function [‘'](?P<function>\w+)[’']:$")
ENGLISH = dict(os.environ, LC_ALL="C.UTF-8")
OURS = re.compile(r"^cmodules/")

# Whole families, less what does not fit C of this kind.
CHECKS = [
    "-*",
    *("bugprone-*", "cert-*", "clang-analyzer-*", "misc-*", "performance-*", "portability-*"),
    # Parameters of one type beside each other: what a C interface of numbers consists of.
    "-bugprone-easily-swappable-parameters",
    # It wants memcpy_s and its kin of C11's annex K, which no C library here has.
    "-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling",
    # Names with underscores are MicroPython's and gcc's.
    *("-bugprone-reserved-identifier", "-cert-dcl37-c", "-cert-dcl51-cpp"),
    # An object of MicroPython is a number in a pointer.
    "-performance-no-int-to-ptr",
    # MicroPython's tables of functions have one signature each.
    "-misc-unused-parameters",
]


class Absent(Exception):
    """Something that has to be there first; says how to get it."""


def core_jobs(config):
    """(what it is, flags, files) of the cores."""
    files = [str(path.relative_to(cores.ROOT)) for path in (*cores.pools(), *cores.bus())]
    flags = ["-std=gnu11", *cores.include_flags(config)]
    yield f"{config.name}, 64 bits", flags, files
    if config is cores.ALL_ON:
        yield f"{config.name}, 32 bits", [*flags, "-m32"], files


def binding_flags(source: Path) -> list[str]:
    """The unix build's folders of headers, and what its makefiles define."""
    built = cores.ROOT / "build" / "unix"
    if not (built / "genhdr" / "qstrdefs.generated.h").exists():
        raise Absent("build/unix is not there: run make build")
    folders = [source, source / "ports/unix", cores.ROOT / "firmware/unix", built]
    folders += [built / "config", *cores.POOLS_INCLUDES, *cores.BUS_INCLUDES]
    folders += [cores.BUS.parent / name / "mpy" for name in ("mempool", "eventbus")]
    flags = [f"-I{folder}" for folder in folders]
    return ["-std=gnu11", *flags, "-DMICROPY_PY_THREAD=1", "-DMICROPY_PY_THREAD_GIL=0"]


def binding_jobs(source: Path):
    files = []
    for module in ("mempool", "eventbus"):
        folder = cores.ROOT / "cmodules" / module / "mpy"
        files += sorted(str(path.relative_to(cores.ROOT)) for path in folder.glob("*.c"))
    yield "bindings", binding_flags(source), files


def _read(output: str, findings: set[Finding]) -> None:
    function = ""
    for line in output.splitlines():
        within = WITHIN.match(line)
        if within:
            function = within["function"]
            continue
        match = WARNING.match(line)
        if match is None:
            continue
        file = cores.here(match["file"])
        if OURS.match(file):
            for rule in match["rule"].split(","):
                message = match["message"]
                findings.add(Finding(rule, file, int(match["line"]), message, function))


def _run(command: list[str], log) -> str:
    done = subprocess.run(command, cwd=cores.ROOT, capture_output=True, text=True, env=ENGLISH)
    log.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}\n")
    # A source that does not compile was not looked at.
    broken = re.search(r"^.*(?:fatal error|error): .*$", done.stdout + done.stderr, re.MULTILINE)
    if broken or done.returncode < 0:
        raise RuntimeError(f"{command[0]} could not do it: {broken and broken[0]}")
    return done.stdout + done.stderr


def gcc(jobs, log, step) -> set[Finding]:
    findings: set[Finding] = set()
    for name, flags, files in jobs:
        for file in files:
            step(f"{name}: {Path(file).name}")
            # Optimised, a path that ends in what C leaves undefined would not be there any more.
            command = ["gcc", "-O0", "-fanalyzer", "-Wall", "-Wextra", *flags]
            _read(_run([*command, "-c", file, "-o", "/dev/null"], log), findings)
    return findings


def tidy(jobs, log, step) -> set[Finding]:
    findings: set[Finding] = set()
    for name, flags, files in jobs:
        for file in files:
            step(f"{name}: {Path(file).name}")
            command = ["clang-tidy", "--quiet", f"--checks={','.join(CHECKS)}", file, "--", *flags]
            _read(_run(command, log), findings)
    return findings


def check(
    log, tool, source: Path, *, quick=False, step=lambda text: None
) -> tuple[str, list[str]]:
    """-> the figures, and what is wrong. Quick: the cores, in one configuration, for 64 bits;
    so the table may have more.
    """
    jobs = [job for config in cores.CONFIGS[: 1 if quick else None] for job in core_jobs(config)]
    jobs = jobs[:1] if quick else [*jobs, *binding_jobs(source)]
    findings = tool(jobs, log, step)
    entries = [entry for entry in load(TABLE) if (tool is gcc) == entry.rule.startswith("-W")]
    ordered = sorted(findings, key=lambda f: (f.file, f.line, f.rule))
    files = sum(len(files) for _, _, files in jobs)
    figures = f"{files} files, {len(ordered)} findings, {len(entries)} accepted entries"
    return figures, hold(ordered, entries, whole=not quick)
