"""The programs that are compared: provenance, and those that keep versions of data too.

Each does what its manual tells a user to do, with its defaults. Automatic collection is off where
it could start in the background of a measurement.
"""

from pathlib import Path

from measure import command
from side import Side


class Provenance(Side):
    name = "provenance"

    def __init__(self, settings):
        super().__init__(settings)
        self.binary = settings.binary
        self.words_of_version = (self.binary, "--version")

    def start_store(self):
        self.ask(self.binary, "init")
        self.ask(self.binary, "config", "set", "--user", "user.name", "Bench")
        self.ask(self.binary, "config", "set", "--user", "user.email", "bench@example.org")

    def record(self, message):
        return [
            command(self.binary, "add", "-A"),
            command(self.binary, "commit", "-q", "-m", message),
        ]

    def record_one(self, path, message):
        return [
            command(self.binary, "add", path),
            command(self.binary, "commit", "-q", "-m", message),
        ]

    def status(self):
        return [command(self.binary, "status")]

    def verify(self):
        return [command(self.binary, "fsck", "--full")]

    def restore(self):
        return [command(self.binary, "restore", "--source", "HEAD", ".")]

    def collect(self):
        return [command(self.binary, "gc")]

    def stores(self):
        return [self.work / ".provenance"]


class Git(Side):
    name = "git"
    words_of_version = ("git", "--version")

    def start_store(self):
        self.ask("git", "init", "-q", "-b", "main", ".")
        self.ask("git", "config", "gc.auto", "0")
        self.ask("git", "config", "maintenance.auto", "false")

    def record(self, message):
        return [command("git", "add", "-A", "."), command("git", "commit", "-q", "-m", message)]

    def record_one(self, path, message):
        return [command("git", "add", path), command("git", "commit", "-q", "-m", message)]

    def status(self):
        return [command("git", "status", "--porcelain")]

    def verify(self):
        return [command("git", "fsck", "--full", "--no-progress")]

    def restore(self):
        return [command("git", "restore", "--source", "HEAD", ".")]

    def collect(self):
        return [command("git", "gc", "-q", "--prune=now")]

    def stores(self):
        return [self.work / ".git"]


class GitLfs(Git):
    name = "git-lfs"
    words_of_version = ("git-lfs", "version")

    def start_store(self):
        super().start_store()
        self.ask("git", "lfs", "install", "--local")
        attributes = self.work / ".gitattributes"
        attributes.write_text("data/** filter=lfs diff=lfs merge=lfs -text\n")

    def verify(self):
        return [command("git", "lfs", "fsck")]

    def collect(self):
        return None


class Dvc(Side):
    name = "dvc"
    words_of_version = ("dvc", "--version")

    def start_store(self):
        self.ask("git", "init", "-q", "-b", "main", ".")
        self.ask("git", "config", "gc.auto", "0")
        self.ask("dvc", "init", "-q")
        self.ask("dvc", "config", "core.analytics", "false")
        self.ask("dvc", "config", "core.check_update", "false")
        self.ask("git", "add", "-A", ".dvc", ".dvcignore")
        self.ask("git", "commit", "-q", "-m", "init")

    def record(self, message):
        return [
            command("dvc", "add", "-q", "data"),
            command("git", "add", "data.dvc", ".gitignore"),
            command("git", "commit", "-q", "-m", message),
        ]

    def status(self):
        return [command("dvc", "status")]

    def restore(self):
        return [command("dvc", "checkout", "-q")]

    def stores(self):
        return [self.work / ".git", self.work / ".dvc"]


class Restic(Side):
    name = "restic"
    restores_in_place = False
    words_of_version = ("restic", "version")

    def call(self, *words):
        return command("restic", "-q", "-r", self.store, *words)

    def start_store(self):
        self.ask(*self.call("init", "--repository-version", "2").words)

    def record(self, message):
        return [self.call("backup", "data")]

    def status(self):
        return [self.call("backup", "--dry-run", "data")]

    def verify(self):
        return [self.call("check", "--read-data")]

    def restore(self):
        return [self.call("restore", "latest", "--target", self.out)]

    def collect(self):
        return [self.call("prune")]


class Borg(Side):
    name = "borg"
    restores_in_place = False
    words_of_version = ("borg", "--version")

    def start_store(self):
        self.archives = self.recorded = 0
        self.ask("borg", "init", "-e", "none", self.store)

    def create(self):
        self.archives += 1
        return [command("borg", "create", f"{self.store}::{self.archives:06d}", "data")]

    def record(self, message):
        made = self.create()
        self.recorded = self.archives
        return made

    def status(self):
        return self.create()  # its only way to learn what changed is one more archive

    def verify(self):
        return [command("borg", "check", "--verify-data", self.store)]

    def restore(self):
        archive = f"{self.store}::{self.recorded:06d}"
        return [command("borg", "extract", archive, cwd=self.out)]

    def collect(self):
        return [command("borg", "compact", self.store)]


class Oxen(Side):
    """Oxen through its package on PyPI, which holds the same Rust core as its command line."""

    name = "oxen"

    def __init__(self, settings):
        super().__init__(settings)
        self.python = settings.tools / "oxen" / "bin" / "python"
        self.script = Path(__file__).with_name("oxen_cli.py")
        self.words_of_version = (self.python, self.script, "version")

    def call(self, *words):
        return command(self.python, self.script, *words)

    def start_store(self):
        self.ask(*self.call("init").words)

    def record(self, message):
        return [self.call("record", "data", message)]

    def record_one(self, path, message):
        return [self.call("record", path, message)]

    def status(self):
        return [self.call("status")]

    def restore(self):
        return [self.call("restore", "data")]

    def stores(self):
        return [self.work / ".oxen"]


PEERS = {peer.name: peer for peer in (Git, GitLfs, Dvc, Restic, Borg, Oxen)}
