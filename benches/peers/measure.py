"""Runs commands and measures them.

A child's peak memory cannot read lower than its parent's at the moment of the start, so this
process stays small: whatever needs memory (making data, comparing trees) is a process of its own.
"""

import os
import select
import signal
import subprocess
import time
from typing import NamedTuple


class Command(NamedTuple):
    """Holds one process to run: its words, and the folder if it is not the worktree."""

    words: tuple
    cwd: str | None = None


class Failed(Exception):
    """A command failed or was stopped; the text says how."""


def command(*words, cwd=None):
    return Command(tuple(map(str, words)), cwd and str(cwd))


def run(commands, cwd, env, log_path, cap_s):
    """Runs commands one after another between two syncs.

    Gives `wall_s` of all, `sync_s` that `sync` needed after them, `cpu_s`, `rss_mib` (the largest
    single process) and `write_mb` (what reached the disk from them). Raises `Failed`.
    """
    os.sync()
    cpu_s = rss_kib = blocks = 0
    with open(log_path, "w+b") as log:
        start = time.monotonic()
        for one in commands:
            used = _wait(one, one.cwd or cwd, env, log, cap_s - (time.monotonic() - start))
            cpu_s += used.ru_utime + used.ru_stime
            rss_kib = max(rss_kib, used.ru_maxrss)
            blocks += used.ru_oublock
        end = time.monotonic()
    os.sync()
    return {
        "wall_s": round(end - start, 6),
        "sync_s": round(time.monotonic() - end, 6),
        "cpu_s": round(cpu_s, 4),
        "rss_mib": round(rss_kib / 1024, 1),
        "write_mb": round(blocks * 512 / 1e6, 1),
    }


def _wait(one, cwd, env, log, cap_s):
    child = subprocess.Popen(
        one.words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        start_new_session=True,
    )
    status = None
    try:
        waiting = select.poll()
        exited = os.pidfd_open(child.pid)
        waiting.register(exited, select.POLLIN)
        in_time = waiting.poll(max(0, cap_s) * 1000)
        os.close(exited)
        if in_time:
            _, status, used = os.wait4(child.pid, 0)
    finally:
        if status is None:
            os.killpg(child.pid, signal.SIGKILL)
            os.wait4(child.pid, 0)
        child.returncode = -1  # it is reaped: Popen must not wait for this number again
    if status is None:
        raise Failed(f"stopped after {cap_s:.0f} s: {one.words[0].rsplit('/', 1)[-1]}")
    if status:
        log.seek(0)
        tail = log.read()[-600:].decode(errors="replace").strip()
        raise Failed(f"{' '.join(one.words)[:200]}: status {status >> 8}: {tail}")
    return used


def ask(words, cwd, env):
    """Runs a command that is not measured; gives its output without the last newline."""
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env=env, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )
    text = done.stdout.decode(errors="replace").strip()
    if done.returncode:
        raise Failed(f"{' '.join(map(str, words))[:200]}: {text[-600:]}")
    return text
