"""The arithmetic of the table: `python3 -m unittest discover benches/peers`."""

import json
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import aims
import trash
import trees
from figures import Figures, spread

COMMON = {"binary": "b2", "scale": 1}
OURS, THEIRS = (("provenance", "record", "seconds"),), (("git", "record", "seconds"),)


def line(side, wall_s, number=0, rep=0, attempt=1, op="record", **more):
    pair = {"workload": "W1", "partner": "git", "round": number, "attempt": attempt}
    figures = {"wall_s": wall_s, "sync_s": 0.5, "side": side, "op": op, "rep": rep, "ok": True}
    return COMMON | pair | figures | more


def figures_of(*lines, any_binary=False):
    about = COMMON | {"op": "machine", "versions": {}, "machine": {}}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.jsonl"
        path.write_text("".join(json.dumps(one) + "\n" for one in (*lines, about)))
        return Figures(path, any_binary)


class Ratios(unittest.TestCase):
    def test_a_ratio_is_taken_within_a_round_and_never_across(self):
        figures = figures_of(
            line("provenance", 1.5, number=0), line("git", 3.5, number=0),
            line("provenance", 9.5, number=1), line("git", 4.5, number=2),
        )
        self.assertEqual(figures.ratios("W1", "git", OURS, THEIRS), [0.5])

    def test_a_copy_back_counts_without_the_sync_unless_it_is_asked_for(self):
        figures = figures_of(line("provenance", 1.0, op="restore"), line("git", 1.0, op="cp_back"))
        for field, expected in (("seconds", 1.0), ("durable", 1.0)):
            over = (("provenance", "restore", field),)
            under = (("git", "cp_back", field),)
            self.assertEqual(figures.ratios("W1", "git", over, under), [expected])
        over, under = (("git", "cp_back", "durable"),), (("git", "cp_back", "seconds"),)
        self.assertEqual(figures.ratios("W1", "git", over, under), [1.5])

    def test_repetitions_are_compared_one_by_one(self):
        figures = figures_of(
            line("provenance", 1.5), line("provenance", 2.5, rep=1),
            line("git", 3.5), line("git", 0.5, rep=1),
        )
        self.assertEqual(figures.ratios("W1", "git", OURS, THEIRS), [0.5, 3.0])

    def test_recording_includes_the_sync_and_looking_does_not(self):
        figures = figures_of(line("git", 1.0), line("git", 1.0, op="status_clean"))
        self.assertEqual(figures.all("W1", "git", "record"), [1.5])
        self.assertEqual(figures.all("W1", "git", "status_clean"), [1.0])

    def test_a_round_that_was_played_again_counts_once(self):
        figures = figures_of(line("git", 8.0, attempt=1), line("git", 1.0, attempt=2))
        self.assertEqual(figures.all("W1", "git", "record"), [1.5])

    def test_terms_with_other_numbers_of_repetitions_are_compared_by_their_medians(self):
        status = (("provenance", "status_clean", "seconds"),)
        figures = figures_of(
            line("provenance", 0.5), line("provenance", 1.0, op="status_clean"),
            line("provenance", 4.0, op="status_clean", rep=1),
            line("provenance", 2.0, op="status_clean", rep=2),
        )
        self.assertEqual(figures.ratios("W1", "git", OURS, status), [0.5])

    def test_what_failed_is_no_figure_but_a_note(self):
        figures = figures_of(line("git", 1.0, ok=False, note="other bytes"))
        self.assertEqual(figures.all("W1", "git", "record"), [])
        self.assertEqual([one["note"] for one in figures.notes], ["other bytes"])

    def test_an_older_binary_counts_only_if_asked_for(self):
        older = line("git", 1.0) | {"binary": "b1"}
        self.assertEqual(figures_of(older).all("W1", "git", "record"), [])
        figures = figures_of(older, any_binary=True)
        self.assertEqual(figures.all("W1", "git", "record"), [1.5])


class Checks(unittest.TestCase):
    def test_two_workloads_are_summed_round_by_round(self):
        def check(side, op, wall_s, workload, number):
            pair = {"workload": workload, "partner": "limits"}
            return line(side, wall_s, number=number, op=op) | pair

        figures = figures_of(
            *(check("provenance", "verify", wall_s, *where) for where, wall_s in (
                (("W1", 0), 3.0), (("W2", 0), 1.0), (("W1", 1), 9.0))),
            *(check("limits", "hash_raw_and_stored", wall_s, *where) for where, wall_s in (
                (("W1", 0), 1.0), (("W2", 0), 3.0), (("W1", 1), 9.0))),
        )
        self.assertEqual(aims.both_checks(figures)[2:], ("1.00", True))


class Trash(unittest.TestCase):
    def test_many_files_are_renamed_and_few_deleted(self):
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "trash"
            trees_of = {"many": trash.FEW_FILES, "more": trash.FEW_FILES, "few": 3}
            for name, count in trees_of.items():
                (Path(scratch) / name).mkdir()
                for number in range(count):
                    (Path(scratch) / name / str(number)).touch()
            trash.put(folder, *(Path(scratch) / name for name in (*trees_of, "absent")))
            self.assertEqual(sorted(len(list(one.iterdir())) for one in folder.iterdir()),
                             [trash.FEW_FILES, trash.FEW_FILES])
            self.assertEqual([one.name for one in Path(scratch).iterdir()], ["trash"])
            quick = {"DROP": f"{scratch}/switch", "SETTLE_S": 0}
            with unittest.mock.patch.multiple(trash, **quick):
                self.assertEqual([trash.empty(folder), trash.empty(folder)], [True, False])
                self.assertEqual((Path(scratch) / "switch").read_text(), "1")
            self.assertFalse(folder.exists())


class Trees(unittest.TestCase):
    def test_files_and_folders_and_links_are_counted_once(self):
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder) / "tree"
            tree.mkdir()
            (tree / "one").write_bytes(b"x" * 5000)
            (tree / "link").hardlink_to(tree / "one")
            (Path(folder) / "file").write_bytes(b"y" * 10)
            usage = trees.disk_usage([tree, Path(folder) / "file", Path(folder) / "absent"])
        self.assertEqual((usage["apparent_bytes"], usage["stored_files"]), (5010, 2))

    def test_a_difference_is_found_wherever_it_is(self):
        with tempfile.TemporaryDirectory() as folder:
            one, other = Path(folder) / "one", Path(folder) / "other"
            for root in (one, other):
                (root / "sub").mkdir(parents=True)
                (root / "sub" / "file").write_bytes(b"same")
            self.assertIsNone(trees.difference(one, other))
            (other / "sub" / "file").write_bytes(b"sane")
            self.assertEqual(trees.difference(one, other), "other bytes in sub/file")
            (other / "more").write_bytes(b"")
            self.assertEqual(trees.difference(one, other), "other names, one of them more")


class Aims(unittest.TestCase):
    def test_an_aim_is_met_by_the_median_and_unmeasured_without_figures(self):
        show = str
        self.assertTrue(aims.row("", "", [0.5, 0.9, 3.0], 1.0, show)[3])
        self.assertFalse(aims.row("", "", [0.5, 1.1, 3.0], 1.0, show)[3])
        self.assertIsNone(aims.row("", "", [], 1.0, show)[3])

    def test_every_aim_has_a_row_without_any_figures(self):
        for _, _, text, met in aims.rows(figures_of()):
            self.assertEqual((text, met), ("–", None))

    def test_a_spread_shows_the_median_and_both_ends(self):
        self.assertEqual(spread([3, 1, 2], str), "2 (1–3)")
        self.assertEqual(spread([3], str), "3")


if __name__ == "__main__":
    unittest.main()
