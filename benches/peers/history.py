"""W5: thousands of commits that each change one file of a thousand; and the start of a process.

Both sides make commit after commit in turn, so that each pair of times belongs together.
"""

import heapq
import os
import shutil
import time

import measure
import trees
from duel import Over

FILES = 1_000
COMMITS = 2_000
TEN = 10
STARTS = 40
STARTS_S = 5


def history_round(duel):
    """Measures every commit, and what the repositories take before and after collection."""
    settings = duel.settings
    source = settings.scratch / "history-source"
    copy_first_files(settings.place / "W2" / "base" / "data", source, FILES)
    for side in duel.sides:
        side.prepare(source)
    duel.step("record")
    goal = max(40, round(COMMITS * settings.scale))
    names = sorted(os.listdir(source))
    made = {side.name: [] for side in duel.sides}
    start = time.monotonic()
    for number in range(goal):
        if time.monotonic() - start > settings.history_s:
            break
        path = f"data/{names[number * 7 % len(names)]}"
        for side in duel.order(number):
            commit(duel, side, path, number, made)
    for side in duel.order(0):
        if made[side.name]:
            put_history(duel, side, made[side.name])
    trees.remove(source)


def commit(duel, side, path, number, made):
    """Changes one file and records it."""
    if side.name == "limits":
        made["limits"].append(five_syncs(side.root))
        return
    with open(side.work / path, "a") as file:
        file.write(f"change {number}\n")
    commands = side.record_one(path, f"change {number}")
    try:
        made[side.name].append(duel.run(side, commands))
    except measure.Failed as error:
        duel.put(side, "commit", ok=False, note=str(error))
        raise Over(side.name) from error


def put_history(duel, side, made):
    usage = trees.disk_usage(side.stores())
    collected = {}
    commands = side.steps("collect").get("collect")
    if commands:
        try:
            collected["collect_s"] = duel.run(side, commands)["wall_s"]
            usage_after = trees.disk_usage(side.stores())
            collected["collected_bytes"] = usage_after["stored_bytes"]
        except measure.Failed as error:
            duel.put(side, "collect", ok=False, note=str(error))
    duel.put(
        side, "commit", commits=len(made), **usage, **collected,
        rss_mib=max(one["rss_mib"] for one in made),
        walls_s=[round(one["wall_s"], 5) for one in made],
        syncs_s=[round(one["sync_s"], 5) for one in made],
    )


def five_syncs(folder):
    """Creates a file durably five times: the least that a safe `add` and `commit` ask of a disk."""
    os.sync()
    start = time.monotonic()
    for number in range(5):
        path = os.path.join(folder, f"file-{number}")
        with open(path + ".new", "wb") as file:
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        os.rename(path + ".new", path)
        holder = os.open(folder, os.O_RDONLY)
        os.fsync(holder)
        os.close(holder)
    return {"wall_s": time.monotonic() - start, "sync_s": 0, "rss_mib": 0}


def copy_first_files(source, target, count):
    """Copies the first files in the order of their names into one folder."""
    trees.remove(target)
    target.mkdir(parents=True)
    for path in heapq.nsmallest(count, trees.files_under(source), key=os.path.basename):
        shutil.copy(path, target)


def start_round(duel):
    """Measures `--version`, and `status` in a repository of ten files."""
    source = duel.settings.scratch / "start-source"
    trees.remove(source)
    source.mkdir(parents=True)
    for number in range(TEN):
        (source / f"file-{number}.txt").write_text(f"file {number}\n")
    for side in duel.sides:
        side.prepare(source)
    duel.step("record")
    duel.settle()
    start = time.monotonic()
    for rep in range(STARTS):
        if time.monotonic() - start > STARTS_S and rep >= 3:
            break
        for side in duel.order(rep):
            duel.measure(side, "version", rep)
            duel.measure(side, "status_clean", rep)
    trees.remove(source)
