"""Trees of files: what they take, reading them all, removing them, comparing two of them.

usage: trees.py EXPECTED ACTUAL     (status 1 and the first difference if they are not the same)
"""

import os
import shutil
import stat
import subprocess
import sys

PIECE_BYTES = 1 << 20


def disk_usage(paths):
    """Sums what files and trees take, each link once.

    Gives `stored_bytes` on the disk with folders, `apparent_bytes` and `stored_files` without.
    """
    allocated = apparent = files = 0
    linked = set()
    for about in (about for path in paths for about in _stats(path)):
        is_folder = stat.S_ISDIR(about.st_mode)
        if about.st_nlink > 1 and not is_folder:
            if about.st_ino in linked:
                continue
            linked.add(about.st_ino)
        allocated += about.st_blocks * 512
        if not is_folder:
            apparent += about.st_size
            files += 1
    return {"stored_bytes": allocated, "apparent_bytes": apparent, "stored_files": files}


def _stats(path):
    if os.path.lexists(path):
        yield os.lstat(path)
    for entry in walk(path):
        yield entry.stat(follow_symlinks=False)


def walk(root):
    """Yields every entry below a folder, one at a time: a folder may hold a million."""
    if not os.path.isdir(root):
        return
    with os.scandir(root) as entries:
        for entry in entries:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                yield from walk(entry.path)


def files_under(root):
    """Yields the path of everything below a folder that is not a folder."""
    return (entry.path for entry in walk(root) if not entry.is_dir(follow_symlinks=False))


def first_file(root):
    """Finds a file by taking the first name, folder by folder."""
    while os.path.isdir(root):
        with os.scandir(root) as entries:
            root = min(entry.path for entry in entries)
    return root


def warm(*paths):
    """Reads every file, so that all of them are in the page cache."""
    there = [str(path) for path in paths if os.path.exists(path)]
    if there:
        script = 'find "$@" -type f -print0 | xargs -0 -r cat >/dev/null'
        subprocess.run(["sh", "-c", script, "sh", *there], check=True)


def remove(*paths):
    """Removes trees, read-only ones too."""
    for path in map(str, paths):
        if os.path.isdir(path) and not os.path.islink(path):
            subprocess.run(["chmod", "-R", "u+rwX", path], check=False)
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)


def copy(source, target, over=False):
    """Copies a tree; `over` another one, replacing files and not writing into them."""
    how = ["--remove-destination"] if over else []
    subprocess.run(["cp", "-r", *how, str(source), str(target)], check=True)


def overlay(sibling, work):
    """Brings a worktree from the base to a sibling; touches only what differs."""
    copy(os.path.join(sibling, "data"), work, over=True)
    if os.path.exists(f"{sibling}.deleted"):
        with open(f"{sibling}.deleted") as names:
            for name in names:
                path = os.path.join(work, name.rstrip("\n"))
                os.unlink(path)
                if not os.listdir(os.path.dirname(path)):
                    os.rmdir(os.path.dirname(path))  # nobody records empty folders


def difference(expected, actual):
    """Finds the first difference of two trees byte for byte, in a process of its own."""
    words = [sys.executable, os.path.abspath(__file__), str(expected), str(actual)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
    return (done.stdout.strip() or f"status {done.returncode}") if done.returncode else None


def _first_difference(expected, actual):
    wanted, got = _files(expected), _files(actual)
    if wanted.keys() != got.keys():
        return f"other names, one of them {min(wanted.keys() ^ got.keys())}"
    for name, path in wanted.items():
        if (os.lstat(path).st_mode ^ os.lstat(got[name]).st_mode) & 0o100:
            return f"other mode of {name}"
        if not _is_same(path, got[name]):
            return f"other bytes in {name}"
    return None


def _files(root):
    return {os.path.relpath(path, root): path for path in files_under(root)}


def _is_same(left, right):
    if os.path.getsize(left) != os.path.getsize(right):
        return False
    with open(left, "rb", buffering=0) as one, open(right, "rb", buffering=0) as other:
        while True:
            piece = one.read(PIECE_BYTES)
            if piece != other.read(PIECE_BYTES):
                return False
            if not piece:
                return True


if __name__ == "__main__":
    found = _first_difference(sys.argv[1], sys.argv[2])
    if found:
        print(found)
        sys.exit(1)
