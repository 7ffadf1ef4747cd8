"""What takes part: a program with a worktree, a store, and a command for each step."""

import os
import shutil

import measure
import trash
import trees
from measure import command

RESTORES = ("restore", "restore_last")


class Side:
    """Holds one participant. A method gives the commands of a step, or None if it has none."""

    name = "?"
    restores_in_place = True  # else into `out`
    words_of_version = ()

    def __init__(self, settings):
        self.settings = settings
        self.root = settings.scratch / self.name
        self.work, self.store = self.root / "work", self.root / "store"
        self.out, self.kept = self.root / "out", self.root / "kept"
        self.env = environment(settings, self.root / "home")

    def discard(self, *paths):
        """Takes trees away without deleting many files, which would slow down the next step."""
        trash.put(self.settings.trash, *paths)

    def find(self, program):
        """Gives the path of a program, or None if it is not installed."""
        return shutil.which(str(program), path=self.env["PATH"])

    def version(self):
        """Gives the version in one line, or None if the program is missing."""
        words = self.words_of_version
        if not self.find(words[0]):
            return None
        return (measure.ask(words, "/", self.env).splitlines() or ["?"])[0]

    def show_version(self):
        return [command(*self.words_of_version)]

    def prepare(self, source):
        """Starts anew: a worktree with a copy of `source` as `data`, and an empty store."""
        self.discard(self.root)
        self.work.mkdir(parents=True)
        (self.root / "home").mkdir()
        trees.copy(source, self.work / "data")
        self.start_store()

    def start_store(self):
        """Makes the empty store; not measured."""

    def ask(self, *words):
        return measure.ask(words, self.work, self.env)

    def steps(self, step):
        """Gives the commands to measure in a step, by operation."""
        if step.startswith("record"):
            made = self.record(step)
        elif step.startswith("status"):
            made = self.status()
        elif step in RESTORES:
            made = self.restore()
        else:
            others = {"verify": self.verify, "collect": self.collect, "version": self.show_version}
            made = others[step]()
        return {step: made} if made else {}

    def record(self, message):
        return None

    def record_one(self, path, message):
        """Records a worktree in which only `path` changed."""
        return self.record(message)

    def status(self):
        return None

    def verify(self):
        return None

    def restore(self):
        return None

    def collect(self):
        return None

    def stores(self):
        return [self.store]

    def before(self, step):
        """Reads what a step will read, and makes room for a restore; not measured."""
        if step in RESTORES or step == "verify":
            trees.warm(*self.stores())
        if step in RESTORES:
            if self.restores_in_place:
                self.work.joinpath("data").rename(self.kept)
            else:
                self.discard(self.out)
                self.out.mkdir()

    def after(self, step):
        """Compares what was restored byte for byte; gives the difference or None."""
        if step not in RESTORES:
            return None
        if not self.restores_in_place:
            found = trees.difference(self.work / "data", self.out / "data")
            self.discard(self.out)
            return found
        found = trees.difference(self.kept, self.work / "data")
        if found:
            self.undo(step)
        else:
            self.discard(self.kept)
        return found

    def undo(self, step):
        """Puts the worktree back after a step that failed."""
        if step in RESTORES and self.kept.exists():
            self.discard(self.work / "data")
            self.kept.rename(self.work / "data")


def environment(settings, home):
    """Gives an environment without the user's settings, the same for all."""
    return {
        "PATH": f"{settings.tools}/venv/bin:{os.environ['PATH']}",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "TMPDIR": str(settings.scratch),
        "NO_COLOR": "1",
        "PYTHONWARNINGS": "ignore",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        **{f"GIT_{who}_NAME": "Bench" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "bench@example.org" for who in ("AUTHOR", "COMMITTER")},
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": f"{home}/dvc-site",
        "RESTIC_PASSWORD": "bench",
        "BORG_BASE_DIR": f"{home}/borg",
        "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
        "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
    }
