"""Entries, bundles, hash tiles: docs/format/journal.md; names of files: docs/format/layout.md."""

import hashlib
import json
import os
import re
import struct
import sys

from blake3 import blake3

from packs import unframe
from records import canonical, insist, is_line, is_time, matches, record_id
from trees import is_name

FIELDS = {
    "schema",
    "number",
    "transaction",
    "time",
    "actor",
    "command",
    "updates",
    "refs",
    "attestations",
    "previous",
}


def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def tree_hash(hashes):
    """RFC 6962, section 2.1, over hashes of leaves or of complete subtrees of one size."""
    if len(hashes) < 2:
        return hashes[0] if hashes else hashlib.sha256().digest()
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + tree_hash(hashes[:half]) + tree_hash(hashes[half:])).digest()


class Frontier:
    """The tree hash of all leaves so far, in O(log n) a leaf."""

    def __init__(self):
        self.peaks = []

    def add(self, leaf):
        size = 1
        while self.peaks and self.peaks[-1][0] == size:
            leaf, size = hashlib.sha256(b"\1" + self.peaks.pop()[1] + leaf).digest(), 2 * size
        self.peaks.append((size, leaf))

    def root(self):
        if not self.peaks:
            return hashlib.sha256().digest()
        root = self.peaks[-1][1]
        for _, peak in reversed(self.peaks[:-1]):
            root = hashlib.sha256(b"\1" + peak + root).digest()
        return root


def tile_path(index):
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03}")
    return "/".join(groups)


def decode_entry(found):
    """Checks all of an entry that does not depend on other entries."""
    entry = canonical(found, 65535)
    insist(
        set(entry) - {"unlisted"} == FIELDS and entry["schema"] == "provenance/transaction/v1",
        "the fields of an entry",
    )
    unlisted = entry.get("unlisted", 1)
    insist(type(unlisted) is int and unlisted > 0, "the count of unlisted refs")
    insist(type(entry["number"]) is int and entry["number"] >= 0, "the number of an entry")
    insist(matches("[0-9a-f]{32}", entry["transaction"]), "the transaction of an entry")
    insist(matches("[0-9a-f]{64}", entry["previous"]), "the tree hash in an entry")
    insist(
        (entry["number"] == 0) == (entry["previous"] == hashlib.sha256().hexdigest()),
        "what stands before entry 0",
    )
    insist(is_time(entry["time"]), "the time of an entry")
    actor = entry["actor"]
    insist(
        {"name", "email"} <= set(actor) <= {"name", "email", "host", "user"},
        "the actor of an entry",
    )
    insist(all(map(is_line, actor.values())) and actor["name"], "the actor of an entry")
    command = entry["command"]
    insist(isinstance(command, str) and len(command.encode()) <= 1024, "the command of an entry")
    record_id(entry["refs"]), record_id(entry["attestations"])
    for update in entry["updates"]:
        insist({"ref"} < set(update) <= {"ref", "old", "new"}, "the fields of an update")
        old, new = (record_id(update[side]) if side in update else None for side in ("old", "new"))
        insist(old != new and is_line(update["ref"]), "an update")
        insist(all(map(is_name, update["ref"].encode().split(b"/"))), "the ref of an update")
    refs = [update["ref"].encode() for update in entry["updates"]]
    insist(all(a < b for a, b in zip(refs, refs[1:])), "the order of updates")
    return entry


def check_of(entry):
    return blake3(entry).hexdigest().encode() + b"\n"


def decode_file(found):
    """Gives the entry in a file of its own."""
    entry, newline, check = found.partition(b"\n")
    insist(newline and check == check_of(entry), "the check of an entry")
    return entry


def is_torn(found):
    """Tells whether a file could be the beginning of an entry's file, or has a hole."""
    if found.endswith(b"\0") or b"\0\0" in found:
        return True
    entry, newline, check = found.partition(b"\n")
    try:
        _, end = json.JSONDecoder().raw_decode(entry.decode("utf-8", "replace"))
    except ValueError:
        return not newline
    is_whole_line = end == len(entry.decode("utf-8", "replace"))
    return is_whole_line and check != check_of(entry) and check_of(entry).startswith(check)


def decode_bundle(found):
    """Gives the 256 entries of a bundle."""
    content, at, entries = unframe(found, 16777472), 0, []
    for _ in range(256):
        insist(at + 2 <= len(content), "a bundle is truncated")
        (length,) = struct.unpack_from(">H", content, at)
        insist(at + 2 + length <= len(content), "a bundle is truncated")
        entries.append(content[at + 2 : at + 2 + length])
        at += 2 + length
    insist(at == len(content), "bytes after a bundle")
    return entries


class Journal:
    def __init__(self, folder, trees):
        self.folder, self.trees = os.path.join(folder, "journal"), trees
        self.leaves, self.refs, frontier = [], {}, Frontier()
        for count, found in enumerate(self.stored()):
            entry = decode_entry(found)
            self.check(entry, count, frontier.root().hex())
            self.leaves.append(leaf_hash(found))
            frontier.add(self.leaves[-1])
            self.newest = entry
        insist(self.leaves, "the journal is empty")
        self.root = frontier.root()
        self.check_tiles()

    def read(self, *path):
        try:
            with open(os.path.join(self.folder, *path), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def stored(self):
        """Gives the bytes of all entries in order: from bundles, then from files."""
        self.bundles = 0
        while (found := self.read("tile", "entries", tile_path(self.bundles) + ".zst")) is not None:
            yield from decode_bundle(found)
            self.bundles += 1
        names = os.listdir(os.path.join(self.folder, "entry"))
        numbers = sorted(int(name[:20]) for name in names if re.fullmatch(r"\d{20}\.json", name))
        bundled = 256 * self.bundles
        numbers = [number for number in numbers if number >= bundled]
        insist(numbers == list(range(bundled, bundled + len(numbers))), "a gap in the journal")
        for number in numbers:
            found = self.read("entry", f"{number:020}.json")
            if number == numbers[-1] and is_torn(found):
                print("the newest entry is torn and was never acknowledged", file=sys.stderr)
                return
            yield decode_file(found)

    def check(self, entry, count, previous):
        follows = entry["number"] == count and entry["previous"] == previous
        insist(follows, f"entry {count} does not follow the one before")
        self.trees.node(record_id(entry["attestations"]))
        refs = {}
        for path, (_, kind, target, *_) in self.trees.walk(record_id(entry["refs"])):
            insist(kind == 5, "something else than a commit in the tree of refs")
            refs[path.decode("utf-8")] = target
        expected = dict(self.refs)
        for update in entry["updates"]:
            old, new = (
                record_id(update[side]) if side in update else None for side in ("old", "new")
            )
            insist(
                self.refs.get(update["ref"]) == old,
                f"entry {count} moves a ref that stood elsewhere",
            )
            expected[update["ref"]] = new
        expected = {ref: at for ref, at in expected.items() if at}
        differ = [
            ref for ref in expected.keys() | refs.keys() if expected.get(ref) != refs.get(ref)
        ]
        insist(
            len(differ) == entry.get("unlisted", 0)
            and all(ref.startswith("runs/") for ref in differ),
            f"the refs after entry {count}",
        )
        self.refs = refs

    def check_tiles(self):
        """Every tile that the bundled entries fill is there, and holds what follows from them."""
        hashes, level = self.leaves[: 256 * self.bundles], 0
        while len(hashes) >= 256:
            tiles = [hashes[i : i + 256] for i in range(0, len(hashes) // 256 * 256, 256)]
            for index, tile in enumerate(tiles):
                insist(
                    self.read("tile", str(level), tile_path(index)) == b"".join(tile),
                    f"hash tile {level}/{index}",
                )
            hashes, level = [tree_hash(tile) for tile in tiles], level + 1
