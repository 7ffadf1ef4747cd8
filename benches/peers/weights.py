"""A safetensors file of bf16 weights with the names and shapes of TinyLlama-1.1B.

A smaller scale keeps all 201 tensors and makes each narrower, so that "a tenth of the tensors"
stays a tenth of the bytes.
"""

import json
import math
import struct

import numpy as np

from text import generator

LAYERS = 22
SLICE_VALUES = 1 << 22


def shapes(scale):
    """Lists names and shapes in file order."""

    def narrow(width):
        return width if scale == 1 else max(8, round(width * math.sqrt(scale) / 8) * 8)

    hidden, inner, heads, words = narrow(2048), narrow(5632), narrow(256), narrow(32_000)
    listed = [("model.embed_tokens.weight", (words, hidden))]
    for layer in range(LAYERS):
        parts = [
            ("input_layernorm", (hidden,)),
            ("mlp.down_proj", (hidden, inner)),
            ("mlp.gate_proj", (inner, hidden)),
            ("mlp.up_proj", (inner, hidden)),
            ("post_attention_layernorm", (hidden,)),
            ("self_attn.k_proj", (heads, hidden)),
            ("self_attn.o_proj", (hidden, hidden)),
            ("self_attn.q_proj", (hidden, hidden)),
            ("self_attn.v_proj", (heads, hidden)),
        ]
        listed += [(f"model.layers.{layer}.{name}.weight", shape) for name, shape in parts]
    return listed + [("model.norm.weight", (hidden,)), ("lm_head.weight", (words, hidden))]


def header(listed):
    """Builds the JSON header with its length in front, padded to 8 bytes."""
    entries, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in listed:
        end = offset + 2 * math.prod(shape)
        entries[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def to_bf16(values):
    """Rounds float32 to the nearest bf16, ties to even."""
    bits = values.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def from_bf16(values):
    """Widens bf16 to float32."""
    return (values.astype(np.uint32) << 16).view(np.float32)


def is_nudged(kind, index):
    """Tells whether a sibling changes this tensor: all of them in `b`, every tenth in `c`."""
    return kind == "b" or (kind == "c" and index % 10 == 3)


def tensor(index, name, shape, kind):
    """Yields a tensor's bytes in slices; a sibling's are `w * (1 + r * N(0, 1))`."""
    rng = generator(1, index)
    spread = np.float32(0.05 if "norm" in name else 0.02 + 0.08 * rng.random())
    centre = np.float32(1 if "norm" in name else 0)
    nudge = generator(2 if kind == "b" else 3, index)
    step = np.float32(10 ** (nudge.random() - 3))
    left = math.prod(shape)
    while left:
        count = min(left, SLICE_VALUES)
        left -= count
        values = to_bf16(centre + spread * rng.standard_normal(count, dtype=np.float32))
        if is_nudged(kind, index):
            factor = 1 + step * nudge.standard_normal(count, dtype=np.float32)
            values = to_bf16(from_bf16(values) * factor)
        yield values.tobytes()


def write(path, kind, scale):
    """Writes one model: `base`, or its siblings `b` (fine-tuned) and `c` (a tenth changed)."""
    listed = shapes(scale)
    with open(path, "wb") as file:
        file.write(header(listed))
        for index, (name, shape) in enumerate(listed):
            for piece in tensor(index, name, shape, kind):
                file.write(piece)
