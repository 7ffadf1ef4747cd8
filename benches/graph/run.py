"""Compares walks over histories with git, on the same history in the same run.

usage: benches/graph/run.py [--commits 50000] [--pairs 1000] [--culprits 300] [--git REPOSITORY]

Generates histories that are hard in different ways (or takes that of a git repository), gives the same one to git and to
provenance, and checks that both say the same: the set and the order of `rev-list`, all best common ancestors of random
pairs, and that `bisect` finds every culprit. Prints the steps of both, and times as ratios. Git has its commit-graph.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROVENANCE = os.environ.get("PROVENANCE", os.path.join(ROOT, "target/release/provenance"))


def line(count, random_):
    """One commit after another."""
    return [[number - 1] if number else [] for number in range(count)]


def bushy(count, random_):
    """Short branches that are merged soon, as in a project with many people."""
    parents = [[]]
    for number in range(1, count):
        near = lambda: number - 1 - int(min(number - 1, random_.expovariate(1 / 20)))
        parents.append([near()])
        if random_.random() < 0.3:
            other = near()
            if other != parents[-1][0]:
                parents[-1].append(other)
    return parents


def trains(count, random_):
    """Long branches beside each other, merged now and then."""
    parents, tips = [[]], [0] * 12
    for number in range(1, count):
        at = random_.randrange(len(tips))
        mine = [tips[at]]
        if random_.random() < 0.02:
            other = tips[random_.randrange(len(tips))]
            if other != mine[0]:
                mine.append(other)
        parents.append(mine)
        tips[at] = number
    parents.append(sorted(set(tips)))
    return parents


def ladder(count, random_):
    """Two lines that merge each other at every step: the number of paths doubles each time."""
    parents = [[], [0], [0]]
    while len(parents) + 2 <= count:
        left, right = len(parents) - 2, len(parents) - 1
        parents.append([left, right])
        parents.append([right, left])
    parents.append([len(parents) - 2, len(parents) - 1])
    return parents


SHAPES = [line, bushy, trains, ladder]


def of_git(path):
    """The history of all branches of a git repository, oldest first."""
    text = subprocess.run(["git", "-C", path, "rev-list", "--topo-order", "--reverse", "--parents", "HEAD"],
                          check=True, capture_output=True, text=True).stdout
    numbers, parents = {}, []
    for row in text.splitlines():
        ids = row.split()
        numbers[ids[0]] = len(parents)
        parents.append([numbers[parent] for parent in ids[1:] if parent in numbers])
    return parents


def connected(parents):
    """Adds a last commit that everything leads to, so that one tip has the whole history."""
    children = {parent for each in parents for parent in each}
    tips = [number for number in range(len(parents)) if number not in children]
    while len(tips) > 1:
        parents.append(tips[-16:])
        tips = tips[:-16] + [len(parents) - 1]
    return parents


def call(words, **options):
    return subprocess.run(words, check=True, capture_output=True, text=True, **options).stdout


class Git:
    name = "git"

    def __init__(self, folder):
        self.folder = folder

    def make(self, parents):
        call(["git", "init", "-q", "-b", "main", self.folder])
        stream = []
        for number, each in enumerate(parents):
            stream.append(f"commit refs/heads/main\nmark :{number + 1}\n"
                          f"committer a <a@example.org> {1700000000 + number} +0000\ndata {len(str(number))}\n{number}\n")
            if not each:
                stream.append("deleteall\n")
            for at, parent in enumerate(each):
                stream.append(f"{'merge' if at else 'from'} :{parent + 1}\n")
            stream.append("\n")
        marks = os.path.join(self.folder, "marks")
        subprocess.run(["git", "fast-import", "--quiet", "--force", f"--export-marks={marks}"], cwd=self.folder,
                       input="".join(stream), text=True, check=True)
        call(["git", "commit-graph", "write", "--reachable"], cwd=self.folder)
        ids = dict(row.split() for row in open(marks))
        self.ids = [ids[f":{number + 1}"] for number in range(len(parents))]
        self.numbers = {name: number for number, name in enumerate(self.ids)}

    def words(self, *words):
        return ["git", "-C", self.folder, *words]


class Provenance:
    name = "provenance"

    def __init__(self, folder):
        self.folder = folder

    def make(self, parents):
        os.makedirs(self.folder)
        call([PROVENANCE, "-C", self.folder, "init", "-q"])
        stream = ['{"schema":"provenance/exchange/v1"}']
        for number, each in enumerate(parents):
            record = {"parents": [str(parent) for parent in each], "time": (1700000000 + number) * 1000,
                      "message": str(number), "author": {"name": "a", "email": "a@example.org"}}
            ref = "heads/main" if number + 1 == len(parents) else None
            stream.append(json.dumps({"record": record, "label": str(number), "ref": ref}))
        subprocess.run([PROVENANCE, "-C", self.folder, "-q", "import", "--jsonl", "-"], input="\n".join(stream) + "\n",
                       text=True, check=True, stdout=subprocess.DEVNULL)
        ids = call(self.words("rev-list", "main")).split()
        rows = call(self.words("log", "--json", "main")).splitlines()
        assert len(ids) == len(parents) == len(rows)
        self.ids = [None] * len(parents)
        for row in rows:
            row = json.loads(row)
            self.ids[int(row["message"])] = row["id"].removeprefix("blake3:")
        self.numbers = {name: number for number, name in enumerate(self.ids)}

    def words(self, *words):
        return [PROVENANCE, "-C", self.folder, *words]


def is_topological(order, parents):
    place = {number: at for at, number in enumerate(order)}
    return len(place) == len(parents) and all(
        place[number] < place[parent] for number in order for parent in parents[number])


def descendants(culprit, children):
    seen, stack = {culprit}, [culprit]
    while stack:
        for child in children[stack.pop()]:
            if child not in seen:
                seen.add(child)
                stack.append(child)
    return seen


def bisect(tool, culprit, bad_ones, tip):
    """Searches as `bisect` does, and gives the number of tests."""
    bad, good, tests = tip, [], 0
    while True:
        hidden = [f"^{tool.ids[number]}" for number in good]
        answer = call(tool.words("rev-list", "--bisect", tool.ids[bad], *hidden)).split()
        if not answer or tool.numbers[answer[0]] == bad:
            assert bad == culprit, f"{tool.name} found {bad} instead of {culprit}"
            return tests
        tests += 1
        number = tool.numbers[answer[0]]
        if number in bad_ones:
            bad = number
        else:
            good.append(number)


def bisect_all(tool, tip, count):
    """Searches for every commit of a history in turn, and gives the number of tests for each.

    What was answered alike so far is asked once for all culprits: a question for each commit, not one for each test.
    """
    tests, asked = [None] * count, [(tip, [], 0)]
    while asked:
        bad, good, depth = asked.pop()
        answer = call(tool.words("rev-list", "--bisect", tool.ids[bad], *[f"^{tool.ids[number]}" for number in good])).split()
        number = tool.numbers[answer[0]] if answer else bad
        if number == bad:
            assert tests[bad] is None, f"{tool.name} finds {bad} twice"
            tests[bad] = depth
        else:
            asked += [(number, good, depth + 1), (bad, [*good, number], depth + 1)]
    assert None not in tests, f"{tool.name} never finds {tests.index(None)}"
    return tests


def timed(commands):
    """Runs commands in turns, for two seconds or seven times each; gives the median of each in seconds."""
    times = [[] for _ in commands]
    begun = time.perf_counter()
    while len(times[0]) < 7 or time.perf_counter() - begun < 2:
        for each, words in zip(times, commands):
            before = time.perf_counter()
            call(words)
            each.append(time.perf_counter() - before)
    return [statistics.median(each) for each in times]


def install(folder):
    """Copies the program, as an installation does: what the linker has just written is cached in small pages, and
    starts a quarter slower than the same bytes, copied. Git is installed as well."""
    global PROVENANCE
    PROVENANCE = shutil.copy(PROVENANCE, os.path.join(folder, "installed"))


def compare(shape, parents, arguments, folder):
    parents = connected(parents)
    random_ = random.Random(arguments.seed)
    tip = len(parents) - 1
    git, ours = Git(os.path.join(folder, "git")), Provenance(os.path.join(folder, "provenance"))
    for tool in (git, ours):
        tool.make(parents)
    merges = sum(len(each) > 1 for each in parents)
    print(f"\n{shape}: {len(parents)} commits, {merges} merges")

    for tool in (git, ours):
        order = call(tool.words("rev-list", "--topo-order", "main")).split()
        assert is_topological([tool.numbers[name] for name in order], parents), f"{tool.name}: not topological"
    print("  rev-list --topo-order: the same set, children before parents")

    for _ in range(arguments.pairs):
        pair = [random_.randrange(len(parents)) for _ in range(2)]
        bases = []
        for tool in (git, ours):
            answer = subprocess.run(tool.words("merge-base", "--all", *[tool.ids[each] for each in pair]),
                                    capture_output=True, text=True).stdout.split()
            bases.append({tool.numbers[name] for name in answer})
        assert bases[0] == bases[1], f"merge bases of {pair}: {bases}"
    print(f"  merge-base --all: equal for {arguments.pairs} random pairs")

    children = [[] for _ in parents]
    for number, each in enumerate(parents):
        for parent in each:
            children[parent].append(number)
    steps = {tool.name: [] for tool in (git, ours)}
    if arguments.culprits >= len(parents):
        steps = {tool.name: bisect_all(tool, tip, len(parents)) for tool in (git, ours)}
    culprits = () if arguments.culprits >= len(parents) else random_.sample(range(len(parents)), arguments.culprits)
    for culprit in culprits:
        bad_ones = descendants(culprit, children)
        for tool in (git, ours):
            steps[tool.name].append(bisect(tool, culprit, bad_ones, tip))
    for name, each in steps.items():
        print(f"  bisect, {name}: {statistics.mean(each):.3f} tests on average, {max(each)} at most, "
              f"{len(each)} culprits, all found")

    questions = {
        "log -n 20": ("log", "-n", "20", "main"),
        "merge-base": ("merge-base",),
        "rev-list --count": ("rev-list", "--count", "main"),
        "rev-list --bisect": ("rev-list", "--bisect", "main"),
    }
    pair = [random_.randrange(len(parents)) for _ in range(2)]
    for question, words in questions.items():
        commands = []
        for tool in (git, ours):
            more = [tool.ids[each] for each in pair] if question == "merge-base" else []
            commands.append(tool.words(*words, *more))
        times = timed(commands)
        print(f"  {question}: git {1000 * times[0]:.1f} ms, provenance {1000 * times[1]:.1f} ms, "
              f"ratio {times[1] / times[0]:.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commits", type=int, default=50_000)
    parser.add_argument("--pairs", type=int, default=1_000)
    parser.add_argument("--culprits", type=int, default=300, help="random ones; all, if there are no more commits")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--git", help="take the history of this git repository as well")
    parser.add_argument("--shapes", nargs="*", default=[shape.__name__ for shape in SHAPES])
    arguments = parser.parse_args()
    histories = [(shape.__name__, shape(arguments.commits, random.Random(arguments.seed)))
                 for shape in SHAPES if shape.__name__ in arguments.shapes]
    if arguments.git:
        histories.append((arguments.git, of_git(arguments.git)))
    print(call(["git", "--version"]).strip(), "and", call([PROVENANCE, "--version"]).strip())
    place = tempfile.TemporaryDirectory(prefix="provenance-graph-")
    install(place.name)
    for shape, parents in histories:
        folder = tempfile.mkdtemp(prefix="provenance-graph-")
        try:
            compare(shape, parents, arguments, folder)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
