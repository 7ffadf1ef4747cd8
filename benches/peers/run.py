#!/usr/bin/env python3
"""Measures provenance beside its peers and beside the limits of the machine; README.md explains.

usage: run.py            choices come from the environment; what is measured already is not again
"""

import dataclasses
import fcntl
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import measure
import settings as choices
import trash
import trees
from duel import Duel, Over, Recorder, tell, tree_round
from history import history_round, start_round
from limits import Limits
from peers import PEERS, Provenance

HERE = Path(__file__).resolve().parent
ROUNDS = {"W5": history_round, "start": start_round}
OVERTIME = 1.08  # of the budget, for a round that has begun
SPACE_TIMES = 8  # two worktrees, two stores with siblings, one restored tree


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # children have sessions of their own
    settings = choices.load()
    settings.scratch.mkdir(parents=True, exist_ok=True)
    lock = open(settings.scratch / "lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"another run works in {settings.scratch}")
    if not settings.binary.is_file():
        sys.exit(f"no program at {settings.binary}: cargo build --release, or BENCH_PROVENANCE")
    settings = installed(settings)
    provenance = Provenance(settings)
    trash.empty(settings.trash)  # of a run that was killed
    make_workloads(settings)
    common = {"binary": digest(settings.binary), "scale": settings.scale}
    recorder = Recorder(settings.results, common)
    partners = find_partners(settings, provenance, recorder)
    start = time.monotonic()
    end = start + OVERTIME * settings.budget_s

    def passed_s():
        return time.monotonic() - start

    try:
        for workload, partner, number in plan(settings, partners, passed_s):
            if is_measured(settings, common, workload, partner.name, number):
                continue
            if passed_s() > settings.budget_s:
                leave_out(recorder, workload, partner.name, number, "the time was over")
                continue
            duel = Duel(settings, recorder, workload, partner.name, number, end)
            play(duel, common, provenance, partner)
    finally:
        trees.remove(settings.trash)
    tell(f"results: {settings.results}")


def installed(settings):
    """Copies the program, as an installation does, and as the peers are.

    What the linker has just written is cached in small pages, and starts a quarter slower.
    """
    copy = settings.scratch / "installed" / settings.binary.name
    copy.parent.mkdir(exist_ok=True)
    copy.unlink(missing_ok=True)
    shutil.copy(settings.binary, copy)
    return dataclasses.replace(settings, binary=copy)


def make_workloads(settings):
    """Makes what is missing; W5 needs the files of W2."""
    wanted = {"W2" if name == "W5" else name for name in settings.workloads} - {"start"}
    missing = [w for w in sorted(wanted) if not (settings.place / f".{w.lower()}.done").exists()]
    if missing:
        data = settings.place if settings.scale == 1 else settings.place.parent
        words = ["--data", str(data), "--scale", f"{settings.scale:g}", *missing]
        python = python_with_numpy(settings)
        subprocess.run([python, str(HERE / "generate.py"), *words], check=True)


def python_with_numpy(settings):
    """Finds a Python that has numpy; makes a virtual environment if this one has not."""
    if importlib.util.find_spec("numpy"):
        return sys.executable
    python = settings.tools / "numpy" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(python.parents[1])], check=True)
        needs = ["--requirement", str(HERE / "requirements.txt")]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *needs], check=True)
    return str(python)


def find_partners(settings, provenance, recorder):
    """Gives the partners that are installed; notes versions, the machine, and who is missing."""
    versions, found = {"provenance": provenance.version()}, []
    for name in settings.partners:
        is_limits = name == "limits"
        partner = Limits(settings, provenance) if is_limits else PEERS[name](settings)
        versions[name] = partner.version()
        if versions[name] is None:
            tell(f"{name} is not installed and left out; benches/peers/install.sh installs it")
        else:
            found.append(partner)
    recorder.put(op="machine", versions=versions, machine=machine(settings))
    return found


def machine(settings):
    memory_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    cpu = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    disk = measure.ask(("df", "-PT", settings.scratch), "/", dict(os.environ)).splitlines()[-1]
    return {
        "cpu": cpu[0].split(":", 1)[1].strip() if cpu else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory_bytes / 2**30, 1),
        "kernel": platform.release(),
        "file_system": disk.split()[1],
        "drops_caches": trash.can_drop(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", "?"),
        "date": time.strftime("%Y-%m-%d"),
    }


def plan(settings, partners, passed_s):
    """Yields what to play: every pair once before any pair twice.

    Each partner has its share of the time; what did not fit into it comes after all of them.
    """
    postponed = []
    for index, partner in enumerate(partners):
        share_end_s = settings.budget_s * (index + 1) / len(partners)
        for workload in settings.workloads:
            if passed_s() < share_end_s:
                yield workload, partner, 0
            else:
                postponed.append((workload, partner, 0))
    yield from postponed
    for number in range(1, max(settings.rounds, settings.rounds_limits)):
        for partner in partners:
            rounds = settings.rounds_limits if partner.name == "limits" else settings.rounds
            for workload in settings.workloads:
                if number < rounds and workload not in ROUNDS:
                    yield workload, partner, number


def is_measured(settings, common, workload, partner, number):
    """Tells whether the results have this round, or one round of a partner that is slow here."""
    if not settings.results.exists():
        return False
    for line in map(json.loads, settings.results.read_text().splitlines()):
        if line["op"] == "end" and all(line[key] == value for key, value in common.items()):
            is_pair = (line["workload"], line["partner"]) == (workload, partner)
            if is_pair and (line["round"] == number or line["slow"]):
                return True
    return False


def leave_out(recorder, workload, partner, number, why):
    if number == 0:
        recorder.put(workload=workload, partner=partner, round=0, op="left out", ok=False, note=why)
        tell(f"{workload} beside {partner}: left out: {why}")


def play(duel, common, provenance, partner):
    """Plays one round and cleans up after it."""
    settings, workload, number = duel.settings, duel.workload, duel.number
    if workload not in ROUNDS:
        base = settings.place / workload / "base"
        duel.base_bytes = trees.disk_usage([base])["stored_bytes"]
    needed_bytes = SPACE_TIMES * duel.base_bytes
    if trash.is_short_of(settings.scratch, needed_bytes):
        trash.empty(settings.trash)
    if trash.is_short_of(settings.scratch, needed_bytes):
        why = "not enough free space on the disk"
        leave_out(duel.recorder, workload, partner.name, number, why)
        return
    duel.recorder = Recorder(settings.results, {**common, "attempt": int(time.time())})
    if partner.name == "limits":
        partner.choose(workload)
    duel.sides = [provenance, partner]
    try:
        ROUNDS.get(workload, tree_round)(duel)
    except Over as over:
        duel.slow = True
        tell(f"{workload} beside {partner.name}: over, {over} could not record")
    except (measure.Failed, OSError, subprocess.CalledProcessError) as error:
        duel.slow = True
        duel.put(partner, "round", ok=False, note=str(error))
    finally:
        duel.close()
    if time.monotonic() > duel.end:
        return  # it was cut short, and is played again when the run goes on
    pair = {"workload": workload, "partner": partner.name, "round": number}
    duel.recorder.put(**pair, op="end", slow=duel.slow)


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


if __name__ == "__main__":
    main()
