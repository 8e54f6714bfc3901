"""Borsh records declared once, as annotated classes, and compiled to ``struct`` codecs.

A record class lists its fields in wire order with the types below; that list is the layout, the documentation and the
type checker's view at once. PROTOCOL sections 2 and 5: fields are packed little endian without padding, and both
accounts and events grow at the end, so a reader must take missing trailing fields as zero and ignore what follows.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Annotated, Any, get_type_hints

import msgspec
from solders.pubkey import Pubkey

__all__ = [
    "U8",
    "U16",
    "U64",
    "Flag",
    "I64",
    "I128",
    "Key",
    "KeyList7",
    "KeyList8",
    "Layout",
    "Record",
    "Text",
    "U64x30",
    "ZERO_KEY",
    "field_names",
    "layout_of",
]

ZERO_KEY = Pubkey.default()


@dataclass(frozen=True, slots=True)
class Wire:
    """How one field lies on the wire: struct format, bytes, and its two conversions."""

    format: str
    size: int
    read: Callable[[Any], Any] | None = None
    write: Callable[[Any], Any] | None = None
    count: int = 1


# Virtual reserves are signed since 2026-09-30: fees owed are subtracted from them.
_read_i128 = partial(int.from_bytes, byteorder="little", signed=True)


def _write_i128(value: int) -> bytes:
    return value.to_bytes(16, "little", signed=True)


# Borsh knows 0 and 1 only; anything else (an IndexError here) is not this layout.
_read_flag = (False, True).__getitem__


def _keys(count: int) -> Wire:
    def read(raw: bytes) -> tuple[Pubkey, ...]:
        return tuple(Pubkey.from_bytes(raw[at : at + 32]) for at in range(0, 32 * count, 32))

    def write(keys: tuple[Pubkey, ...]) -> bytes:
        # struct would pad or cut a list of another length without a word.
        if len(keys) != count:
            raise ValueError(f"a list of {len(keys)} keys where the layout has {count}")
        return b"".join(bytes(key) for key in keys)

    return Wire(f"{32 * count}s", 32 * count, read, write)


def _u64s(count: int) -> Wire:
    packer = struct.Struct(f"<{count}Q")
    return Wire(f"{8 * count}s", 8 * count, packer.unpack, lambda values: packer.pack(*values))


U8 = Annotated[int, Wire("B", 1)]
U16 = Annotated[int, Wire("H", 2)]
U64 = Annotated[int, Wire("Q", 8)]
I64 = Annotated[int, Wire("q", 8)]
I128 = Annotated[int, Wire("16s", 16, _read_i128, _write_i128)]
Flag = Annotated[bool, Wire("B", 1, _read_flag, int)]
Key = Annotated[Pubkey, Wire("32s", 32, Pubkey.from_bytes, bytes)]
KeyList7 = Annotated[tuple[Pubkey, ...], _keys(7)]
KeyList8 = Annotated[tuple[Pubkey, ...], _keys(8)]
U64x30 = Annotated[tuple[int, ...], _u64s(30)]
Text = Annotated[str, Wire("", 0)]


class Record(msgspec.Struct, frozen=True):
    """Base of every record: immutable, compared by value, cheap to make."""


class _Run:
    """Fixed-size neighbours, unpacked in one call."""

    def __init__(self, fields: list[tuple[str, Wire]]) -> None:
        self.names = [name for name, _ in fields]
        self.struct = struct.Struct("<" + "".join(wire.format for _, wire in fields))
        self.reads = _grouped_reads([wire for _, wire in fields])
        self.writes = [(at, wire.write) for at, (_, wire) in enumerate(fields) if wire.write]
        ends, position = {0}, 0
        for _, wire in fields:
            position += wire.size
            ends.add(position)
        self.boundaries = frozenset(ends)

    def unpack(self, raw: bytes, position: int) -> list[Any]:
        values = list(self.struct.unpack_from(raw, position))
        try:
            for one, span, read in self.reads:
                if span is None:
                    values[one] = read(values[one])
                else:
                    values[span] = map(read, values[span])
        except IndexError:
            raise ValueError("a bool byte is neither 0 nor 1") from None
        return values

    def pack(self, values: list[Any]) -> bytes:
        for at, write in self.writes:
            values[at] = write(values[at])
        return self.struct.pack(*values)


def _grouped_reads(wires: list[Wire]) -> list[tuple[int, slice | None, Callable[[Any], Any]]]:
    """Where to convert what: (place, None, read), or (first place, slice, read) for neighbours of one kind."""
    reads: list[tuple[int, slice | None, Callable[[Any], Any]]] = []
    for at, wire in enumerate(wires):
        if wire.read is None:
            continue
        if reads and reads[-1][2] is wire.read and wires[at - 1].read is wire.read:
            reads[-1] = (reads[-1][0], slice(reads[-1][0], at + 1), wire.read)
        else:
            reads.append((at, None, wire.read))
    return reads


class Layout:
    """Codec of one record class. Errors are ValueErrors; callers name them."""

    def __init__(self, record: type[Record]) -> None:
        hints = get_type_hints(record, include_extras=True)
        self.parts: list[_Run | None] = []  # None is a length-prefixed text
        pending: list[tuple[str, Wire]] = []
        for name in record.__struct_fields__:
            wire = next((meta for meta in getattr(hints[name], "__metadata__", ()) if isinstance(meta, Wire)), None)
            if wire is None:
                continue  # a field of ours, not of the wire
            if wire.format:
                pending.append((name, wire))
                continue
            self.parts += [_Run(pending), None]
            pending = []
        if pending:
            self.parts.append(_Run(pending))
        self.size = sum(part.struct.size for part in self.parts if part)
        self.boundaries = self.parts[0].boundaries if self.parts[0] else frozenset({0})

    def unpack(self, payload: bytes, *, pad_anywhere: bool) -> list[Any]:
        """Field values in order, missing trailing ones as zero, surplus bytes ignored.

        ``pad_anywhere``: accounts are zero-padded whatever their length; a payload of an event that stops inside a
        field is broken and raises ValueError, as do impossible values.
        """
        values: list[Any] = []
        position = 0
        for part in self.parts:
            if part is None:
                text, position = _read_text(payload, position)
                values.append(text)
                continue
            size = part.struct.size
            if position + size <= len(payload):
                values += part.unpack(payload, position)
            else:
                rest = payload[position:]
                if not pad_anywhere and len(rest) not in part.boundaries:
                    raise ValueError(f"payload of {len(payload)} bytes ends inside a field")
                values += part.unpack(rest.ljust(size, b"\0"), 0)
            position += size
        return values

    def pack(self, values: list[Any]) -> bytes:
        """Bytes of all fields."""
        out, position = b"", 0
        for part in self.parts:
            if part is None:
                raw = values[position].encode()
                out += struct.pack("<I", len(raw)) + raw
                position += 1
            else:
                out += part.pack(values[position : position + len(part.names)])
                position += len(part.names)
        return out


def _read_text(payload: bytes, position: int) -> tuple[str, int]:
    if position >= len(payload):
        return "", position
    if position + 4 > len(payload):
        raise ValueError("payload ends inside a text length")
    length = int.from_bytes(payload[position : position + 4], "little")
    end = position + 4 + length
    if end > len(payload):
        raise ValueError(f"a text of {length} bytes does not fit the payload")
    return payload[position + 4 : end].decode("utf-8"), end


def field_names(record: Any) -> tuple[str, ...]:
    """Names of the fields of a record (or its class), in wire order; a Pool lists its own."""
    names: tuple[str, ...] = getattr(record, "FIELDS", None) or record.__struct_fields__
    return names


@cache
def layout_of(record: type[Record]) -> Layout:
    """The compiled layout of a record class."""
    return Layout(record)
