"""What is told of tables: docs/format/profile.md, docs/format/overlaps.md."""

from records import canonical, insist, is_line, record_id

LENGTH_MAX = 16 << 20
TYPES = ("empty", "boolean", "integer", "number", "text", "nested")


def fields(value, required, optional=()):
    """Gives the fields of an object: all that are required, and no other."""
    insist(isinstance(value, dict), "an object")
    insist(set(required) <= set(value), f"a field that is missing: {sorted(value)}")
    insist(set(value) <= {*required, *optional}, f"an unknown field: {sorted(value)}")
    return value


def items(value):
    insist(isinstance(value, list), "a list")
    return value


def count(value):
    insist(type(value) is int and value >= 0, f"a count: {value}")


def line(value, is_filled=True):
    insist(is_line(value) and (value or not is_filled), f"a line: {value!r}")


def decode_profile(found):
    value = canonical(found, LENGTH_MAX)
    needed = ("schema", "tables", "rows", "column_count", "columns", "notes")
    fields(value, needed, ("label",))
    insist(value["schema"] == "provenance/profile/v1", "the schema")
    for name in ("tables", "rows", "column_count"):
        count(value[name])
    for column in items(value["columns"]):
        fields(column, ("name", "type", "missing"), ("min", "max"))
        line(column["name"], is_filled=False)
        insist(column["type"] in TYPES, "a type")
        count(column["missing"])
        for end in ("min", "max"):
            insist(type(column.get(end, 0)) in (int, float), "a number")
    if "label" in value:
        label = fields(value["label"], ("column", "values", "other_rows"))
        line(label["column"])
        count(label["other_rows"])
        for row in items(label["values"]):
            fields(row, ("value", "rows"))
            line(row["value"], is_filled=False)
            count(row["rows"])
    for note in items(value["notes"]):
        line(note)
    return value


def decode_overlaps(found):
    value = canonical(found, LENGTH_MAX)
    fields(value, ("schema", "of", "splits", "pairs", "notes"))
    insist(value["schema"] == "provenance/overlaps/v1", "the schema")
    record_id(value["of"])
    for size in items(value["splits"]):
        fields(size, ("split", "files", "rows"))
        line(size["split"])
        count(size["files"])
        count(size["rows"])
    for pair in items(value["pairs"]):
        fields(pair, ("split", "other", "files", "rows", "samples"))
        line(pair["split"])
        line(pair["other"])
        count(pair["files"])
        count(pair["rows"])
        for sample in items(pair["samples"]):
            fields(sample, ("path", "other_path"), ("line", "other_line"))
            for name in ("path", "other_path"):
                insist(isinstance(sample[name], str) and sample[name], "a path")
            count(sample.get("line", 0))
            count(sample.get("other_line", 0))
    for note in items(value["notes"]):
        line(note)
    return value
