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
import shutil
import tempfile
from pathlib import Path

from measured import ASKS, head, index_bytes, middle, often, run, tell

GROUP = 1000


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
        head()
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
        tell("`lineage --depth 1 MODEL` after one run more", middle(steps))
        index = index_bytes(folder, "lineage-index")
        print(f"\nindex {index / args.runs:.0f} bytes a run")
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
