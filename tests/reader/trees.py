"""Directories as search trees: docs/format/tree.md."""

import re
import struct
import unicodedata
from functools import lru_cache

from blake3 import blake3

from packs import TREE
from records import insist

EMPTY_TREE = bytes.fromhex("93027240ab099263be56afec706cccc0bcf70e8603b89c7b2186e650659747f0")
# Default_Ignorable_Code_Point, DerivedCoreProperties.txt of Unicode.
IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
DISGUISED = re.compile(rb"(?:\.git|git~1|\.provenance|proven~[1-4])[. ]*(?:[:\\].*)?", re.I | re.S)


def is_name(name):
    if not 1 <= len(name) <= 1024 or name in (b".", b"..") or b"/" in name or b"\0" in name:
        return False
    shapes = [name]
    try:
        text = name.decode("utf-8")
        if not text.isascii():
            text = IGNORABLE.sub("", unicodedata.normalize("NFKC", IGNORABLE.sub("", text))).lower()
            shapes.append(text.encode("utf-8"))
    except UnicodeDecodeError:
        pass
    return not any(DISGUISED.fullmatch(shape) or is_short_name(shape) for shape in shapes)


def is_short_name(name):
    """The short names that NTFS gives `.provenance` after the fourth."""
    match = re.match(
        rb"(pr(?:5(?:b(?:44?)?)?)?)~([1-9][0-9]*)([. ]*(?:[:\\].*)?)$", name.lower(), re.S
    )
    return bool(match and len(match[1]) + 1 + len(match[2]) == 8)


class Cursor:
    def __init__(self, found):
        self.found, self.at = found, 0

    def take(self, length):
        insist(length <= len(self.found) - self.at, "a node is truncated")
        self.at += length
        return self.found[self.at - length : self.at]

    def u64(self):
        return struct.unpack("<Q", self.take(8))[0]


def decode_node(found):
    """Gives (level, items).

    An entry is (name, kind, id, bytes, sha256, files), a child
    (last name, id, entries, files, bytes).
    """
    cursor = Cursor(found)
    version, level = cursor.take(2)
    count = cursor.u64()
    insist(version == 1 and level <= 5 and count <= 8192, "the header of a node")
    items = []
    for _ in range(count):
        name = cursor.take(cursor.u64())
        insist(is_name(name) and (not items or items[-1][0] < name), f"the name {name!r} in a node")
        insist(not items or not is_cut(level, items[-1][0]), "a node goes on after its end")
        if level:
            items.append((name, cursor.take(32), cursor.u64(), cursor.u64(), cursor.u64()))
            insist(1 <= items[-1][2] <= (8192 if level == 1 else 1 << 64), "the entries of a child")
            insist(items[-1][3] or not items[-1][4], "the sums of a child")
            continue
        kind, target = cursor.take(1)[0], cursor.take(32)
        insist(1 <= kind <= 5, "the kind of an entry")
        files, size, sha256 = (0 if kind == 5 else 1), 0, None
        if kind in (1, 2):
            size, sha256 = cursor.u64(), cursor.take(32)
        elif kind == 3:
            size = cursor.u64()
        elif kind == 4:
            files, size = cursor.u64(), cursor.u64()
            insist(target != EMPTY_TREE and (files or not size), "an empty directory in a tree")
        items.append((name, kind, target, size, sha256, files))
    insist(cursor.at == len(found) and (items or not level), "the end of a node")
    sums = zip(*(item[2:] if level else (item[3], item[5]) for item in items))
    insist(all(sum(values) < 1 << 64 for values in sums), "the sums of a node")
    for child, name in zip(items[:-1] if level else [], [item[0] for item in items[1:]]):
        full = child[2] == 8192 if level == 1 else child[2] >= 8192
        insist(full or is_cut(level - 1, child[0]), "a child ends where it must not")
    return level, items


def is_cut(level, name):
    return level < 5 and struct.unpack("<Q", blake3(name).digest(8))[0] >> 10 * level & 0x3FF == 0


class Trees:
    def __init__(self, packs):
        self.packs = packs
        self.node = lru_cache(maxsize=4096)(self.node)

    def node(self, name):
        return (0, []) if name == EMPTY_TREE else decode_node(self.packs.get(name, [TREE]))

    def entries(self, root):
        """Gives the entries of one directory, after checking its shape."""
        level, items = self.node(root)
        insist(level == 0 or len(items) >= 2, "a root with one child")
        yield from self.below(root, level, None, True)

    def below(self, name, level, before, is_last):
        found, items = self.node(name)
        insist(found == level, "the level of a node")
        insist(items or name == EMPTY_TREE, "a node without items")
        insist(before is None or not items or before < (self.first(name)), "the order of nodes")
        insist(
            is_last or len(items) == 8192 or is_cut(level, items[-1][0]),
            "a node ends where it must not",
        )
        if level == 0:
            yield from items
            return
        for number, (last, child, entries, files, size) in enumerate(items):
            below = list(self.below(child, level - 1, before, is_last and number == len(items) - 1))
            insist(below[-1][0] == last and len(below) == entries, "what a node says of its child")
            insist(
                sum(e[5] for e in below) == files and sum(e[3] for e in below) == size,
                "the sums of a node",
            )
            yield from below
            before = last

    def first(self, name):
        level, items = self.node(name)
        return items[0][0] if level == 0 else self.first(items[0][1])

    def walk(self, root, path=b""):
        """Gives (path, entry) of all that is no directory, and checks the sums of directories."""
        for entry in self.entries(root):
            here = path + entry[0]
            if entry[1] != 4:
                yield here, entry
                continue
            files = size = 0
            for below in self.walk(entry[2], here + b"/"):
                files, size = files + below[1][5], size + below[1][3]
                yield below
            insist((files, size) == (entry[5], entry[3]), f"the sums of directory {here!r}")
