"""Scenes of the shipped core under GenMC (RC11, or IMM with --imm): another checker of weak
memory, by other people, that must come to what tests/weak comes to.

No package registry has GenMC; where none is on the PATH, --natively compiles each scene with gcc
and runs it once, on whatever schedule comes: which shows that a scene is sound, and no more.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import cores  # noqa: E402
from cores import corebuild  # noqa: E402

# One class of few blocks is played with, the others are as small as can be.
LEAN = corebuild.Config("lean", counts=(1,) * 5, diagnostics=False, owners=0)


def lean(blocks: int) -> corebuild.Config:
    return dataclasses.replace(LEAN, name=f"lean-{blocks}", counts=(blocks, 1, 1, 1, 1))


def rich(blocks: int) -> corebuild.Config:
    return dataclasses.replace(lean(blocks), name=f"rich-{blocks}", diagnostics=True, owners=1)


@dataclasses.dataclass(frozen=True)
class Scene:
    name: str
    config: corebuild.Config
    threads: tuple[str, ...]
    shared: bool = False  # a block is held before the threads begin
    won: int = 0  # gives of it that are obeyed
    free: tuple[int, ...] = ()  # blocks that are free, where not all are

    def header(self) -> str:
        free = len(self.free) or self.config.counts[0]
        lines = [f"#define STEPS_{i} {steps}" for i, steps in enumerate(self.threads)]
        lines += [f"#define THREADS {len(self.threads)}", f"#define FREE {free}"]
        lines += [f"#define SHARED {int(self.shared)}", f"#define WON {self.won}"]
        if self.free:
            lines.append(f"#define FREE_ONLY {', '.join(map(str, self.free))}")
        return "\n".join(lines) + "\n"


TURN_A, TURN_B, TURN_C = (f"TAKE({name}) GIVE({name})" for name in "abc")
SURE_A, SURE_B = (f"MUST({name}) GIVE({name})" for name in "ab")
MOST_TURNS = 200  # of a loop: more than any pool here has blocks
SUMMARY = lean(129)  # five leaves: there is a summary above them
SCENES = (
    Scene("two takes, two blocks", lean(2), ("MUST(a)", "MUST(b)")),
    Scene("take and give, one block", lean(1), (TURN_A, TURN_B)),
    Scene("take, give, take meets take and give", lean(2), (f"{SURE_A} MUST(c)", SURE_B)),
    Scene("give meets take", lean(1), ("GIVE_SHARED()", TURN_B), shared=True),
    Scene("double give", lean(1), ("RACE()", "RACE()"), shared=True, won=1),
    Scene("double give meets the next holder", lean(1), (f"RACE() {TURN_A}", "RACE()"), True, 1),
    Scene("double give meets two holders", lean(1), ("RACE() TAKE(a)", "RACE() TAKE(b)"), True, 1),
    Scene("three takes, two blocks", lean(2), ("TAKE(a)", "TAKE(b)", "TAKE(c)")),
    Scene("three take and give, two blocks", lean(2), (TURN_A, TURN_B, TURN_C)),
    Scene("summary: two leaves", SUMMARY, (SURE_A, SURE_B), free=(0, 128)),
    Scene("summary: one leaf", SUMMARY, ("GIVE_SHARED()", TURN_B), True, free=(0,)),
    Scene("summary: empties and fills", SUMMARY, ("GIVE_SHARED()", "MUST(b)"), True, free=(0, 1)),
    Scene("summary: emptied by two, filled", SUMMARY, (SURE_A, "MUST(b)"), free=(0, 1)),
    Scene("two leaves", lean(33), (SURE_A, SURE_B), free=(0, 32)),
    Scene("all on: take and give", rich(2), (SURE_A, SURE_B)),
    Scene("all on: statistics", rich(1), (TURN_A, "STATS()")),
    Scene(
        "all on: statistics, take, give", rich(2), ("MUST(a)", "GIVE_SHARED()", "STATS()"), True
    ),
)

# What needs more of a machine than the interpreter has.
LEFT_OUT = {"heap.c", "noinit.c", "grow.c", "trace.c", "poison.c"}
STATIC = re.compile(r"^static\b[^;=({\n]*?\b(\w+)(?: MEMPOOL_FAST)?(?:\(| =|;|\[)", re.MULTILINE)


def core_header() -> str:
    """Includes the core's sources one after another. A static name that an earlier one has,
    too, gets its file's name before it.
    """
    seen: set[str] = set()
    lines = []
    for path in cores.pools():
        if path.name in LEFT_OUT:
            continue
        names = set(STATIC.findall(re.sub(r"__attribute__\(\(\w+\)\) ?", "", path.read_text())))
        twice = sorted(names & seen)
        seen |= names
        lines += [f"#define {name} {path.stem}_{name}" for name in twice]
        lines += [f'#include "{path.name}"', *(f"#undef {name}" for name in twice)]
    return "\n".join(lines) + "\n"


def flags(scene: Scene) -> list[str]:
    folder = cores.OUTPUT / "genmc" / re.sub(r"\W+", "-", scene.name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scene.h").write_text(scene.header())
    (folder / "core.h").write_text(core_header())
    (folder / "sdkconfig.h").write_text(scene.config.header())
    return ["-w", "-std=gnu11", *(f"-I{path}" for path in (folder, HERE, *cores.POOLS_INCLUDES))]


def natively(scene: Scene) -> tuple[bool, str, str]:
    """-> whether it passed, its figures, and all that was said."""
    program = cores.OUTPUT / "genmc" / "scene"
    compiler = ["gcc", "-O1", *flags(scene), str(HERE / "harness.c"), "-o", str(program)]
    for command in ([*compiler, "-pthread"], [str(program)]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if done.returncode:
            return False, "", done.stdout + done.stderr
    return True, "1 schedule", ""


def genmc(scene: Scene, model: str, timeout_s: int) -> tuple[bool, str, str]:
    command = ["genmc", model, "--disable-mm-detector", "--disable-estimation"]
    command += [f"--unroll={MOST_TURNS}", "--"]
    # The interpreter's compiler does not say it, and has it.
    command += [*flags(scene), str(HERE / "harness.c")]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)
    except subprocess.TimeoutExpired:
        return False, f"not done after {timeout_s} s", ""
    output = done.stdout + done.stderr
    explored = re.search(r"complete executions explored: (\d+)", output)
    executions = int(explored[1]) if explored else 0
    # A loop that has more turns ends an execution as if nothing came after it.
    good = "No errors were detected" in output and executions > 1
    return good, f"{executions} executions", output


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--natively", action="store_true", help="with gcc, once")
    parser.add_argument("--imm", action="store_true", help="the model IMM in place of RC11")
    parser.add_argument("--only", default="", metavar="WORD", help="scenes whose name has it")
    parser.add_argument("--timeout", type=int, default=600, metavar="SECONDS", help="a scene")
    args = parser.parse_args(argv)
    scenes = [scene for scene in SCENES if args.only in scene.name]
    if not scenes:
        print(f"genmc: no scene's name has {args.only!r}")
        return 2
    if not args.natively and shutil.which("genmc") is None:
        print("genmc: there is no genmc on the PATH; --natively runs the scenes without it")
        return 2
    failed = 0
    for scene in scenes:
        start = time.monotonic()
        if args.natively:
            good, figures, output = natively(scene)
        else:
            good, figures, output = genmc(scene, "--imm" if args.imm else "--rc11", args.timeout)
        failed += not good
        seconds = time.monotonic() - start
        print(f"{'ok' if good else 'FAIL':>8}  {scene.name:<40} {seconds:6.1f} s  {figures}")
        sys.stdout.flush()
        if not good:
            print(output[:4000])
    print(f"{len(scenes) - failed} of {len(scenes)} scenes passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
