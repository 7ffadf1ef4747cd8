#!/usr/bin/env python3
"""Measures importing very many runs, and asking for some of them.

usage: runs.py [--runs N] [--scratch DIR]

Writes a stream of N runs (1,000,000 unless said otherwise), imports it, imports it again, asks with
and without the index, adds one run and asks again, lists, exports, and imports what was exported.
Prints seconds, peak memory in MiB, and where it says something how many runs a second. Needs
2 KB of disk for each run.
"""

import argparse
import json
import random
import shutil
import tempfile
from pathlib import Path

from measured import head, index_bytes, often, run, tell

BEST = ["runs", "--where", "metrics.accuracy > 0.9 and params.lr <= 1e-4"]
BEST += ["--sort", "-metrics.accuracy", "-n", "20"]


def stream(path, count):
    chance = random.Random(5)
    optimizers = ["adam", "sgd", "adamw", "lion"]
    with open(path, "w") as out:
        out.write('{"schema":"provenance/exchange/v1"}\n')
        for number in range(count):
            at = 1_700_000_000_000 + number * 1000
            params = {
                "lr": round(10 ** chance.uniform(-6, -1), 8),
                "batch": chance.choice([16, 32, 64]),
                "optimizer": chance.choice(optimizers),
                "seed": number,
                "model": {"layers": chance.randint(2, 48), "dropout": round(chance.random(), 3)},
            }
            metrics = {name: round(chance.random(), 6) for name in ("accuracy", "loss", "f1")}
            of_run = {"name": f"sweep-{number:07}", "command": ["python", "train.py", str(number)]}
            of_run |= {"started": at, "ended": at + 900, "exit_code": 0 if number % 50 else 1}
            of_run |= {"params": params, "metrics": metrics}
            record = {"author": {"name": "Bench", "email": "bench@example.org"}, "run": of_run}
            record["system"] = {"host": f"node-{number % 64}"}
            out.write(json.dumps({"record": record}) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--scratch")
    args = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(dir=args.scratch))
    try:
        lines, out, folder, copy = (scratch / name for name in ("in", "out", "one", "two"))
        stream(lines, args.runs)
        for each in (folder, copy):
            each.mkdir()
            run(each, "init")
        print(f"{args.runs:,} runs, {lines.stat().st_size / args.runs:.0f} bytes a line\n")
        head()
        tell("import", run(folder, "import", "--jsonl", lines), args.runs)
        tell("the same again", run(folder, "import", "--jsonl", lines), args.runs)
        tell("`runs --where --sort -n 20`, no index yet", run(folder, *BEST), args.runs)
        tell("the same, index there", often(folder, *BEST))
        tell("`runs -n 20`, the latest", often(folder, "runs", "-n", "20"))
        tell("`run -- true`", often(folder, "run", "--no-advance", "--", "true"))
        run(folder, *BEST)
        run(folder, "run", "--no-advance", "--", "true")
        tell("`runs --where --sort -n 20` after one more run", run(folder, *BEST))
        tell("`tag -f x sweep-0000000`", run(folder, "tag", "-f", "x", "sweep-0000000"))
        tell("`log -n 20 sweep-0000000`", run(folder, "log", "-n", "20", "sweep-0000000"))
        tell("`log --all -n 20`, no commit graph yet", run(folder, "log", "--all", "-n", "20"))
        tell("the same, commit graph there", run(folder, "log", "--all", "-n", "20"))
        with open(out, "wb") as to:
            tell("export", run(folder, "export", "--jsonl", "--all", to=to), args.runs)
        tell("import of the export", run(copy, "import", "--jsonl", out), args.runs)
        tell("fsck", run(folder, "fsck"))
        packs = sum(file.stat().st_size for file in (folder / ".provenance/pack").iterdir())
        index = index_bytes(folder, "runs-index")
        print(f"\npacks {packs / args.runs:.0f} bytes a run, index {index / args.runs:.0f}")
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
