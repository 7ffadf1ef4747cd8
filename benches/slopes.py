#!/usr/bin/env python3
"""Measures what commands cost as trees and files grow: slopes, since points are of one machine only.

usage: slopes.py [--files N,N,…] [--gib N,N,…] [--scratch DIR]

Makes trees of N files of 200 bytes (1,000 in a directory), and files of N GiB of noise; records them,
looks, changes one file, and records that. Prints seconds, peak memory, and between one size and the
next the slope: 1 means that ten times as much takes ten times as long, 0 that it takes no longer.
Needs twice the largest size on the disk.
"""

import argparse
import math
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

BINARY = os.environ.get("PROVENANCE", Path(__file__).parents[1] / "target/release/provenance")
PER_DIRECTORY = 1_000
PIECE_BYTES = 16 << 20
LOOKS = 5


def run(folder, *words):
    """Runs the program once; gives seconds and peak memory in MiB."""
    os.sync()
    began = time.monotonic()
    child = subprocess.Popen([BINARY, *words], cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    taken_s = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"provenance {' '.join(words)} ended with {child.returncode}")
    return taken_s, usage.ru_maxrss / 1024


def start(folder):
    folder.mkdir(parents=True)
    run(folder, "init")
    run(folder, "config", "set", "user.name", "Bench")
    run(folder, "config", "set", "user.email", "bench@example.org")


def record(folder, message):
    """Stages everything and commits it; gives the seconds of both, and the larger memory."""
    staged, committed = run(folder, "add", "-A", "-q"), run(folder, "commit", "-q", "-m", message)
    return staged[0] + committed[0], max(staged[1], committed[1])


def measure(folder, change):
    """Records, looks, changes and records again; gives figures by operation."""
    figures = {"record": record(folder, "all")}
    time.sleep(0.1)  # so that no stamp is too young to be believed
    run(folder, "status")
    looks = [run(folder, "status") for _ in range(LOOKS)]
    figures["status"] = statistics.median(s for s, _ in looks), max(m for _, m in looks)
    change()
    figures["record one change"] = record(folder, "one change")
    return figures


def tree_of_files(folder, count):
    start(folder)
    for number in range(count):
        if number % PER_DIRECTORY == 0:
            directory = folder / f"data/{number // PER_DIRECTORY:05}"
            directory.mkdir(parents=True)
        with open(directory / f"{number:07}", "w") as file:
            file.write(f"{number:0200}")

    def change():
        with open(directory / "one more", "w") as file:
            file.write("one more")

    return measure(folder, change)


def large_file(folder, gib):
    start(folder)
    path = folder / "large.bin"
    with open(path, "wb") as file:
        for _ in range((gib << 30) // PIECE_BYTES):
            file.write(os.urandom(PIECE_BYTES))

    def change():
        with open(path, "r+b") as file:
            file.seek(path.stat().st_size // 2)
            file.write(b"one change")

    return measure(folder, change)


def slope(before, after):
    """Gives the exponent with which the seconds grow from one (size, seconds) to the next."""
    return math.log(after[1] / before[1]) / math.log(after[0] / before[0])


def table(what, unit, sizes, make, scratch):
    print(f"\n| {what} | operation | seconds | peak memory | slope |\n| --- | --- | --- | --- | --- |")
    before = {}
    for number in sizes:
        folder = Path(tempfile.mkdtemp(prefix="slopes-", dir=scratch))
        for operation, (taken_s, peak_mib) in make(folder / "tree", number).items():
            grown = before.get(operation)
            text = f"{slope(grown, (number, taken_s)):.2f}" if grown else ""
            shown = f"| {number:,}{unit} | {operation} | {taken_s:.3f} | {peak_mib:.0f} MiB | {text} |"
            print(shown, flush=True)
            before[operation] = number, taken_s
        shutil.rmtree(folder)


def main():
    def numbers(text):
        return [int(number) for number in text.split(",") if number]

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=numbers, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--gib", type=numbers, default=[1, 4, 16])
    parser.add_argument("--scratch", default=None)
    words = parser.parse_args()
    table("size", " GiB", words.gib, large_file, words.scratch)
    table("size", " files", words.files, tree_of_files, words.scratch)


if __name__ == "__main__":
    main()
