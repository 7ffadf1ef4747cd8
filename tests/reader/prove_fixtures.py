#!/usr/bin/env python3
"""Holds the pages against the fixtures: golden bytes are read, each malformed file is refused.

usage: prove_fixtures.py FIXTURES
"""

import os
import struct
import sys

from blake3 import blake3

from commits import decode_commit
from independent_reader import check_pack
from journal import decode_bundle, decode_entry, decode_file
from packs import decode_list, decode_map
from records import Damaged, canonical, insist
from tables import decode_overlaps, decode_profile
from trees import decode_node


def read_chunk(name, found):
    if "list" in name and "map" not in name:
        decode_list(found)
    else:
        decode_map(found, blake3(b"the blob").digest())


def read_journal(name, found):
    if name.startswith("entry"):
        decode_entry(found)
    elif name.startswith("file"):
        decode_entry(decode_file(found))
    elif name.startswith(("bundle", "frame")):
        for entry in decode_bundle(found):
            insist(entry.startswith(b"{") and entry.endswith(b"}"), "an entry of a bundle")
    else:
        insist(len(found) == 256 * 32, "the length of a hash tile")


READERS = {
    "chunk": read_chunk,
    "commit": lambda name, found: decode_commit(found),
    "journal": read_journal,
    "json": lambda name, found: canonical(found, 1 << 20),
    "overlaps": lambda name, found: decode_overlaps(found),
    "pack": lambda name, found: check_pack(os.path.join(folder, name)),
    "profile": lambda name, found: decode_profile(found),
    "tree": lambda name, found: decode_node(found),
}
# What is no file of the format, but goes with one.
BESIDE = (".txt", ".id", ".written", ".b3sum", "rows.zst", "rows-edited-after-rows.zst", "root")

if __name__ == "__main__":
    surprises, counts = [], [0, 0]
    for malformed, top in enumerate(("format/v1", "malformed")):
        for noun, read in READERS.items():
            folder = os.path.join(sys.argv[1], top, noun)
            for name in sorted(os.listdir(folder)):
                if name.endswith(BESIDE):
                    continue
                counts[malformed] += 1
                try:
                    with open(os.path.join(folder, name), "rb") as file:
                        read(name, file.read())
                    if malformed:
                        surprises.append(f"{top}/{noun}/{name} was accepted")
                except (Damaged, struct.error) as error:
                    if not malformed:
                        surprises.append(f"{top}/{noun}/{name} was refused: {error}")
    print(
        *surprises,
        f"{counts[0]} golden files, {counts[1]} malformed ones, {len(surprises)} surprises",
        sep="\n",
    )
    sys.exit(bool(surprises))
