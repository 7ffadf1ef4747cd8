#!/usr/bin/env python3
"""Writes the table of faults in docs/guarantees.md from the counts that the tests left.

usage: table.py [FOLDER…]    Without one: target/tmp/faults, and what the last `make torture` added
up. The longest run of each row stands.
"""

import json
import pathlib
import re
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]
TOTALS = PROJECT / "target" / "tmp" / "torture.json"
PAGE = PROJECT / "docs" / "guarantees.md"
BEGIN, END = "<!-- faults: written by `make faults` -->\n", "<!-- end of faults -->\n"


def rows(folders):
    """Reads the counts; the longest run of each fault and operation."""
    found = {}
    paths = sorted(path for folder in folders for path in pathlib.Path(folder).glob("*.json"))
    for row in [json.loads(path.read_text()) for path in paths] + totals():
        key = (row["fault"], row["operation"])
        if key not in found or found[key]["tried"] < row["tried"]:
            found[key] = row
    return [found[key] for key in sorted(found)]


def totals():
    """Reads what the suites of `make torture` counted."""
    faults = json.loads(TOTALS.read_text()) if TOTALS.exists() else {}
    return [
        {"fault": fault, "operation": operation, "outcomes": counts, "tried": sum(counts.values())}
        for fault, operations in faults.items()
        for operation, counts in operations.items()
    ]


def table(found):
    """Spells a Markdown table, and under it the sum."""
    lines = ["| fault | operation | tried | what came of it |", "| --- | --- | ---: | --- |"]
    before = None
    for row in found:
        fault = row["fault"] if row["fault"] != before else ""
        before = row["fault"]
        outcomes = sorted(row["outcomes"].items(), key=lambda item: -item[1])
        if len(outcomes) == 1:
            told = outcomes[0][0]
        else:
            told = "; ".join(f"{what} {count:,}" for what, count in outcomes)
        lines.append(f"| {fault} | {row['operation']} | {row['tried']:,} | {told} |")
    tried = sum(row["tried"] for row in found)
    return "\n".join([*lines, "", f"{tried:,} faults in all.", ""])


def main(folders):
    found = rows(folders or [PROJECT / "target" / "tmp" / "faults"])
    if not found:
        sys.exit("no counts yet: run `make test` first")
    page = PAGE.read_text()
    between = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if not between.search(page):
        sys.exit(f"{PAGE}: the marks of the table are not there")
    PAGE.write_text(between.sub(lambda _: BEGIN + "\n" + table(found) + "\n" + END, page))


if __name__ == "__main__":
    main(sys.argv[1:])
