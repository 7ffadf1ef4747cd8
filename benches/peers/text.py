"""Made-up text that compresses about as English does: words of syllables, picked by rank.

Nothing here reads a clock or the machine: one seed gives the same bytes everywhere.
"""

import functools
import random

import numpy as np

VOCABULARY_WORDS = 12_000
CONSONANTS = "bcdfghklmnprstvwz"
VOWELS = "aeiou"


@functools.cache
def vocabulary():
    """Gives the words, short ones first, because frequent words are short."""
    choice = random.Random(7)
    words = set()
    while len(words) < VOCABULARY_WORDS:
        syllables = choice.choice((1, 1, 2, 2, 2, 3, 3, 4))
        words.add("".join(_syllable(choice) for _ in range(syllables)))
    return sorted(words, key=lambda word: (len(word), word))


def _syllable(choice):
    tail = choice.choice(CONSONANTS) if choice.random() < 0.4 else ""
    return choice.choice(CONSONANTS) + choice.choice(VOWELS) + tail


def generator(*seed):
    """Gives a generator of random numbers that depends on the seed alone."""
    return np.random.Generator(np.random.SFC64(seed))


def words(rng, count):
    """Picks words with a frequency of about one over their rank (Zipf)."""
    known = vocabulary()
    ranks = np.power(float(len(known)), rng.random(count)).astype(np.int64) - 1
    return [known[rank] for rank in ranks.tolist()]


def small_document(*seed):
    """Writes one JSON document of 1 to 16 KiB: half of them small, half of any size."""
    rng = generator(*seed)
    if rng.random() < 0.5:
        size = int(1024 * 16 ** rng.random())
    else:
        size = int(rng.integers(1024, 16 * 1024 + 1))
    stock = words(rng, size // 5 + 64)
    numbers = rng.random(size // 50 + 8).tolist()
    lines = ['{"version":3,"source":%d,"samples":[\n' % seed[-1]]
    filled, word, number = len(lines[0]), 0, 0
    while filled < size:
        score, length = numbers[number % len(numbers)], numbers[(number + 1) % len(numbers)]
        taken = 8 + int(24 * length)
        picked = stock[word : word + taken]
        lines.append(
            '{"sample":%d,"score":%.6f,"class":"%s","text":"%s"},\n'
            % (number, score, picked[0], " ".join(picked))
        )
        filled += len(lines[-1])
        number += 1
        word = word + taken if word + taken < len(stock) - 32 else 0
    return "".join(lines)[: size - 3].encode() + b"\n]}"


def short_record(number, bytes_exactly):
    """Writes one JSON line of exactly this many bytes."""
    rng = generator(60, number)
    head = '{"sample":%d,"score":%.6f,"text":"' % (number, rng.random())
    text = " ".join(words(rng, bytes_exactly // 2))
    return (head + text)[: bytes_exactly - 3].encode() + b'"}\n'


def table_rows(first, count):
    """Gives `count` rows of a CSV table, the first of them numbered `first`."""
    rng = generator(30, first)
    splits = ("train", "valid", "test", "holdout", "adapter", "eval")
    kinds = rng.integers(0, len(splits), count).tolist()
    scores = rng.random(count).tolist()
    deltas = (10 * rng.standard_normal(count)).tolist()
    tokens = rng.integers(0, 1 << 20, count).tolist()
    lengths = rng.integers(4, 15, count).tolist()
    stock = words(rng, sum(lengths))
    at = 0
    for i in range(count):
        row = first + i
        text = " ".join(stock[at : at + lengths[i]])
        at += lengths[i]
        yield "%d,2026-%02d-%02dT%02d:%02d:%02d,%s,%.5f,%.5f,%d,%s\n" % (
            row, row // 2_592_000 % 12 + 1, row // 86_400 % 28 + 1, row // 3600 % 24,
            row // 60 % 60, row % 60, splits[kinds[i]], scores[i], deltas[i], tokens[i], text,
        )
