"""Packs, blocks, chunks: docs/format/pack.md and docs/format/chunk.md."""

import os
import struct
import zlib
from functools import lru_cache

import zstandard
from blake3 import blake3

from records import Damaged, insist

BLOB, TREE, COMMIT, SIGNATURE, ATTACHMENT, CHUNK, CHUNK_MAP = range(1, 8)
CLASS_KINDS = {1: {TREE, COMMIT, SIGNATURE, ATTACHMENT}, 2: {BLOB, CHUNK, CHUNK_MAP}}
BLOCK_MAX = 16 << 20


def unframe(found, limit, prefix=None):
    """Decompresses exactly one zstd frame (RFC 8878), which must give its content size."""
    insist(found[:4] == b"\x28\xb5\x2f\xfd", "the magic of a frame")
    try:
        frame = zstandard.get_frame_parameters(found)
        insist(frame.content_size <= limit and frame.dict_id == 0, "the header of a frame")
        content = zstandard.ZstdDecompressor(dict_data=prefix).decompress(
            found, allow_extra_data=False
        )
    except zstandard.ZstdError as error:
        raise Damaged(f"a frame: {error}") from error
    insist(len(content) == frame.content_size, "the length in a frame")
    return content


class Pack:
    """One pack, of which every rule of the page is checked when it is opened."""

    def __init__(self, path, name=None):
        self.file = open(path, "rb")
        size = self.file.seek(0, 2)
        insist(size >= 16 + 96, "the pack is truncated")
        header, trailer = self.bytes_at(0, 16), self.bytes_at(size - 96, 96)
        insist(trailer[88:] == b"KCAPVORP" and header[:8] == b"PROVPACK", "this is not a pack")
        insist(trailer[86:88] == header[8:10] == b"\x01\0", "unknown version of packs")
        fields = struct.unpack_from("<QQQIIIB", trailer)
        self.footer, file_bytes, raw_bytes, blocks, bases, objects, self.pack_class = fields
        insist(header[10] == self.pack_class in CLASS_KINDS, "the class of the pack")
        insist(not any(header[11:] + trailer[37:54]), "reserved bytes of the pack")
        insist(1 <= blocks <= objects and bases <= blocks, "the counts of the trailer")
        length = 28 * blocks + 32 * bases + 1024 + 48 * objects
        insist(
            self.footer >= 16 and self.footer + length + 96 == file_bytes == size,
            "the lengths of the trailer",
        )
        footer = self.bytes_at(self.footer, length)
        self.id = blake3(header + footer + trailer[:54]).digest()
        insist(self.id == trailer[54:86], "the hash of the footer")
        self.name = ("records-" if self.pack_class == 1 else "data-") + self.id.hex() + ".pack"
        insist(name in (None, self.name), "the name of the pack")
        at = 28 * blocks
        self.bases = [footer[at + 32 * i : at + 32 * i + 32] for i in range(bases)]
        insist(all(a < b for a, b in zip(self.bases, self.bases[1:])), "the order of the bases")
        self.read_blocks(footer, blocks, raw_bytes)
        self.read_objects(footer[at + 32 * bases :], objects)

    def bytes_at(self, offset, length):
        self.file.seek(offset)
        found = self.file.read(length)
        insist(len(found) == length, "the pack is truncated")
        return found

    def read_blocks(self, footer, count, raw_bytes):
        self.blocks, end, used = [], 16, set()
        for row in struct.iter_unpack("<QIIIBBHI", footer[: 28 * count]):
            offset, encoded, raw, _, codec, depth, reserved, base = row
            insist(offset == end and reserved == 0 and raw <= BLOCK_MAX, "a block row")
            insist(encoded == raw if codec == 0 else encoded < raw, "the lengths of a block")
            if codec == 2:
                insist(1 <= base <= len(self.bases) and 1 <= depth <= 32, "the base of a block")
                used.add(base)
            else:
                insist(codec in (0, 1) and base == depth == 0, "the codec of a block")
            end += encoded
            self.blocks.append(row)
        insist(end == self.footer, "the blocks do not fill the pack")
        insist(sum(row[2] for row in self.blocks) == raw_bytes, "the raw bytes of the pack")
        insist(len(used) == len(self.bases), "a base that no block uses")

    def read_objects(self, tables, count):
        fan_out, ids, rows = (
            tables[:1024],
            tables[1024 : 1024 + 32 * count],
            tables[1024 + 32 * count :],
        )
        self.objects, members, firsts, last = {}, [[] for _ in self.blocks], [0] * 256, (b"", 0)
        for i, (block, offset, length, kind, *reserved) in enumerate(
            struct.iter_unpack("<IIIB3B", rows)
        ):
            name = ids[32 * i : 32 * i + 32]
            insist((name, kind) > last, "the order of the objects")
            insist(
                kind in CLASS_KINDS[self.pack_class] and block < len(self.blocks), "an object row"
            )
            insist(not any(reserved), "an object row")
            last = (name, kind)
            firsts[name[0]] += 1
            members[block].append((offset, length))
            self.objects[last] = (block, offset, length)
        total = 0
        for first, (number,) in zip(firsts, struct.iter_unpack("<I", fan_out)):
            total += first
            insist(number == total, "the fan-out")
        for row, spans in zip(self.blocks, members):
            end = 0
            for offset, length in sorted(spans):
                insist(offset == end, "the objects of a block")
                end += length
            insist(spans and end == row[2], "the objects do not fill their block")

    @lru_cache(maxsize=8)
    def raw_block(self, number, get_base, depth):
        offset, encoded, raw, check, codec, _, _, base = self.blocks[number]
        found = self.bytes_at(offset, encoded)
        insist(zlib.crc32(found) == check, "the check of a block")
        if codec == 0:
            return found
        prefix = None
        if codec == 2:
            insist(depth < 32, "too many bases")
            content = get_base(self.bases[base - 1], depth + 1)
            insist(
                1 <= len(content) <= BLOCK_MAX and content[:4] != b"\x37\xa4\x30\xec",
                "the content of a base",
            )
            prefix = zstandard.ZstdCompressionDict(
                content, dict_type=zstandard.DICT_TYPE_RAWCONTENT
            )
        found = unframe(found, BLOCK_MAX, prefix)
        insist(len(found) == raw, "the length of a block")
        return found


def decode_items(found, length_max):
    insist(len(found) % 36 == 0, "the items of a chunk map")
    items = list(struct.iter_unpack("<32sI", found))
    insist(all(1 <= length <= length_max for _, length in items), "the length of an item")
    return items


def decode_list(found):
    chunks = decode_items(found, BLOCK_MAX)
    insist(1 <= len(chunks) <= 1024, "the number of chunks in a list")
    return chunks


def decode_map(found, name):
    """Gives (level, items) of the map of one blob."""
    insist(
        len(found) >= 84 and found[:6] == b"PVCM\x01\0" and found[7] == 0,
        "the header of a chunk map",
    )
    insist(blake3(found[:-32]).digest() == found[-32:], "the hash of a chunk map")
    level, blob, (blob_bytes, count) = found[6], found[8:40], struct.unpack_from("<QI", found, 40)
    insist(level in (0, 1) and blob == name, "the level or the blob of a chunk map")
    items = decode_items(found[52:-32], 0xFFFFFFFF if level else BLOCK_MAX)
    insist(
        len(items) == count and (count >= 2 if level else 1 <= count <= 1024), "the number of items"
    )
    insist(sum(length for _, length in items) == blob_bytes, "the length in a chunk map")
    return level, items


class Packs:
    """All objects of a repository, whichever pack they are in."""

    def __init__(self, paths):
        self.packs = [
            Pack(path, os.path.basename(path) if checked else None) for path, checked in paths
        ]
        self.where = {}
        for pack in self.packs:
            for key in pack.objects:
                self.where.setdefault(key, pack)
        self.content_of = lambda name, depth: self.get(name, range(BLOB, CHUNK_MAP), depth)

    def find(self, name, kinds):
        return next((kind for kind in kinds if (name, kind) in self.where), None)

    def get(self, name, kinds, depth=0):
        kind = self.find(name, kinds)
        insist(kind is not None, f"object {name.hex()} is missing")
        return self.get_from(self.where[name, kind], name, kind, depth)

    def get_from(self, pack, name, kind, depth=0):
        block, offset, length = pack.objects[name, kind]
        content = pack.raw_block(block, self.content_of, depth)[offset : offset + length]
        if kind != CHUNK_MAP:
            insist(blake3(content).digest() == name, f"the bytes of object {name.hex()}")
        return content

    def parts(self, name):
        """Gives (chunk id, bytes) of a blob that is stored in chunks."""
        level, items = decode_map(self.get(name, [CHUNK_MAP]), name)
        for part, length in items:
            chunks = decode_list(self.get(part, [CHUNK])) if level else [(part, length)]
            insist(sum(chunk[1] for chunk in chunks) == length, "the length of a list of chunks")
            yield from chunks

    def blob(self, name):
        """Gives the pieces of a blob; the last one comes only when the whole is proved."""
        if self.find(name, [BLOB, ATTACHMENT]) is not None:
            yield self.get(name, [BLOB, ATTACHMENT])
            return
        hasher, held = blake3(), b""
        for chunk, length in self.parts(name):
            yield held
            held = self.get(chunk, [CHUNK, BLOB])
            insist(len(held) == length, "the length of a chunk")
            hasher.update(held)
        insist(hasher.digest() == name, f"the bytes of blob {name.hex()}")
        yield held
