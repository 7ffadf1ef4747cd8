"""Puts trees aside instead of deleting them, and deletes them at the end or when room is needed.

After very many files were deleted, ext4 makes new ones up to a hundred times more slowly: for each
it passes over every inode that was deleted within a minute (six, while its block is not written)
and whose block of the inode table is in memory (`recently_deleted` in fs/ext4/ialloc.c). A round
that deletes would slow down its own next step, and the next round. So trees are renamed; should a
deletion be necessary before the end, the table is written and dropped, and the minute waited for.
"""

import os
import shutil
import time

import trees

FEW_FILES = 1000  # so few are deleted at once
SETTLE_S = 61  # RECENTCY_MIN in fs/ext4/ialloc.c, and one more
DROP = "/proc/sys/vm/drop_caches"


def put(folder, *paths):
    """Takes trees away: few files at once, many by a rename into `folder`."""
    for path in map(str, paths):
        if not os.path.lexists(path):
            continue
        if has_few_files(path):
            trees.remove(path)
            continue
        os.makedirs(folder, exist_ok=True)
        number = len(os.listdir(folder))
        os.rename(path, os.path.join(folder, str(number)))


def has_few_files(path):
    return all(count < FEW_FILES for count, _ in enumerate(trees.walk(path), 1))


def empty(folder):
    """Deletes what was put aside; tells whether there was anything, so that caches are cold now."""
    if not os.path.isdir(folder):
        return False
    trees.remove(folder)
    settle()
    return True


def settle():
    """Writes everything, drops the file system's blocks from memory if permitted, and waits."""
    os.sync()
    try:
        with open(DROP, "w") as switch:
            switch.write("1")
    except OSError:
        pass  # `can_drop` says so in the results
    time.sleep(SETTLE_S)


def can_drop():
    """Tells whether the system lets us drop caches: only root, and not in every container."""
    try:
        with open(DROP, "w"):
            return True
    except OSError:
        return False


def is_short_of(folder, needed_bytes):
    """Tells whether the disk has less room than that."""
    return shutil.disk_usage(folder).free < needed_bytes
