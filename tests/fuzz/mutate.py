"""Byte strings a decoder might meet: noise, and real bytes flipped, cut, spliced, or with lying lengths."""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

MAX_LEN = 12_000  # three of the longest accounts

LENGTHS = (0, 1, 3, 7, 101, 102, 255, 256, 65_535, 2**24, 2**31 - 1, 2**31, 2**32 - 5, 2**32 - 1)
# Where layouts have counts: ix_name of a BuyEvent (bare, with prefix), tiers, shareholders, is_native's tag.
LENGTH_OFFSETS = (8 + 393, 16 + 393, 65, 76, 109)
TOKENS = (
    b"\nLog truncated\n",
    b"\nProgram data: ",
    b"\nProgram pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA invoke [1]\n",
    b"\nProgram pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA invoke [99]\n",
    b"\nProgram pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA success\n",
    b" failed: custom program error: 0x",
    b"\nProgram 00000000000000000000000000000000000 failed: custom program error: 0xffffffffffffffffffff\n",
    b"\xe5\x45\xa5\x2e\x51\xcb\x9a\x1d",
    b"\xff" * 16,
    b"\0" * 64,
    "ü\u2028".encode(),
)


class Mutator:
    """An endless supply of byte strings, the same for the same Random."""

    def __init__(self, random: Random, seeds: dict[str, list[bytes]]) -> None:
        self.random = random
        self.kinds = sorted(seeds)
        self.seeds = seeds
        self.changes: tuple[Callable[[bytes], bytes], ...] = (
            self.flip,
            self.cut,
            self.extend,
            self.splice,
            self.lie_about_a_length,
            self.overwrite,
            self.drop,
            self.insert,
            self.swap_lines,
        )

    def next(self) -> bytes:
        """One in twenty is noise, one in ten noise behind a real start, the rest real bytes with 0 to 4 changes."""
        dice = self.random.random()
        if dice < 0.05:
            return self.random.randbytes(self.random.randrange(700))
        data = self.seed()
        if dice < 0.15:
            return data[: self.random.choice((8, 16))] + self.random.randbytes(self.random.randrange(4_200))
        for _ in range(self.random.randrange(5)):
            data = self.random.choice(self.changes)(data)
        return data[:MAX_LEN]

    def seed(self) -> bytes:
        return self.random.choice(self.seeds[self.random.choice(self.kinds)])

    def place(self, data: bytes) -> int:
        return self.random.randrange(len(data) + 1)

    def flip(self, data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(self.random.randrange(1, 9) if data else 0):
            changed[self.random.randrange(len(changed))] ^= 1 << self.random.randrange(8)
        return bytes(changed)

    def cut(self, data: bytes) -> bytes:
        return data[: self.place(data)]

    def extend(self, data: bytes) -> bytes:
        size = self.random.choice((1, 7, 16, 600))
        return data + (self.random.randbytes(size) if self.random.random() < 0.5 else bytes(size))

    def splice(self, data: bytes) -> bytes:
        other = self.seed()
        at = self.place(data)
        return data[:at] + other[at if self.random.random() < 0.5 else self.place(other) :]

    def lie_about_a_length(self, data: bytes) -> bytes:
        at = self.random.choice(LENGTH_OFFSETS) if self.random.random() < 0.7 else self.place(data)
        return data[:at] + struct.pack("<I", self.random.choice(LENGTHS)) + data[at + 4 :]

    def overwrite(self, data: bytes) -> bytes:
        at, size = self.place(data), self.random.choice((1, 2, 8, 16, 32))
        return data[:at] + self.random.choice((b"\0", b"\x02", b"\xff")) * size + data[at + size :]

    def drop(self, data: bytes) -> bytes:
        at = self.place(data)
        return data[:at] + data[at + self.random.choice((1, 8, 60)) :]

    def insert(self, data: bytes) -> bytes:
        at = self.place(data)
        return data[:at] + self.random.choice(TOKENS) + data[at:]

    def swap_lines(self, data: bytes) -> bytes:
        lines = data.split(b"\n")
        one, other = self.random.randrange(len(lines)), self.random.randrange(len(lines))
        lines[one], lines[other] = lines[other], lines[one]
        return b"\n".join(lines)
