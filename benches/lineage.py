#!/usr/bin/env python3
"""Measures lineage, impact and history over very many runs.

usage: lineage.py [--runs N] [--scratch DIR]

Imports a history of N runs (1,000,000 unless said otherwise) on one branch: of each thousand, one
prepares data that 999 trainings read, each with a model of its own. Asks what is affected by a raw
file that reaches 999 models, where a model came from, one hop of that, and the last 20 runs;
without the caches, with them, and after one run more. Prints seconds and peak memory in MiB. Needs
2 KB of disk for each run.
"""

import argparse
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

BINARY = os.environ.get("PROVENANCE", Path(__file__).parents[1] / "target/release/provenance")
ASKS = 7
GROUP = 1000


def run(folder, *words, ends=(0,)):
    """Runs the program once; gives seconds and peak memory in MiB."""
    began = time.monotonic()
    child = subprocess.Popen([BINARY, "-q", *words], cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    taken_s = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in ends:
        raise SystemExit(f"provenance {' '.join(map(str, words))} ended with {child.returncode}")
    return taken_s, usage.ru_maxrss / 1024


def often(folder, *words, ends=(0,)):
    """Runs it several times; gives the median of the seconds, and the largest memory."""
    runs = [run(folder, *words, ends=ends) for _ in range(ASKS)]
    return statistics.median(seconds for seconds, _ in runs), max(memory for _, memory in runs)


def tell(what, figures):
    seconds, memory = figures
    print(f"| {what} | {seconds:.3f} s | {memory:.0f} MiB |", flush=True)


def id_of(*words):
    """Makes an id; what is named by it is not stored."""
    return "blake3:" + hashlib.sha256(" ".join(map(str, words)).encode()).hexdigest()


def stream(path, count):
    with open(path, "w") as out:
        out.write('{"schema":"provenance/exchange/v1"}\n')
        before = []
        for number in range(count):
            group, place = divmod(number, GROUP)
            data = {"path": "data", "id": id_of("data", group), "bytes": 1 << 30, "files": 1}
            if place == 0:
                name = f"prepare-{group}"
                raw = {"path": "raw.csv", "id": id_of("raw", group), "bytes": 1 << 30}
                reads, makes = [raw], [data]
            else:
                name = f"train-{number}"
                config = {"path": "config.toml", "id": id_of("config", number), "bytes": 100}
                model = {"path": "model.bin", "id": id_of("model", number), "bytes": 1 << 30}
                reads, makes = [data, config], [model | {"kind": "model"}]
            at = 1_700_000_000_000 + number * 1000
            of_run = {"name": name, "command": ["python", "train.py"], "started": at}
            of_run |= {"ended": at + 900, "exit_code": 0, "params": {"seed": number}}
            of_run |= {"metrics": {"loss": 1 / (1 + number)}, "inputs": reads, "outputs": makes}
            record = {"author": {"name": "Bench", "email": "bench@example.org"}, "run": of_run}
            out.write(json.dumps({"record": record | {"parents": before}}) + "\n")
            before = [name]
        out.write(json.dumps({"ref": "heads/main", "commit": before[0]}) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--scratch")
    args = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(dir=args.scratch))
    try:
        lines, folder = scratch / "in", scratch / "one"
        stream(lines, args.runs)
        folder.mkdir()
        run(folder, "init")
        raw, model = id_of("raw", 1), id_of("model", args.runs // 2 + 1)
        print(f"{args.runs:,} runs\n")
        print("| what | time | peak memory |\n| --- | --- | --- |")
        tell("import", run(folder, "import", "--jsonl", lines))
        tell("`impact RAW` (999 models), no caches yet", run(folder, "impact", raw, ends=[1]))
        tell("the same, caches there", often(folder, "impact", raw, ends=[1]))
        tell("`lineage MODEL`", often(folder, "lineage", model))
        tell("`lineage --depth 1 MODEL`", often(folder, "lineage", "--depth", "1", model))
        tell("`log -n 20`", often(folder, "log", "-n", "20", "main"))
        more = ("run", "--no-advance", "-i", "new", "-o", "made", "--", "cp", "new", "made")
        steps = []
        for number in range(ASKS):
            (folder / "new").write_text(f"{number}\n")
            run(folder, *more)
            steps.append(run(folder, "lineage", "--depth", "1", model))
        seconds = statistics.median(seconds for seconds, _ in steps)
        tell("`lineage --depth 1 MODEL` after one run more", (seconds, max(m for _, m in steps)))
        cache = (folder / ".provenance/cache").glob("lineage-index*")
        index = sum(file.stat().st_size for file in cache)
        print(f"\nindex {index / args.runs:.0f} bytes a run")
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
