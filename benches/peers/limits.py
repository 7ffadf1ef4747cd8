"""The machine's own limits: what no program that does the work can beat by honest means.

They take part like a peer: in each step of a round they run beside provenance.
"""

import os
import re
import shlex

import measure
import trees
from measure import command
from side import Side

HASH_ALL = "xargs -0 -r -a {list} -n 256 -P {cores} {hash}"
ONE_FILE = ("W1", "W3")  # workloads of one large file


class Limits(Side):
    name = "limits"
    words_of_version = ("cp", "--version")

    def __init__(self, settings, provenance):
        super().__init__(settings)
        self.provenance = provenance

    def choose(self, workload):
        self.workload = workload
        self.base = self.settings.place / workload / "base"

    def version(self):
        """Names the tools that the limits need, as far as they are there."""
        asked = {"cp": "--version", "tar": "--version", "b3sum": "--version",
                 "openssl": "version", "zstd": "--version"}
        found = []
        for tool, option in asked.items():
            text = measure.ask((tool, option), "/", self.env) if self.find(tool) else "missing"
            numbered = re.search(r"\d+\.[\w.]+|missing", text)
            found.append(f"{tool} {numbered.group() if numbered else '?'}")
        return ", ".join(found)

    def prepare(self, source):
        self.discard(self.root)
        self.root.mkdir(parents=True)
        (self.root / "home").mkdir()
        self.work.mkdir()

    def steps(self, step):
        if step == "version":
            return {"version": [command("true")]}
        if not self.base.exists():
            return {}  # W5 and the start of a process have no tree of their own
        if step == "record":
            return self.copies()
        if step == "status_clean":
            return self.listing()
        if step == "status_one":
            is_one = self.workload in ONE_FILE
            return self.hashes("hash", [self.base], ["b3sum"]) if is_one else self.listing()
        if step == "verify":
            stored = self.provenance.stores()
            return self.hashes("hash_raw_and_stored", [self.base, *stored], ["b3sum"])
        if step == "restore":
            return {"cp_back": [command("cp", "-r", self.base / "data", self.out)]}
        if step.startswith("record_"):
            changed = self.base.with_name(step.removeprefix("record_"))
            tools = ["b3sum", "openssl dgst -sha256"]
            return self.hashes("hash_twice_" + changed.name, [changed], tools)
        return {}

    def copies(self):
        """Gives the copies that recording is measured against, each to be synced."""
        made = {"cp": [command("cp", "-r", self.base / "data", self.out)]}
        if self.workload in ("W2", "W6"):
            made["tar"] = [command("tar", "-C", self.base, "-cf", self.store, "data")]
        if self.workload in ("W2", "W3", "W6") and self.find("zstd"):
            script = f"tar -C {shlex.quote(str(self.base))} -c data | zstd -q -3 -T0 -f -o "
            made["tar_zstd"] = [command("sh", "-c", script + shlex.quote(str(self.store)))]
        return made

    def listing(self):
        """Walks and asks for the stamps of every file, in one thread."""
        return {"find": [command("find", self.base / "data", "-printf", "%s %T@ %i\\n")]}

    def hashes(self, name, roots, tools):
        """Reads and hashes all files below `roots` on all cores, once per tool."""
        if not all(self.find(tool.split()[0]) for tool in tools):
            return {}
        listed, large = self.root / "listed", []
        with open(listed, "wb") as names:
            for path in (path for root in roots for path in trees.files_under(root)):
                if os.path.getsize(path) > 64 << 20:
                    large.append(path)
                else:
                    names.write(os.fsencode(path) + b"\0")
        made = []
        for tool in tools:
            one_core = f"{tool} --num-threads 1" if tool == "b3sum" else tool
            pattern = HASH_ALL.format(list=listed, cores=os.cpu_count(), hash=one_core)
            made += [command(*shlex.split(pattern))] if listed.stat().st_size else []
            made += [command(*tool.split(), path) for path in large]
        return {name: made}

    def stores(self):
        return [self.store, self.out]

    def before(self, step):
        self.discard(self.out, self.store)

    def after(self, step):
        return None

    def undo(self, step):
        pass
