"""What a run may be told, all through the environment; README.md has the table."""

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SHORT_SCALE = 0.02
WORKLOADS = ("start", "W1", "W2", "W3", "W4", "W5", "W6")
PARTNERS = ("limits", "git", "restic", "borg", "dvc", "git-lfs", "oxen")


@dataclass(frozen=True)
class Settings:
    """Holds the choices of one run."""

    full: bool
    scale: float
    place: Path  # the workloads of this scale
    scratch: Path  # worktrees and stores, removed at the end
    trash: Path  # trees put aside within a round
    results: Path
    binary: Path
    tools: Path  # what install.sh fetched
    rounds: int
    rounds_limits: int
    cap_s: float  # a command that takes longer is stopped
    slow_s: float  # a partner that records slower than this has one round
    repeat_s: float  # a step that took this long is not repeated
    history_s: float  # W5 stops making commits after this
    budget_s: float  # no new round starts after this; each partner has its share
    partners: tuple
    workloads: tuple


def load():
    """Reads the environment."""

    def number(name, short, whole):
        return float(os.environ.get(name) or (whole if full else short))

    full = os.environ.get("BENCH_FULL") == "1"
    scale = number("BENCH_SCALE", SHORT_SCALE, 1)
    data = Path(os.environ.get("BENCH_DATA") or PROJECT / "target" / "bench-peers").resolve()
    place = data if scale == 1 else data / f"scale-{scale:g}"
    scratch = Path(os.environ.get("BENCH_SCRATCH") or place / "run").resolve()
    tools = os.environ.get("BENCH_TOOLS") or PROJECT / "target" / "bench-tools"
    rounds = int(number("BENCH_ROUNDS", 2, 3))
    return Settings(
        full=full,
        scale=scale,
        place=place,
        scratch=scratch,
        trash=scratch / "trash",
        results=Path(os.environ.get("BENCH_RESULTS") or f"{scratch}-results.jsonl").resolve(),
        binary=Path(
            os.environ.get("BENCH_PROVENANCE") or PROJECT / "target" / "release" / "provenance"
        ).resolve(),
        tools=Path(tools).resolve(),
        rounds=rounds,
        rounds_limits=int(number("BENCH_ROUNDS_LIMITS", rounds + 1, rounds + 2)),
        cap_s=number("BENCH_CAP", 60, 900),
        slow_s=number("BENCH_SLOW", 10, 60),
        repeat_s=number("BENCH_REPEAT_S", 2, 10),
        history_s=number("BENCH_HISTORY_S", 20, 300),
        budget_s=number("BENCH_BUDGET_S", 780, 1e9),
        partners=_listed("BENCH_PEERS", PARTNERS),
        workloads=_listed("BENCH_WORKLOADS", WORKLOADS),
    )


def _listed(name, known):
    wanted = tuple(filter(None, os.environ.get(name, "").split(","))) or known
    unknown = [one for one in wanted if one not in known]
    if unknown:
        raise SystemExit(f"{name}: no {', '.join(unknown)}; there are {', '.join(known)}")
    return wanted
