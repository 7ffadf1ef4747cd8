#!/usr/bin/env python3
"""Prints the speed table in Markdown from the results of run.py.

usage: report.py [--any-binary] [RESULTS]     (default: those that run.py would append to)
"""

import argparse
import statistics
from pathlib import Path

import aims
import settings as choices
from aims import PEERS, US
from figures import Figures, megabytes, ratio, seconds, spread

OPERATIONS = {
    "record": "record",
    "status_clean": "status, nothing changed",
    "status_one": "status, one byte changed",
    "record_b": "record the sibling b",
    "record_c": "record the sibling c",
    "verify": "verify all",
    "restore": "restore",
    "restore_last": "restore the last sibling",
    "version": "`--version`",
}
BYTES = {
    "record": ("stored_bytes", "stored after recording"),
    "record_b": ("added_bytes", "added by the sibling b"),
    "record_c": ("added_bytes", "added by the sibling c"),
}
LIMITS = {
    "cp": "`cp -r` + sync",
    "tar": "`tar` to one file + sync",
    "tar_zstd": "`tar \\| zstd -3`, all cores",
    "find": "`find` + lstat, one thread",
    "hash": "BLAKE3 of the file, all cores",
    "cp_back": "`cp -r`, not synced",
    "hash_raw_and_stored": "BLAKE3 of raw and stored bytes, all cores",
    "hash_twice_b": "BLAKE3, then SHA-256, of what b changed",
    "hash_twice_c": "BLAKE3, then SHA-256, of what c changed",
}
WORKLOADS = ("W1", "W2", "W3", "W4", "W6", "start")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--any-binary", action="store_true", help="also what older builds took")
    parser.add_argument("results", nargs="?", type=Path)
    arguments = parser.parse_args()
    figures = Figures(arguments.results or choices.load().results, arguments.any_binary)
    peers = [peer for peer in PEERS if figures.about["versions"].get(peer)]
    for part in (about, aims_table, limits_table):
        print(*part(figures), "", sep="\n")
    print(*times_table(figures, peers), "", sep="\n")
    print(*bytes_table(figures, peers), "", sep="\n")
    print(*history_table(figures, peers), "", sep="\n")
    print(*memory_table(figures, peers), "", sep="\n")
    print(*notes(figures), sep="\n")


def table(header, rows):
    yield "| " + " | ".join(header) + " |"
    yield "| --- " * len(header) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def about(figures):
    machine, versions = figures.about["machine"], figures.about["versions"]
    yield f"{machine['date']}, {machine['system']}, Linux {machine['kernel']}, {machine['cpu']},"
    yield f"{machine['cores']} cores, {machine['memory_gib']} GiB, {machine['file_system']};"
    yield f"scale {figures.about['scale']:g}. Page cache warm, `sync` before each command."
    yield "Median (least–greatest). Every ratio is taken within one round. Recording and copying"
    yield "include the `sync` after them. Restored trees were compared byte for byte: "
    yield f"{compared(figures)}."
    if not machine.get("drops_caches", True):
        yield "Caches could not be dropped: on ext4, files that were made within six minutes of many"
        yield "that were deleted may have taken much longer."
    yield ""
    for name, version in versions.items():
        yield f"- {name}: {version or 'not installed, left out'}"


def compared(figures):
    """Says how many restored trees were the same as what was recorded."""
    same = sum(len(lines) for key, lines in figures.by_key.items() if is_restored(key[3], key[4]))
    other = sum(is_restored(line.get("side"), line["op"]) for line in figures.notes)
    return f"{same} were the same, {other} failed"


def is_restored(side, op):
    return side not in (None, "limits") and op.startswith("restore")


def aims_table(figures):
    words = {True: "met", False: "**not met**", None: "not measured"}
    yield "### Aims"
    yield ""
    rows = ((what, bound, found, words[met]) for what, bound, found, met in aims.rows(figures))
    rows = list(rows)
    yield from table(("provenance", "aim", "measured", ""), rows)
    yield ""
    counts = (sum(row[3] == word for row in rows) for word in words.values())
    yield "{} met, {} not met, {} not measured.".format(*counts)


def limits_table(figures):
    yield "### Limits of the machine"
    yield ""
    rows = []
    for workload in WORKLOADS:
        for op, what in LIMITS.items():
            found = figures.all(workload, "limits", op)
            if found:
                rows.append((workload, what, spread(found, seconds)))
    yield from table(("", "limit", "time"), rows)


def times_table(figures, peers):
    yield "### Times, and in each peer's column provenance ÷ that peer"
    yield ""
    rows = []
    for workload in WORKLOADS:
        for op, what in OPERATIONS.items():
            own = figures.all(workload, US, op)
            if own and (workload, op) != ("start", "record"):
                cells = [versus(figures, workload, op, peer, "seconds", seconds) for peer in peers]
                rows.append((workload, what, spread(own, seconds), *cells))
    yield from table(("", "", US, *peers), rows)
    yield ""
    yield "restic and borg have no `status`: `backup --dry-run` and one more `create` stand in."


def bytes_table(figures, peers):
    yield "### Bytes on the disk, and provenance ÷ peer"
    yield ""
    rows = []
    for workload in WORKLOADS[:-1]:
        for op, (field, what) in BYTES.items():
            own = figures.all(workload, US, op, field)
            if own:
                cells = [versus(figures, workload, op, peer, field, megabytes) for peer in peers]
                rows.append((workload, what, spread(own, megabytes), *cells))
    yield from table(("", "", US, *peers), rows)


def versus(figures, workload, op, peer, field, show):
    """Writes a peer's figure and our ratio to it, or why there is none."""
    theirs = figures.all(workload, peer, op, field)
    found = figures.ratios(workload, peer, ((US, op, field),), ((peer, op, field),))
    if found:
        return f"{show(statistics.median(theirs))}; **{spread(found, ratio)}**"
    failed = [
        line for line in figures.notes
        if (line["workload"], line["partner"]) == (workload, peer)
        and line["op"] in (op, "left out", "record")
    ]
    return "see notes" if failed else "–"


def history_table(figures, peers):
    yield "### W5: one commit after another, in turn with the peer"
    yield ""
    rows = []
    for peer in (*peers, "limits"):
        for side in (US, peer):
            for line in figures.by_key.get(("W5", peer, 0, side, "commit"), []):
                rows.append(history_row(line, f"{side}, beside {peer}" if side == US else side))
    header = ("", "commits", "a commit", "first", "last", "sync after", "stored", "after gc")
    yield from table(header, rows)


def history_row(line, name):
    first, last = aims.ends(line["walls_s"])
    after = line.get("collected_bytes")
    return (
        name,
        str(line["commits"]),
        spread(aims.middle_half(line["walls_s"]), seconds),
        seconds(statistics.median(first)),
        seconds(statistics.median(last)),
        seconds(statistics.median(line["syncs_s"])),
        megabytes(line["stored_bytes"]),
        megabytes(after) if after else "–",
    )


def memory_table(figures, peers):
    yield "### Peak memory of the largest process, MiB"
    yield ""
    yield "A child never reads less than the measuring process, about 20 MiB."
    yield ""
    rows = []
    for workload in (*WORKLOADS, "W5"):
        for op, what in {**OPERATIONS, "commit": "a commit"}.items():
            peaks = [figures.all(workload, side, op, "rss_mib") for side in (US, *peers)]
            if peaks[0] and workload != "start":
                cells = (f"{max(found):.0f}" if found else "–" for found in peaks)
                rows.append((workload, what, *cells))
    yield from table(("", "", US, *peers), rows)


def notes(figures):
    yield "### What failed or was left out"
    yield ""
    seen = {}
    for line in figures.notes:
        text = " ".join(line["note"].split())[:300]
        what = f"{line.get('side', line['partner'])}, {line['op']}: {text}"
        if line["workload"] not in seen.setdefault(what, []):
            seen[what].append(line["workload"])
    for what, workloads in seen.items():
        yield f"- {' '.join(workloads)}, {what}"
    if not seen:
        yield "nothing"


if __name__ == "__main__":
    main()
