"""Canonical JSON, and what records have in common: docs/format/json.md, docs/format/object.md."""

import datetime
import json
import re


class Damaged(Exception):
    """Something is not as the pages say."""


def insist(holds, what):
    if not holds:
        raise Damaged(what)


def matches(pattern, text):
    return isinstance(text, str) and re.fullmatch(pattern, text) is not None


def record_id(text):
    insist(matches("blake3:[0-9a-f]{64}", text), f"an id: {text}")
    return bytes.fromhex(text[7:])


def is_line(text):
    return matches("[^\x00-\x1f\x7f]*", text) and len(text.encode()) <= 4096


def is_time(text):
    if not matches(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text) or not text.isascii():
        return False
    try:
        return (
            bool(datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")) and text[17:19] < "60"
        )
    except ValueError:
        return False


def spell_number(value):
    """Spells a number as ECMAScript's Number::toString does."""
    if isinstance(value, int):
        insist(abs(value) <= 2**53 - 1, "an integer that others would round")
        return str(value)
    insist(value - value == 0, "a number that is not finite")
    sign, (mantissa, _, power) = "-" if value < 0 else "", repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(digits) - len(fraction) + int(power or 0)  # Of 0.digits, how far to the right.
    digits = digits.rstrip("0") or "0"
    if digits == "0":
        return "0"
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    return sign + digits[0] + ("." + digits[1:] if digits[1:] else "") + f"e{point - 1:+}"


def spell(value, depth=0):
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (bool, type(None))):
        return json.dumps(value)
    if isinstance(value, (int, float)):
        return spell_number(value)
    insist(depth < 64, "JSON that is too deep")
    if isinstance(value, list):
        return "[" + ",".join(spell(item, depth + 1) for item in value) + "]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join(spell(name) + ":" + spell(value[name], depth + 1) for name in names) + "}"


def canonical(found, limit):
    """Reads JSON that has exactly one spelling."""
    insist(len(found) <= limit, "a record that is too long")

    def members(pairs):
        insist(len(dict(pairs)) == len(pairs), "a name that comes twice")
        return dict(pairs)

    def refuse(constant):
        raise Damaged(f"{constant} is no number")

    try:
        value = json.loads(found.decode("utf-8"), object_pairs_hook=members, parse_constant=refuse)
        insist(spell(value).encode("utf-8") == found, "JSON that is not spelled canonically")
    except (ValueError, RecursionError) as error:
        raise Damaged(f"JSON: {error}") from error
    return value
