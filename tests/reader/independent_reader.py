#!/usr/bin/env python3
"""Reads a repository without any of its own code, and proves every byte that it uses.

Written from docs/format/*.md alone, with the standard library and the PyPI packages `blake3` and
`zstandard`: if this script can read a repository, anybody can, for as long as the pages exist.

usage: independent_reader.py FOLDER           check journal, packs, and all that the refs reach
       independent_reader.py FOLDER REF PATH  write one file to standard output (REF: heads/main)
       independent_reader.py FOLDER REF -     list size, SHA-256 and path of every file
       independent_reader.py --pack FILE      check one pack and everything in it

FOLDER is a worktree, or the .provenance folder itself. Exit code 0: all is proved; 1: not.
"""

import hashlib
import json
import os
import struct
import sys

from commits import decode_commit
from journal import Journal
from packs import CHUNK_MAP, COMMIT, Packs
from records import Damaged, canonical, insist, record_id
from trees import Trees


class Repository:
    def __init__(self, folder):
        inner = os.path.join(folder, ".provenance")
        self.folder = inner if os.path.isdir(inner) else folder
        with open(os.path.join(self.folder, "format"), "rb") as file:
            insist(canonical(file.read(), 4096).get("provenance") == 1, "a newer program is needed")
        # A folder without files need not be there: what counts are the names of files.
        packs = os.path.join(self.folder, "pack")
        names = sorted(os.listdir(packs)) if os.path.isdir(packs) else []
        self.packs = Packs([(os.path.join(packs, name), True) for name in names])
        self.trees = Trees(self.packs)
        self.journal = Journal(self.folder, self.trees)

    def commit(self, name):
        return decode_commit(self.packs.get(name, [COMMIT]))

    def tree_of(self, ref):
        insist(ref in self.journal.refs, f"there is no ref {ref}")
        return record_id(self.commit(self.journal.refs[ref])["tree"])

    def file(self, ref, path):
        entry = next(
            (entry for found, entry in self.trees.walk(self.tree_of(ref)) if found == path), None
        )
        insist(entry is not None and entry[1] in (1, 2, 3), f"there is no file {path!r}")
        yield from self.pieces(entry)

    def pieces(self, entry):
        """Gives a file's content; what its entry says of it is checked before the last piece."""
        size, sha256, held = 0, hashlib.sha256(), b""
        for piece in self.packs.blob(entry[2]):
            yield held
            held = piece
            size += len(piece)
            sha256.update(piece)
        insist(
            size == entry[3] and entry[4] in (None, sha256.digest()),
            f"size or SHA-256 of {entry[0]!r}",
        )
        yield held

    def check(self):
        """Checks every commit that the refs reach, and every file of each."""
        commits, todo, files, seen = set(), list(self.journal.refs.values()), 0, set()
        while todo:
            name = todo.pop()
            if name in commits:
                continue
            commits.add(name)
            commit = self.commit(name)
            todo += map(record_id, commit["parents"])
            for _, entry in self.trees.walk(record_id(commit["tree"])):
                files += 1
                if entry[1:5] not in seen:
                    seen.add(entry[1:5])
                    for _ in self.pieces(entry):
                        pass
        return {
            "entries": len(self.journal.leaves),
            "root": self.journal.root.hex(),
            "packs": len(self.packs.packs),
            "commits": len(commits),
            "files": files,
            "contents": len(seen),
            "refs": {ref: at.hex() for ref, at in self.journal.refs.items()},
        }


def check_pack(path):
    packs = Packs([(path, False)])
    for name, kind in packs.packs[0].objects:
        packs.get_from(packs.packs[0], name, kind)
        if kind == CHUNK_MAP:
            list(packs.blob(name))
    return {"pack": packs.packs[0].name, "objects": len(packs.packs[0].objects)}


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "--pack":
        print(json.dumps(check_pack(arguments[1])))
    elif len(arguments) == 1:
        print(json.dumps(Repository(arguments[0]).check()))
    elif len(arguments) == 3 and arguments[2] == "-":
        repository = Repository(arguments[0])
        for path, entry in repository.trees.walk(repository.tree_of(arguments[1])):
            print(entry[3], entry[4].hex() if entry[4] else "-", os.fsdecode(path))
    elif len(arguments) == 3:
        for piece in Repository(arguments[0]).file(arguments[1], os.fsencode(arguments[2])):
            sys.stdout.buffer.write(piece)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (Damaged, OSError, struct.error, UnicodeError) as error:
        sys.exit(f"not proved: {error}")
