"""One round of provenance and one partner, step by step beside each other.

A machine's disk and neighbours change from minute to minute, so a ratio is only taken of what ran
within one round. Who goes first changes with every round and repetition.
"""

import json
import math
import os
import sys
import time

import measure
import trash
import trees

STEP_SPACE_TIMES = 4  # what one step may write: a tree, a store and an archive; and some more
SIBLINGS = {"W1": ("b", "c"), "W2": ("b",), "W3": ("b",), "W4": (), "W6": ("b",)}


class Over(Exception):
    """A side could not record: nothing more can be compared in this round."""


class Recorder:
    """Appends one JSON line per measurement, so that a run can be resumed."""

    def __init__(self, path, common):
        self.path, self.common = path, common

    def put(self, **figures):
        line = json.dumps({**self.common, **figures, "load": round(os.getloadavg()[0], 2)})
        with open(self.path, "a") as file:
            file.write(line + "\n")


def tell(*words):
    """Says on stderr how far the run is."""
    print(time.strftime("%H:%M:%S"), *filter(None, words), file=sys.stderr, flush=True)


class Duel:
    """Holds one round: the sides in lockstep, and where their figures go."""

    def __init__(self, settings, recorder, workload, partner, number, end):
        self.end = end  # of all commands, by the monotonic clock
        self.settings, self.recorder, self.workload = settings, recorder, workload
        self.partner, self.number = partner, number
        self.sides, self.slow = [], False
        self.base_bytes = 0  # what the tree of the round takes on the disk

    def put(self, side, op, rep=0, ok=True, note="", **figures):
        self.recorder.put(
            workload=self.workload, partner=self.partner, round=self.number, side=side.name,
            op=op, rep=rep, ok=ok, note=note, **figures,
        )
        tell(
            f"{self.workload} {side.name} beside {self.partner}, round {self.number}: {op}",
            f"{figures['wall_s']:.3f} s" if "wall_s" in figures else "",
            f"and sync {figures['sync_s']:.3f} s" if "sync_s" in figures else "",
            "" if ok else f"FAILED {note[:200]}",
        )

    def order(self, rep):
        """Gives the sides, another one first each time."""
        return self.sides[:: -1 if (self.number + rep) % 2 else 1]

    def step(self, step, reps=1):
        """Measures a step on each side; repeats it while it is quick."""
        self.make_room()
        taken_s = 0
        for rep in range(reps):
            taken_s += sum([self.measure(side, step, rep) for side in self.order(rep)])
            if taken_s > self.settings.repeat_s:
                break

    def make_room(self):
        """Empties the trash in the midst of a round, if a step might not fit on the disk."""
        if not trash.is_short_of(self.settings.scratch, STEP_SPACE_TIMES * self.base_bytes):
            return
        if trash.empty(self.settings.trash):
            tell("the disk was nearly full: what was put aside is deleted within the round")
            self.warm()

    def warm(self):
        """Reads all that a step may need, the programs too."""
        base = self.settings.place / self.workload / "base"
        for side in self.sides:
            side.version()
            trees.warm(side.work, *side.stores())
        trees.warm(base)

    def measure(self, side, step, rep):
        """Measures what one side does in a step; gives the seconds that it took."""
        taken_s = 0
        for op, commands in side.steps(step).items():
            records = step.startswith("record")
            old = trees.disk_usage(side.stores()) if records else {}
            try:
                side.before(step)
                figures = self.run(side, commands)
                found = side.after(step)
            except measure.Failed as error:
                side.undo(step)
                self.put(side, op, rep, ok=False, note=str(error))
                if records:
                    raise Over(side.name) from error
                return math.inf
            if records:
                new = trees.disk_usage(side.stores())
                figures |= new
                figures["added_bytes"] = new["stored_bytes"] - old["stored_bytes"]
            self.put(side, op, rep, ok=not found, note=found or "", **figures)
            taken_s += figures["wall_s"] + figures["sync_s"]
        return taken_s

    def run(self, side, commands):
        left_s = self.end - time.monotonic()
        if left_s <= 0:
            raise measure.Failed("the time was over")
        log = self.settings.scratch / "last.log"
        cap_s = min(self.settings.cap_s, left_s)
        return measure.run(commands, side.work, side.env, log, cap_s)

    def settle(self):
        """Lets every side see the worktree once; not measured."""
        for side in self.order(0):
            commands = side.steps("status_clean")
            try:
                for made in commands.values():
                    self.run(side, made)
            except measure.Failed as error:
                self.put(side, "settle", ok=False, note=str(error))

    def close(self):
        for side in self.sides:
            side.discard(side.root)


def tree_round(duel):
    """Records, looks, checks, restores and records the siblings of one tree of files."""
    settings, workload = duel.settings, duel.workload
    base = settings.place / workload / "base" / "data"
    for side in duel.sides:
        side.prepare(base)
    duel.warm()
    start = time.monotonic()
    duel.step("record")
    duel.slow = duel.partner != "limits" and time.monotonic() - start > settings.slow_s
    duel.settle()
    duel.step("status_clean", reps=5)
    with_one_byte_changed(duel, lambda: duel.step("status_one", reps=3))
    duel.step("verify", reps=2)
    duel.step("restore", reps=1 if duel.slow else 2)
    for sibling in SIBLINGS[workload]:
        duel.settle()
        for side in duel.sides:
            if (side.work / "data").exists():
                trees.overlay(str(base.parent.with_name(sibling)), side.work)
        trees.warm(base.parent.with_name(sibling), *[side.work for side in duel.sides])
        duel.step("record_" + sibling)
    if SIBLINGS[workload] and not duel.slow:
        duel.step("restore_last")


def with_one_byte_changed(duel, look):
    """Changes a byte in the middle of one file of each worktree, looks, and puts it back."""
    changed = []
    for side in duel.sides:
        if (side.work / "data").exists():
            path = trees.first_file(side.work / "data")
            middle = os.path.getsize(path) // 2
            with open(path, "r+b") as file:
                old = os.pread(file.fileno(), 1, middle)
                os.pwrite(file.fileno(), bytes([old[0] ^ 1]), middle)
            changed.append((path, middle, old))
    look()
    for path, middle, old in changed:
        with open(path, "r+b") as file:
            os.pwrite(file.fileno(), old, middle)
