"""Install the Debian packages that a task needs and this machine lacks; name them first.

    packages.py build cm3        # exits 0 where everything is there

Without root it installs nothing and says which command to run.
"""

import os
import shutil
import subprocess
import sys

# task: (package, what shows that it is there). A probe is a command's name, a list that prints a
# path that exists, or a Python module.
TASKS = {
    "build": [
        ("gcc", "gcc"),
        ("libc6-dev", ["gcc", "-print-file-name=crt1.o"]),
        ("make", "make"),
        ("python3-venv", "ensurepip"),
    ],
    "unix": [],
    "unix32": [
        ("gcc-multilib", ["gcc", "-m32", "-print-file-name=crt1.o"]),
        ("gcc-multilib", ["gcc", "-m32", "-print-file-name=libgcc.a"]),
    ],
    "cm3": [
        ("gcc-arm-none-eabi", "arm-none-eabi-gcc"),
        ("libnewlib-arm-none-eabi", ["arm-none-eabi-gcc", "-print-file-name=libc.a"]),
        ("qemu-system-arm", "qemu-system-arm"),
    ],
    "rv32": [
        ("gcc-riscv64-unknown-elf", "riscv64-unknown-elf-gcc"),
        (
            "picolibc-riscv64-unknown-elf",
            ["riscv64-unknown-elf-gcc", "-print-file-name=picolibc.specs"],
        ),
        ("qemu-system-misc", "qemu-system-riscv32"),
    ],
    # The host tests: C++, 32-bit C++, formatting, the CMake entry that ESP32 will use, and a
    # broker, which lies where a user's PATH may not lead.
    "test": [
        ("g++", "g++"),
        ("g++-multilib", ["g++", "-m32", "-print-file-name=libstdc++.a"]),
        ("clang-format", "clang-format"),
        ("cmake", "cmake"),
        ("mosquitto", ["sh", "-c", "PATH=$PATH:/usr/sbin command -v mosquitto"]),
        # What tests/proof looks at the C with: 10 MB to fetch, 12 seconds.
        ("cppcheck", "cppcheck"),
        ("clang-tidy", "clang-tidy"),
    ],
    # make proof, beside what tests need: 206 MB to fetch, 900 MB on the disk.
    "proof": [
        ("frama-c-base", "frama-c"),
    ],
    # Work for the processors beside the tests: make test LOAD=8.
    "load": [
        ("stress-ng", "stress-ng"),
    ],
    # A browser without a screen, for the live view's page: 95 MB to fetch, half a minute.
    "browser": [
        ("chromium-headless-shell", "chromium-headless-shell"),
    ],
}


def present(probe):
    if isinstance(probe, list):
        if shutil.which(probe[0]) is None:
            return False
        path = subprocess.run(probe, capture_output=True, text=True).stdout.strip()
        # gcc prints the bare name where it found nothing.
        return os.path.isabs(path) and os.path.exists(path)
    if probe == "ensurepip":
        return subprocess.run([sys.executable, "-c", "import ensurepip"]).returncode == 0
    return shutil.which(probe) is not None


def missing(tasks):
    """Packages of the tasks that are not here, in order, each once."""
    wanted = [entry for task in tasks for entry in TASKS[task]]
    return list(dict.fromkeys(package for package, probe in wanted if not present(probe)))


def install(packages):
    quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    # Another installation may be under way: wait for its end, up to five minutes.
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
    command = [*apt, "install", "--yes", "--no-install-recommends", *packages]
    print(f"packages: installing {' '.join(packages)} with apt", flush=True)
    for step in ([*apt, "update"], command):
        done = subprocess.run(step, env=quiet, capture_output=True, text=True)
        if done.returncode:
            return f"{' '.join(step)} failed:\n{done.stdout}{done.stderr}"
    return None


def main(tasks):
    unknown = [task for task in tasks if task not in TASKS]
    if unknown:
        return f"packages: no task {unknown[0]!r}; tasks: {' '.join(TASKS)}"
    packages = missing(tasks)
    if not packages:
        return 0
    if shutil.which("apt-get") is None:
        return f"packages: this needs {' '.join(packages)} (Debian's names); install them"
    if os.geteuid() != 0:
        return f"packages: missing; run: sudo apt-get install {' '.join(packages)}"
    problem = install(packages)
    if problem:
        return f"packages: {problem}"
    still = missing(tasks)
    return f"packages: installed, but not found: {' '.join(still)}" if still else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
