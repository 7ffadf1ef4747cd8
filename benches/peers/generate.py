#!/usr/bin/env python3
"""Makes the workloads of the speed table; the same bytes every time. Needs numpy.

usage: generate.py [--data DIR] [--scale X] [W1 W2 W3 W4 W6 …]

  W1/base W1/b W1/c   one safetensors file of bf16 weights, 2.2 GB; b fine-tuned, c a tenth changed
  W2/base W2/b        200,000 JSON files of 1 to 16 KiB in three levels; b: 2 % of them changed
  W3/base W3/b        a CSV table of 1.1 GB; b: 1,000 rows inserted and 1,000 edited, scattered
  W4/base             5,000 incompressible files of 100 to 300 KiB
  W6/base W6/b        1,000,000 files of 200 bytes in one directory; b: one more
  (W5 is a history over the first 1,000 files of W2.)

Content is in the folder `data` of each. `b` and `c` are overlays: copied over the base, then what
`X.deleted` lists is removed. A scale other than 1 goes into DIR/scale-X. What is there stays.
"""

import argparse
import json
import os
import random
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

import text
import weights

PARTS = 16


def place_of(data, scale):
    """Gives the folder that holds the workloads of one scale."""
    return Path(data) if scale == 1 else Path(data) / f"scale-{scale:g}"


def folder(place, workload, state):
    made = place / workload / state / "data"
    made.mkdir(parents=True, exist_ok=True)
    return made


def make_w1(place, scale):
    for kind in ("base", "b", "c"):
        weights.write(folder(place, "W1", kind) / "model.safetensors", kind, scale)


def w2_path(number):
    """Spreads files over 40 folders of 50 folders."""
    return f"{number * 7 % 40:02x}/{number // 40 % 50:02x}/r{number:06d}.json"


def write_documents(base, seed, first, end):
    for number in range(first, end):
        path = base / w2_path(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.small_document(seed, number))


def make_w2(place, scale):
    count = max(200, int(200_000 * scale))
    base, sibling = folder(place, "W2", "base"), folder(place, "W2", "b")
    in_parts(write_documents, count, base, 20)
    changed, gone = count // 100, count // 200
    picked = random.Random(22).sample(range(count), changed + gone)
    for number in picked[:changed]:
        content = bytearray((base / w2_path(number)).read_bytes())
        middle = len(content) // 2
        content[middle:middle] = b" changed-%d " % number
        path = sibling / w2_path(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    write_documents(sibling, 21, count, count + gone)
    removed = (f"data/{w2_path(number)}\n" for number in picked[changed:])
    (place / "W2" / "b.deleted").write_text("".join(removed))


def write_rows(path, first, end):
    with open(f"{path}.{first:09d}", "w") as file:
        file.writelines(text.table_rows(first, end - first))


def make_w3(place, scale):
    rows = max(2_000, int(11_700_000 * scale))
    table = folder(place, "W3", "base") / "table.csv"
    parts = in_parts(write_rows, rows, table)
    with open(table, "wb") as whole:
        whole.write(b"id,time,split,score,delta,tokens,text\n")
        for first, _ in parts:
            part = Path(f"{table}.{first:09d}")
            with open(part, "rb") as file:
                shutil.copyfileobj(file, whole, 1 << 20)
            part.unlink()
    edits = max(2, round(1_000 * scale))
    picked = random.Random(33).sample(range(1, rows), 2 * edits)
    write_edited(table, folder(place, "W3", "b") / "table.csv", picked[:edits], picked[edits:])


def write_edited(table, sibling, inserted_before, edited):
    inserted_before, edited = set(inserted_before), set(edited)
    with open(table, "rb") as old, open(sibling, "wb") as new:
        for number, row in enumerate(old):
            if number in inserted_before:
                new.write(b"%d,2026-12-24T00:00:00,inserted,0.5,0.25,%d,a new row\n"
                          % (100_000_000 + number, number))
            new.write(row[:-4] + b"EDIT\n" if number in edited else row)


def make_w4(place, scale):
    base = folder(place, "W4", "base")
    rng = text.generator(40)
    for number in range(max(20, int(5_000 * scale))):
        content = rng.bytes(int(rng.integers(100 << 10, 300 << 10)))
        (base / f"image-{number:05d}.img").write_bytes(content)


def write_records(base, first, end):
    for number in range(first, end):
        (base / f"r{number:07d}.json").write_bytes(text.short_record(number, 200))


def make_w6(place, scale):
    count = max(1_000, int(1_000_000 * scale))
    in_parts(write_records, count, folder(place, "W6", "base"))
    write_records(folder(place, "W6", "b"), count, count + 1)


def in_parts(work, count, *arguments):
    """Calls `work(*arguments, first, end)` for parts of 0..count in parallel; gives the parts."""
    step = -(-count // PARTS)
    parts = [(first, min(count, first + step)) for first in range(0, count, step)]
    with ProcessPoolExecutor() as pool:
        for done in [pool.submit(work, *arguments, *part) for part in parts]:
            done.result()
    return parts


MAKERS = {"W1": make_w1, "W2": make_w2, "W3": make_w3, "W4": make_w4, "W6": make_w6}


def is_there(place, workload):
    return (place / f".{workload.lower()}.done").exists()


def generate(place, scale, workload):
    """Makes one workload unless it is there; a half-made one is removed first."""
    if is_there(place, workload):
        return
    print(f"making {workload} at scale {scale:g} in {place}", file=sys.stderr, flush=True)
    shutil.rmtree(place / workload, ignore_errors=True)
    MAKERS[workload](place, scale)
    made_by = {"scale": scale, "numpy": np.__version__}
    (place / f".{workload.lower()}.done").write_text(json.dumps(made_by) + "\n")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default=os.environ.get("BENCH_DATA", "target/bench-peers"))
    parser.add_argument("--scale", type=float, default=float(os.environ.get("BENCH_SCALE", 1)))
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", default=sorted(MAKERS))
    arguments = parser.parse_args()
    place = place_of(arguments.data, arguments.scale)
    place.mkdir(parents=True, exist_ok=True)
    for workload in arguments.workloads:
        if workload not in MAKERS:
            parser.error(f"no workload {workload}: there are {', '.join(sorted(MAKERS))}")
        generate(place, arguments.scale, workload)


if __name__ == "__main__":
    main()
