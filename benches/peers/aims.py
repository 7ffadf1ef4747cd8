"""What provenance is to reach: each aim is a figure, what it is divided by, and a bound.

The figures are those of the operations in `duel.py` and `limits.py`.
"""

import statistics
from typing import NamedTuple

from figures import ratio, seconds, spread

US = "provenance"
CHECK = 1.5  # reading, decoding and comparing, by reading and hashing
PEERS = ("git", "git-lfs", "dvc", "restic", "borg", "oxen")


class Aim(NamedTuple):
    """Holds one aim: over / under <= bound, taken within rounds with `partner`."""

    what: str
    workload: str
    partner: str
    over: tuple
    under: tuple
    bound: float
    show: object = ratio


def ours(op, field="seconds"):
    return ((US, op, field),)


def limit(op, field="seconds"):
    return (("limits", op, field),)


def of_git(op):
    return (("git", op, "seconds"),)


def again(workload, sibling):
    under = (*limit(f"hash_twice_{sibling}"), *ours("status_clean"))
    what = f"record {workload}{sibling} again ÷ (reading and hashing twice what changed + status)"
    return Aim(what, workload, "limits", ours(f"record_{sibling}"), under, 1.0)


def added(workload, sibling, what, under, bound):
    over = ours(f"record_{sibling}", "added_bytes")
    return Aim(f"added bytes {workload}{sibling} ÷ {what}", workload, "limits", over, under, bound)


RATIOS = (
    *(
        Aim(f"record {w} ÷ `cp -r` + sync", w, "limits", ours("record"), limit("cp"), 1.0)
        for w in ("W1", "W3", "W4")
    ),
    *(
        Aim(f"record {w} ÷ `tar` + sync", w, "limits", ours("record"), limit("tar"), 1.0)
        for w in ("W2", "W6")
    ),
    Aim("record W6, one more file ÷ status", "W6", "limits", ours("record_b"),
        ours("status_clean"), 2.0),
    again("W1", "b"),
    again("W2", "b"),
    again("W3", "b"),
    added("W1", "c", "the file", limit("cp", "apparent_bytes"), 0.11),
    added("W3", "b", "what W3 takes", ours("record", "stored_bytes"), 0.015),
    *(
        Aim(f"stored bytes {w} ÷ `tar \\| zstd -3`", w, "limits",
            ours("record", "stored_bytes"), limit("tar_zstd", "stored_bytes"), 1.0)
        for w in ("W2", "W3")
    ),
    *(
        Aim(f"stored bytes {w} ÷ {peer}'s", w, peer, ours("record", "stored_bytes"),
            ((peer, "record", "stored_bytes"),), 1.0)
        for w in ("W2", "W3")
        for peer in PEERS
    ),
    Aim("status W2 unchanged ÷ git's", "W2", "git", ours("status_clean"),
        of_git("status_clean"), 0.5),
    Aim("status W2, one changed ÷ git's", "W2", "git", ours("status_one"),
        of_git("status_one"), 0.5),
    Aim("restore W2 ÷ `cp -r`", "W2", "limits", ours("restore"), limit("cp_back"), 0.6),
    Aim("restore W1 ÷ `cp`", "W1", "limits", ours("restore"), limit("cp_back"), 1.2),
    *(
        Aim(f"restore {w} ÷ `cp -r` + sync", w, "limits", ours("restore", "durable"),
            limit("cp_back", "durable"), bound)
        for w, bound in (("W2", 0.6), ("W1", 1.2))
    ),
    *(
        Aim(f"fsck --full {w} ÷ reading and BLAKE3 of stored and raw bytes", w, "limits",
            ours("verify"), limit("hash_raw_and_stored"), CHECK)
        for w in ("W1", "W2")
    ),
)

ABSOLUTE = (  # what, workload, operation, seconds
    ("status W6", "W6", "status_clean", 1.0),
    ("start: `--version`", "start", "version", 0.005),
    ("start: `status`, ten files", "start", "status_clean", 0.005),
)
MEMORY_MIB = 256
FLAT = 1.1  # the last commits may cost this much more than the first: noise of a short run


def rows(figures):
    """Yields (aim, bound, median and spread, met) for every aim; met is None if not measured."""
    for aim in RATIOS:
        found = figures.ratios(aim.workload, aim.partner, aim.over, aim.under)
        yield row(aim.what, f"≤ {aim.bound:g}", found, aim.bound, aim.show)
    for what, workload, op, bound in ABSOLUTE:
        found = figures.all(workload, US, op)
        yield row(what, f"≤ {seconds(bound)}", found, bound, seconds)
    yield both_checks(figures)
    yield from history_rows(figures)
    peaks = [line["rss_mib"] for lines in figures.by_key.values() for line in lines
             if line["side"] == US and "rss_mib" in line]
    yield row("peak memory, largest of all", f"≤ {MEMORY_MIB} MiB", [max(peaks)] if peaks else [],
              MEMORY_MIB, lambda value: f"{value:.0f} MiB")


def both_checks(figures):
    """Gives the row of W1 and W2 together: a sum over a sum, by the number of the round."""
    terms = (*ours("verify"), *limit("hash_raw_and_stored"))
    found = []
    for number in sorted({key[2] for key in figures.rounds if key[1] == "limits"}):
        values = [[figures.of_round((w, "limits", number), term) for w in ("W1", "W2")]
                  for term in terms]
        if all(both for term in values for both in term):
            checked, hashed = (sum(map(statistics.median, term)) for term in values)
            found.append(checked / hashed)
    what = "fsck --full W1 and W2 together ÷ the same, summed"
    return row(what, f"≤ {CHECK:g}", found, CHECK, ratio)


def row(what, bound_text, found, bound, show):
    met = statistics.median(found) <= bound if found else None
    return what, bound_text, spread(found, show), met


def history_rows(figures):
    """Yields the aims of W5 from the rounds with git, where commits were made in turn."""
    key = "W5", "git", 0
    own = figures.by_key.get((*key, US, "commit"), [{}])[0]
    git = figures.by_key.get((*key, "git", "commit"), [{}])[0]
    pairs = list(zip(own.get("walls_s", []), git.get("walls_s", []), strict=False))
    per_commit = [mine / theirs for mine, theirs in pairs]
    yield row("W5, a commit ÷ git's", "≤ 0.5", middle_half(per_commit), 0.5, ratio)
    walls = own.get("walls_s", [])
    first, last = ends(walls)
    flat = [statistics.median(last) / statistics.median(first)] if walls else []
    what = f"W5, median of the last {len(last)} commits ÷ of the first (of {len(walls)})"
    yield row(what, f"≤ {FLAT:g}", flat, FLAT, ratio)
    sizes = []
    if own and git.get("collected_bytes"):
        sizes = [own["stored_bytes"] / git["collected_bytes"]]
    yield row("W5, repository ÷ git's after its gc", "≤ 1", sizes, 1.0, ratio)


def ends(walls):
    """Gives the first and the last hundred, or quarters of a short history."""
    count = min(100, len(walls) // 4)
    return walls[:count], walls[len(walls) - count :]


def middle_half(values):
    """Leaves out a quarter at each end: the spread of thousands of pairs says little else."""
    quarter = len(values) // 4
    return sorted(values)[quarter : len(values) - quarter]
