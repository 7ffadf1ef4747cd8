"""Commits: docs/format/commit.md and docs/schema/commit-v1.json."""

import json
import os
import re

from records import canonical, insist, is_time
from trees import is_name

HERE = os.path.dirname(os.path.abspath(__file__))
SCHEMA = os.path.join(HERE, "../../docs/schema/commit-v1.json")
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


def decode_commit(found):
    """Checks all of a commit that does not depend on other objects."""
    commit = canonical(found, 4 << 20)
    with open(SCHEMA, encoding="utf-8") as file:
        schema = json.load(file)
    insist(conforms(commit, schema, schema["$defs"]), "the fields of a commit")
    run = commit.get("run", {})
    insist(ascends(commit["artifacts"], "path", "name"), "the order of artifacts")
    insist(
        ascends(run.get("inputs", []), "path") and ascends(run.get("outputs", []), "path"),
        "the order in a run",
    )
    modules = [module.encode() for module in commit.get("fine_tune", {}).get("target_modules", [])]
    insist(modules == sorted(set(modules)), "the order of modules")
    times = [commit["time"]] + [run[field] for field in ("started", "ended") if field in run]
    insist(all(map(is_time, times)), "a time in a commit")
    names = [name for item in commit["artifacts"] for name in item["path"].encode().split(b"/")]
    insist(all(map(is_name, names)), "the path of an artifact")
    return commit


def ascends(items, *fields):
    keys = [tuple(item[field].encode() for field in fields) for item in items]
    return keys == sorted(set(keys))


def conforms(value, schema, definitions):
    """JSON Schema 2020-12, as much of it as the schema of commits uses."""

    def within(part, where=value):
        return part if isinstance(part, bool) else conforms(where, part, definitions)

    if "$ref" in schema and not within(definitions[schema["$ref"].removeprefix("#/$defs/")]):
        return False
    if "oneOf" in schema and sum(map(within, schema["oneOf"])) != 1:
        return False
    if (
        "const" in schema
        and value != schema["const"]
        or "enum" in schema
        and value not in schema["enum"]
    ):
        return False
    if "type" in schema and (
        isinstance(value, bool) or not isinstance(value, TYPES[schema["type"]])
    ):
        return isinstance(value, bool) and schema["type"] == "boolean"
    if isinstance(value, str):
        pattern = schema.get("pattern", "").removesuffix("$") + (
            r"\Z" if "pattern" in schema else ""
        )
        lengths = schema.get("minLength", 0), schema.get("maxLength", 1 << 32)
        return (
            lengths[0] <= len(value)
            and len(value.encode()) <= lengths[1]
            and bool(re.search(pattern, value))
        )
    if isinstance(value, (int, float)):
        return schema.get("minimum", value) <= value <= schema.get("maximum", value)
    if isinstance(value, list):
        first, rest = schema.get("prefixItems", []), schema.get("items", True)
        distinct = {json.dumps(item, sort_keys=True) for item in value}
        return (
            schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 1 << 32)
            and (len(distinct) == len(value) or not schema.get("uniqueItems"))
            and all(within(part, item) for part, item in zip(first, value))
            and all(within(rest, item) for item in value[len(first) :])
        )
    if isinstance(value, dict):
        known, rest = schema.get("properties", {}), schema.get("additionalProperties", True)
        needed = set(schema.get("required", []))
        for name, others in schema.get("dependentRequired", {}).items():
            needed |= set(others) if name in value else set()
        return needed <= set(value) and all(
            within(known.get(name, rest), item) for name, item in value.items()
        )
    return True
