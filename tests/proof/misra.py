"""MISRA C:2012 over both cores, by cppcheck's addon: each finding is in misra.toml, with a reason.

The addon knows the rules by number; their texts are MISRA's and not here. Looked at are the cores
and their headers. The port headers are each a platform's own code, and left out.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import cores
from findings import Finding, hold, load

TABLE = Path(__file__).with_name("misra.toml")
LINE = re.compile(r"^(?P<file>[^:\n]+):(?P<line>\d+):misra-c2012-(?P<rule>[\d.]+)$")
LOOKED_AT = re.compile(r"^cmodules/\w+/(core|include)/")
# cppcheck would try what a compiler predefines both ways.
DEFINES = ["-D__unix__=1", "-D_GNU_SOURCE=1", "-D__GNUC__=12"]


def find(config, log) -> set[Finding]:
    command = ["cppcheck", "--addon=misra", "--language=c", "--std=c11", "--platform=unix32"]
    command += ["--quiet", "--template={file}:{line}:{id}", *DEFINES]
    command += [*cores.include_flags(config)]
    # Else it leaves files beside the sources; what an earlier run left there would count.
    folder = cores.OUTPUT / "cppcheck" / config.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command.append(f"--cppcheck-build-dir={folder.relative_to(cores.ROOT)}")
    sources = [*cores.pools(), *cores.bus()]
    command += [str(path.relative_to(cores.ROOT)) for path in sources]
    done = subprocess.run(command, cwd=cores.ROOT, capture_output=True, text=True)
    log.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}\n")
    if done.returncode:
        raise RuntimeError(f"cppcheck ended with {done.returncode}: {done.stderr[-500:]}")
    found = set()
    for line in done.stderr.splitlines():
        match = LINE.match(line)
        if match is None:
            raise RuntimeError(f"cppcheck could not do it: {line}")
        if LOOKED_AT.match(cores.here(match["file"])):
            found.add(Finding(match["rule"], cores.here(match["file"]), int(match["line"])))
    return found


def check(log, *, quick=False, step=lambda text: None) -> tuple[str, list[str]]:
    """-> the figures, and what is wrong. Quick: one configuration, so the table may have more."""
    findings: set[Finding] = set()
    configs = cores.CONFIGS[:1] if quick else cores.CONFIGS
    for config in configs:
        step(config.name)
        findings |= find(config, log)
    entries = load(TABLE)
    ordered = sorted(findings, key=lambda f: (f.file, f.line, f.rule))
    problems = hold(ordered, entries, whole=not quick)
    rules = len({finding.rule for finding in findings})
    figures = f"{len(findings)} findings of {rules} rules, {len(entries)} deviations"
    return f"{figures}, {len(configs)} configuration{'s' * (len(configs) > 1)}", problems
