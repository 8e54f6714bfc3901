"""Fields of a JSON answer, read strictly: every number exact, every refusal with its place, every surprise noted."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NoReturn, TypeVar

import msgspec

from pumpswap.clock import parse_utc
from pumpswap.errors import UnreadableAnswer
from pumpswap.market.http_drift import Drift, DriftKind, Refused

__all__ = [
    "Element",
    "Place",
    "Unusable",
    "decode_object",
    "each",
    "error_title",
    "exact_number",
    "number_in",
    "whole_in",
]

_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d{1,3})?", re.ASCII)
_LONGEST_NUMBER: Final = 200  # the longest seen has 79 characters
_LARGEST_EXPONENT: Final = 100
_LARGEST_COUNT: Final = 2**63 - 1
_LONGEST_TEXT: Final = 200  # of an identifier; a signature has 88, a moment 20
_SHOWN: Final = 40
_ABSENT: Final = object()

Parsed = TypeVar("Parsed")

_decoder = msgspec.json.Decoder(float_hook=Decimal)


class Unusable(Exception):
    """Inside a parser only: this element cannot be used. ``place`` names the field."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place} {reason}")
        self.place, self.reason = place, reason


def decode_object(body: bytes, what: str) -> dict[str, Any]:
    """The JSON object of an answer, fractions as Decimal. Raises UnreadableAnswer for everything else."""
    try:
        told = _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ArithmeticError) as broken:
        raise UnreadableAnswer(f"{what}: {_kind_of(body)}", hint="try again later") from broken
    if not isinstance(told, dict):
        raise UnreadableAnswer(f"{what}: JSON without an object", hint="the service has changed: upgrade pumpswap")
    return told


def error_title(body: bytes) -> str:
    """What the service says in an error's body, in one short line; empty where it says nothing that can be read."""
    try:
        errors = decode_object(body, "").get("errors")
    except UnreadableAnswer:
        return ""
    first = errors[0] if isinstance(errors, list) and errors else None
    title = first.get("title") if isinstance(first, dict) else None
    return _plain(" ".join(title.split())[:200]) if isinstance(title, str) else ""


def _kind_of(body: bytes) -> str:
    if not body.strip():
        return "an empty answer"
    if body.lstrip()[:1] == b"<":
        return "a web page instead of JSON"
    return f"broken or cut JSON, {len(body)} bytes"


def exact_number(value: object) -> Decimal | None:
    """A text or a JSON number as the exact decimal that it writes. None for what is no number, or an absurd one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if len(value) > _LONGEST_NUMBER or not _NUMBER.fullmatch(value):
            return None
        value = Decimal(value)
    elif isinstance(value, int):
        value = Decimal(value)
    if not isinstance(value, Decimal):
        return None
    if len(value.as_tuple().digits) > _LONGEST_NUMBER or (value and abs(value.adjusted()) > _LARGEST_EXPONENT):
        return None
    return value


@dataclass(frozen=True, slots=True)
class Place:
    """Where an element stands. ``field`` has no positions; ``shown`` has them."""

    endpoint: str
    drift: Drift
    field: str = ""
    shown: str = ""

    def at(self, name: str) -> Place:
        """A field of it."""
        dot = "." if self.field else ""
        return Place(self.endpoint, self.drift, f"{self.field}{dot}{name}", f"{self.shown}{dot}{name}")

    def item(self, position: int) -> Place:
        """An element of it; positions start at 0."""
        return Place(self.endpoint, self.drift, f"{self.field}[]", f"{self.shown}[{position}]")

    def note(self, kind: DriftKind) -> None:
        """Count a difference here."""
        self.drift.note(self.endpoint, self.field, kind)

    def refuse(self, kind: DriftKind, reason: str) -> NoReturn:
        """Note the difference, and give the element up."""
        self.note(kind)
        raise Unusable(self.shown or "the answer", reason)


class Element:
    """One JSON object of an answer. Methods that read a field raise Unusable when it is not what it must be."""

    def __init__(self, value: object, place: Place) -> None:
        self.place = place
        if not isinstance(value, dict):
            place.refuse(DriftKind.TYPE, f"should be an object, is {_shown(value)}")
        self._values: Mapping[str, Any] = value

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def expect(self, known: Collection[str], usual: Collection[str] = ()) -> None:
        """Note fields that are not ``known``, and ``usual`` ones that are not there."""
        for name in self._values:
            if name not in known:
                self.place.at(_plain(name)[:_SHOWN]).note(DriftKind.NEW)
        for name in usual:
            if name not in self._values:
                self.place.at(name).note(DriftKind.MISSING)

    def names(self) -> tuple[str, ...]:
        """Names of its fields, in the order of the answer."""
        return tuple(self._values)

    def child(self, name: str) -> Element:
        """An object that must be there."""
        return Element(self._required(name), self.place.at(name))

    def is_null(self, name: str) -> bool:
        """Whether a field is there, and null."""
        return name in self._values and self._values[name] is None

    def part(self, name: str) -> tuple[object, Place]:
        """A field that must be there, unread, and its place."""
        return self._required(name), self.place.at(name)

    def optional_child(self, name: str) -> Element | None:
        """An object, or None where the field is null or not there."""
        value = self._values.get(name)
        return None if value is None else Element(value, self.place.at(name))

    def items(self, name: str) -> Iterator[tuple[object, Place]]:
        """Elements of a list that must be there."""
        place, values = self.place.at(name), self._required(name)
        if not isinstance(values, list):
            place.refuse(DriftKind.TYPE, f"should be a list, is {_shown(values)}")
        return ((value, place.item(position)) for position, value in enumerate(values))

    def text(self, name: str) -> str:
        """An identifier or a word that must be there: not empty, not absurdly long, nothing that cannot be printed."""
        value = str(self._typed(name, str, "a text"))
        if not value.strip():
            self.place.at(name).refuse(DriftKind.VALUE, "is empty")
        if len(value) > _LONGEST_TEXT or not value.isprintable():
            self.place.at(name).refuse(DriftKind.VALUE, f"is no identifier: {_shown(value)}")
        return value

    def optional_text(self, name: str) -> str:
        """A text for people; empty where the field is null or not there. Anybody may have written it: NUL characters,
        which no database takes, are left out.
        """
        if self._values.get(name) is None:
            return ""
        return str(self._typed(name, str, "a text")).replace("\0", "")

    def number(self, name: str, *, least: int | None = 0, plain: bool = False) -> Decimal | None:
        """An exact number of at least ``least``; None where null or not there. ``plain`` as in number_in."""
        value = self._values.get(name)
        return None if value is None else number_in(value, self.place.at(name), least=least, plain=plain)

    def required_number(self, name: str, *, least: int | None = 0, plain: bool = False) -> Decimal:
        """An exact number that must be there."""
        return number_in(self._required(name), self.place.at(name), least=least, plain=plain)

    def count(self, name: str) -> int:
        """A whole number from 0 that must be there."""
        return whole_in(self._required(name), self.place.at(name))

    def optional_count(self, name: str) -> int | None:
        """A whole number from 0; None where the field is null or not there."""
        value = self._values.get(name)
        return None if value is None else whole_in(value, self.place.at(name))

    def moment(self, name: str) -> int:
        """Nanoseconds of an ISO time that must be there."""
        text = self.text(name)
        try:
            return parse_utc(text)
        except (ValueError, OverflowError):
            self.place.at(name).refuse(DriftKind.VALUE, f"is no time: {_shown(text)}")

    def _required(self, name: str) -> object:
        value = self._values.get(name, _ABSENT)
        if value is _ABSENT:
            self.place.at(name).refuse(DriftKind.MISSING, "is missing")
        if value is None:
            self.place.at(name).refuse(DriftKind.VALUE, "is null")
        return value

    def _typed(self, name: str, kind: type, words: str) -> Any:
        value = self._required(name)
        if not isinstance(value, kind):
            self.place.at(name).refuse(DriftKind.TYPE, f"should be {words}, is {_shown(value)}")
        return value


def each(
    items: Iterator[tuple[object, Place]], parse: Callable[[Element], Parsed], refused: list[Refused]
) -> Iterator[Parsed]:
    """Elements of a list that can be used; the others go to ``refused`` by their own place."""
    for value, place in items:
        try:
            yield parse(Element(value, place))
        except Unusable as why:
            reason = (
                why.reason if why.place == place.shown else f"{why.place[len(place.shown) :].lstrip('.')} {why.reason}"
            )
            refused.append(Refused(place.shown, reason))


def number_in(value: object, place: Place, *, least: int | None = 0, plain: bool = False) -> Decimal:
    """An exact number. ``plain``: the service writes JSON numbers here, else texts.

    The other form is the same number and taken, but noted: nothing is lost and something has changed.
    """
    number = exact_number(value)
    if number is None:
        kind = DriftKind.VALUE if isinstance(value, str | int | Decimal) else DriftKind.TYPE
        place.refuse(kind, f"is no number: {_shown(value)}")
    if plain == isinstance(value, str):
        place.note(DriftKind.TYPE)
    if least is not None and number < least:
        place.refuse(DriftKind.VALUE, f"is below {least}: {_shown(value)}")
    return number


def whole_in(value: object, place: Place) -> int:
    """A whole number from 0 to 2^63 - 1, as JSON writes it; ``7.0`` is 7."""
    number = exact_number(value)
    if number is None or isinstance(value, str):
        place.refuse(DriftKind.TYPE, f"is no whole number: {_shown(value)}")
    if not 0 <= number <= _LARGEST_COUNT or number != int(number):
        place.refuse(DriftKind.VALUE, f"is no count: {_shown(value)}")
    return int(number)


def _plain(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(each if each.isprintable() else "?" for each in text)


def _shown(value: object) -> str:
    text = "null" if value is None else repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
