"""Runs the program and measures it: shared by the scripts that ask about very many runs."""

import os
import statistics
import subprocess
import time
from pathlib import Path

BINARY = os.environ.get("PROVENANCE", Path(__file__).parents[1] / "target/release/provenance")
ASKS = 7


def run(folder, *words, ends=(0,), to=subprocess.DEVNULL):
    """Runs it once; gives seconds and peak memory in MiB. Any exit code but `ends` is an error."""
    began = time.monotonic()
    child = subprocess.Popen([BINARY, "-q", *words], cwd=folder, stdout=to)
    _, status, usage = os.wait4(child.pid, 0)
    taken_s = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in ends:
        raise SystemExit(f"provenance {' '.join(map(str, words))} ended with {child.returncode}")
    return taken_s, usage.ru_maxrss / 1024


def middle(figures):
    """Gives the median of the seconds, and the largest memory."""
    seconds = statistics.median(seconds for seconds, _ in figures)
    return seconds, max(memory for _, memory in figures)


def often(folder, *words, ends=(0,)):
    """Runs it several times; gives what is in the middle."""
    return middle([run(folder, *words, ends=ends) for _ in range(ASKS)])


def head():
    """Prints the head of a table of figures."""
    print("| what | time | peak memory | |\n| --- | --- | --- | --- |")


def tell(what, figures, runs=None):
    """Prints a row; with a number of runs, how many there were in a second."""
    seconds, memory = figures
    rate = f"{runs / seconds:,.0f} runs/s" if runs else ""
    print(f"| {what} | {seconds:.3f} s | {memory:.0f} MiB | {rate} |", flush=True)


def index_bytes(folder, name):
    """Counts the bytes of an index in the cache."""
    files = (Path(folder) / ".provenance/cache").glob(f"{name}*")
    return sum(file.stat().st_size for file in files)
