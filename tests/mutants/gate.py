"""Is it a mutant at all? One that does not compile is none, and one whose object code is that of
the original, in every configuration that the tests build, is equal by construction.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import subprocess
import sys
from pathlib import Path

from mutate import Mutant
from tree import GCC, OUTPUT, ROOT, Tree

sys.path.insert(0, str(ROOT / "tests" / "host"))
sys.path.insert(0, str(ROOT / "tests" / "bus"))

import corebuild as build  # noqa: E402
import crossbuild  # noqa: E402
from busconfig import RESERVE, SMALL, TINY  # noqa: E402

# Together they compile every line of the cores that this computer can.
LARGE = build.Config(
    "large", (129, 2, 33, 4, 9), reserve=1, trace=16, poison=True, owners=3, grow=40
)
CONFIGS = [
    LARGE,
    dataclasses.replace(LARGE, name="heap", heap=True, counts=(40, 2, 1, 1, 3), reserve=0),
    dataclasses.replace(build.MINIMUM, grow=2),
    dataclasses.replace(LARGE, masked=True),
    dataclasses.replace(build.MINIMUM, masked=True),
    build.DEFAULT,
    build.FULL,
    dataclasses.replace(TINY, spill=True),
    SMALL,
    RESERVE,
]
WORDS = ROOT / "tests" / "host" / "words.c"
NOT_HERE = {
    "atomic_riscv.h": [*crossbuild.TARGETS["rv32"][0], "-DWORDS_RISCV"],
    "atomic_cas.h": [GCC, "-DWORDS_CAS"],
}


@dataclasses.dataclass(frozen=True)
class Compilation:
    """One source in one configuration."""

    command: tuple[str, ...]
    source: Path  # below the root

    def object(self, root: Path, output: Path) -> bytes | None:
        """Its object code with the tree at `root`; None where it does not compile."""
        if self._run(root, "-c", "-o", str(output)).returncode:
            return None
        return output.read_bytes()

    def text(self, root: Path) -> bytes:
        """What the compiler sees, but for what only it looks at."""
        read = self._run(root, "-E", "-P")
        read.check_returncode()
        return ASSERTIONS.sub(b"", read.stdout)

    def _run(self, root: Path, *more: str) -> subprocess.CompletedProcess[bytes]:
        includes = [f"-I{root / folder}" for folder in INCLUDES]
        command = [*self.command, *includes, str(self.source), *more]
        return subprocess.run(command, cwd=root, capture_output=True)


ASSERTIONS = re.compile(rb"_Static_assert\(.*?\);", re.DOTALL)


INCLUDES = [
    f"cmodules/{module}/{part}"
    for module in ("mempool", "eventbus")
    for part in ("include", "port", "core")
]


def compilations(file: str) -> list[Compilation]:
    """All that may show a change of this file."""
    name = file.rsplit("/", 1)[1]
    if name in NOT_HERE:
        return [Compilation((*NOT_HERE[name], "-O2", "-w"), WORDS.relative_to(ROOT))]
    if file.endswith(".c"):
        sources = [Path("cmodules") / file]
    else:
        modules = ("mempool", "eventbus") if file.startswith("mempool/") else ("eventbus",)
        sources = [
            path.relative_to(ROOT)
            for module in modules
            for path in build.core_sources(ROOT / "cmodules" / module)
        ]
        first = ["pool.c", "grow.c", "request.c", "queue.c"]
        sources.sort(key=lambda path: first.index(path.name) if path.name in first else 9)
    made = []
    for config in CONFIGS:
        text = config.header()
        folder = OUTPUT / "settings" / hashlib.sha256(text.encode()).hexdigest()[:12]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "sdkconfig.h").write_text(text)
        flags = [GCC, "-std=gnu11", "-O2", "-w", f"-I{folder}"]
        flags += ["-DMEMPOOL_PORT_MASKED=1"] if config.masked else []
        made += [Compilation(tuple(flags), source) for source in sources]
    return made


@dataclasses.dataclass
class Gate:
    """Of one tree. What the originals compile to is made once."""

    tree: Tree
    originals: dict[Compilation, bytes | None] = dataclasses.field(default_factory=dict)
    texts: dict[Compilation, bytes] = dataclasses.field(default_factory=dict)

    def verdict(self, mutant: Mutant) -> str:
        """ "counts", "equal" or "does not compile"."""
        output = self.tree.own / "compared.o"
        wanted = compilations(mutant.file)
        for one in wanted:
            if mutant.file.endswith(".h") and self._reads_the_same(one, mutant):
                continue
            if one not in self.originals:
                self.tree.restore(mutant)
                self.originals[one] = one.object(self.tree.root, output)
                if self.originals[one] is None:
                    raise RuntimeError(f"{one.source} does not compile: {' '.join(one.command)}")
            self.tree.mutate(mutant)
            made = one.object(self.tree.root, output)
            if made is None:
                return "does not compile"
            if made != self.originals[one]:
                return "counts"
        return "equal"

    def _reads_the_same(self, one: Compilation, mutant: Mutant) -> bool:
        """Where a source does not use what is mutated in a header, it need not be compiled."""
        if one not in self.texts:
            self.tree.restore(mutant)
            self.texts[one] = one.text(self.tree.root)
        self.tree.mutate(mutant)
        return one.text(self.tree.root) == self.texts[one]
