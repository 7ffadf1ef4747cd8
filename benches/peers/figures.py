"""Reads the results back: figures by what they measure, and ratios within one round."""

import json
import statistics

# Operations whose time includes the sync after them; `cp_back` is none of them.
SYNCED = ("record", "record_b", "record_c", "cp", "tar", "tar_zstd")


class Figures:
    """Holds the measurements of one binary at one scale; a repeated round counts once."""

    def __init__(self, path, any_binary=False):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        machines = [line for line in lines if line["op"] == "machine"]
        if not machines:
            raise SystemExit(f"{path}: nothing measured yet")
        self.about = machines[-1]
        keys = ("scale",) if any_binary else ("binary", "scale")
        lines = [line for line in lines if all(line[key] == self.about[key] for key in keys)]
        self.notes = [line for line in lines if not line.get("ok", True)]
        measured = [line for line in lines if line.get("ok") and "side" in line]
        latest = {}
        for line in measured:
            pair = line["workload"], line["partner"], line["round"]
            latest[pair] = max(latest.get(pair, 0), line["attempt"])
        self.by_key = {}
        for line in measured:
            pair = line["workload"], line["partner"], line["round"]
            if line["attempt"] == latest[pair]:
                self.by_key.setdefault((*pair, line["side"], line["op"]), []).append(line)
        self.notes = [
            line for line in self.notes
            if line.get("attempt", 0) >= latest.get(
                (line["workload"], line["partner"], line["round"]), 0)
        ]
        self.rounds = sorted(latest)

    def all(self, workload, side, op, field="seconds"):
        """Gives every value of one operation of one side, over all rounds."""
        return [
            value_of(line, field)
            for key, lines in self.by_key.items()
            if (key[0], key[3], key[4]) == (workload, side, op)
            for line in lines
            if value_of(line, field) is not None
        ]

    def ratios(self, workload, partner, over, under):
        """Gives the ratios of two sums of terms, a term being (side, op, field).

        Each is taken within one round: repetition by repetition where all terms have as many,
        else of their medians. A round that lacks a term gives none.
        """
        found = []
        for number in (key[2] for key in self.rounds if key[:2] == (workload, partner)):
            pair = workload, partner, number
            top = [self.of_round(pair, term) for term in over]
            bottom = [self.of_round(pair, term) for term in under]
            if not all(top + bottom):
                continue
            if len({len(values) for values in top + bottom}) > 1:
                top = [[statistics.median(values)] for values in top]
                bottom = [[statistics.median(values)] for values in bottom]
            sums = zip(map(sum, zip(*top)), map(sum, zip(*bottom)), strict=True)
            found += [one / other for one, other in sums if other]
        return found

    def of_round(self, pair, term):
        side, op, field = term
        values = (value_of(line, field) for line in self.by_key.get((*pair, side, op), []))
        return [value for value in values if value is not None]


def value_of(line, field):
    """Gives one figure of a line.

    `seconds` includes the sync where the operation records, `durable` always.
    """
    if field not in ("seconds", "durable"):
        return line.get(field)
    if "wall_s" not in line:
        return None
    is_synced = field == "durable" or line["op"] in SYNCED
    return line["wall_s"] + (line["sync_s"] if is_synced else 0)


def spread(values, show):
    """Writes the median and, if there are several values, the least and the greatest."""
    if not values:
        return "–"
    middle = show(statistics.median(values))
    if len(values) == 1:
        return middle
    return f"{middle} ({show(min(values))}–{show(max(values))})"


def seconds(value):
    if value < 0.1:
        return f"{1000 * value:.1f} ms"
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def megabytes(value):
    size = value / 1e6
    return f"{size:,.0f} MB" if abs(size) >= 100 else f"{size:.3g} MB"


def ratio(value):
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"
