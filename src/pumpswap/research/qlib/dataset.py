"""QlibDataset: a folder in QLib's binary layout, ours or another's, read without QLib."""

from __future__ import annotations

import json
import math
import sys
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pumpswap.errors import BadInput, NotFound
from pumpswap.research.qlib.symbols import clean_name, folder_of

__all__ = ["NOTE_FILE", "PARTS", "DatasetNote", "Feature", "QlibDataset"]

# Beside QLib's own three folders; QLib does not look at it.
NOTE_FILE = "pumpswap.json"
PARTS = ("calendars", "instruments", "features")

_SCHEMA, _VERSION = "pumpswap.qlib_dataset", 1


@dataclass(frozen=True, slots=True)
class DatasetNote:
    """How a dataset of ours was made: what an update needs to go on in the same way. ``symbols`` are by pool id."""

    frequency: str
    kind: str
    fields: tuple[str, ...]
    filters: Mapping[str, str]
    symbols: Mapping[str, str]

    def text(self) -> str:
        """The file; equal notes are equal bytes."""
        said = {
            "schema": _SCHEMA,
            "version": _VERSION,
            "frequency": self.frequency,
            "kind": self.kind,
            "fields": list(self.fields),
            "filters": dict(sorted(self.filters.items())),
            "symbols": dict(sorted(self.symbols.items())),
        }
        return json.dumps(said, indent=2) + "\n"

    @classmethod
    def read(cls, path: Path) -> DatasetNote:
        """Raises BadInput."""
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            if (said["schema"], said["version"]) != (_SCHEMA, _VERSION):
                raise BadInput(f"{path} is of another version", hint="export with --mode all makes it anew")
            symbols = {str(pool): str(symbol) for pool, symbol in said["symbols"].items()}
            if any(clean_name(symbol) != symbol or not symbol for symbol in symbols.values()):
                raise BadInput(f"{path} has symbols that are none", hint="export with --mode all makes it anew")
            return cls(
                frequency=str(said["frequency"]),
                kind=str(said["kind"]),
                fields=tuple(map(str, said["fields"])),
                filters={str(name): str(value) for name, value in said["filters"].items()},
                symbols=symbols,
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BadInput(f"{path} cannot be read: {error}", hint="export with --mode all makes it anew") from None


@dataclass(frozen=True, slots=True)
class Feature:
    """The values of one field of one symbol, from ``start`` in the calendar on."""

    start: int
    values: array[float]


class QlibDataset:
    """Raises NotFound for a folder that is no dataset of the frequency, BadInput for files that are damaged."""

    def __init__(self, folder: Path, frequency: str) -> None:
        self.folder = folder
        self.frequency = frequency
        calendar = folder / "calendars" / f"{frequency}.txt"
        if not calendar.is_file():
            raise NotFound(f"{folder} has no calendar of {frequency}", hint="is it a QLib dataset of this frequency?")
        self.calendar: Sequence[str] = _lines(calendar)

    @cached_property
    def note(self) -> DatasetNote | None:
        """How we made it; None for a dataset of another program."""
        path = self.folder / NOTE_FILE
        return DatasetNote.read(path) if path.exists() else None

    @cached_property
    def instruments(self) -> Mapping[str, tuple[str, str]]:
        """First and last time of every symbol, as written."""
        path = self.folder / "instruments" / "all.txt"
        if not path.is_file():
            raise BadInput(f"{self.folder} has no instruments/all.txt", hint="the dataset is not complete")
        found: dict[str, tuple[str, str]] = {}
        for line in _lines(path):
            parts = line.split("\t")
            if len(parts) != 3 or "/" in parts[0] or parts[0] in ("", ".", ".."):
                raise BadInput(f"{path}: {line[:60]!r} is no instrument", hint="symbol, first and last time, tabs")
            found[parts[0]] = (parts[1], parts[2])
        return found

    def fields(self, symbol: str) -> tuple[str, ...]:
        """Names of the fields that a symbol has, sorted."""
        end = f".{self.frequency}.bin"
        folder = self._folder(symbol)
        return tuple(sorted(path.name.removesuffix(end) for path in folder.glob(f"*{end}"))) if folder.is_dir() else ()

    def feature(self, symbol: str, field: str) -> Feature:
        """The values of a field. Raises NotFound and BadInput."""
        path = self._folder(symbol) / f"{field}.{self.frequency}.bin"
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            raise NotFound(f"{symbol} has no field {field}", hint=f"it has {', '.join(self.fields(symbol))}") from None
        if not raw or len(raw) % 4:
            raise BadInput(f"{path} is cut off", hint="export with --mode all makes it anew")
        values = array("f")
        values.frombytes(raw)
        if sys.byteorder == "big":
            values.byteswap()
        start = values.pop(0)
        if not (0 <= start < math.inf and start == int(start)):
            raise BadInput(f"{path} does not begin with an index", hint="export with --mode all makes it anew")
        return Feature(int(start), values)

    def _folder(self, symbol: str) -> Path:
        return self.folder / "features" / folder_of(symbol)


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}", hint="export with --mode all makes it anew") from None
