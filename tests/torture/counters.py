"""usage: counters.py TOTALS add|print    Adds up what the tests counted below target/tmp/faults.

`add` takes each file into TOTALS and removes it; `print` writes one line per fault and operation.
"""

import json
import pathlib
import sys

FAULTS = pathlib.Path("target/tmp/faults")


def load(path):
    return json.loads(path.read_text()) if path.exists() else {}


def add(path):
    totals = load(path)
    for counted in sorted(FAULTS.glob("*.json")):
        row = json.loads(counted.read_text())
        outcomes = totals.setdefault(row["fault"], {}).setdefault(row["operation"], {})
        for outcome, count in row["outcomes"].items():
            outcomes[outcome] = outcomes.get(outcome, 0) + count
        counted.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(totals, indent=1, sort_keys=True))


def show(path):
    total = 0
    for fault, operations in load(path).items():
        for operation, outcomes in operations.items():
            total += sum(outcomes.values())
            words = "; ".join(f"{count} {outcome}" for outcome, count in outcomes.items())
            print(f"{fault} | {operation} | {words}")
    print(f"{total} cases")


if __name__ == "__main__":
    {"add": add, "print": show}[sys.argv[2]](pathlib.Path(sys.argv[1]))
