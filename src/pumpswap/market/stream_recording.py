"""StreamRecorder and StreamRecording: the inputs of a chain feed in a file, and the feed again out of it.

JSON lines, gzip when the name ends with .gz. The first line says what the feed told about; every other one is an input
with its time. Files hold no time of their own, so that recording a replay gives the same bytes.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

import msgspec

from pumpswap.errors import BadInput, NotFound
from pumpswap.market.feed_inputs import FeedInput, StampedInput, decoder, encoder
from pumpswap.market.live_pools import LivePools
from pumpswap.market.sequencer import FeedScope, Sequencer
from pumpswap.model import MarketUpdate

__all__ = ["StreamRecorder", "StreamRecording"]

FORMAT = "pumpswap stream"
VERSION = 1


class Header(msgspec.Struct, frozen=True):
    """The first line."""

    format: str
    version: int
    scope: FeedScope


class StreamRecorder:
    """Writes a recording; a context manager. An existing file is never overwritten.

    Raises BadInput when the file exists already. Lines are flushed every ``flush_every`` inputs: what a crash loses is
    in the chain's history.
    """

    def __init__(self, path: Path, scope: FeedScope, *, flush_every: int = 256) -> None:
        self.written = 0
        self._encoder = encoder()
        self._flush_every = flush_every
        try:
            self._file = path.open("xb")
        except FileExistsError:
            hint = "choose another name; recordings are not overwritten"
            raise BadInput(f"{path.name} exists already", hint=hint) from None
        except OSError as failed:
            raise BadInput(f"{path} cannot be written: {failed.strerror}", hint="choose another folder") from None
        self._out: IO[bytes] | gzip.GzipFile = self._file
        if path.suffix == ".gz":
            self._out = gzip.GzipFile(filename="", mode="wb", fileobj=self._file, mtime=0)
        self._line(Header(FORMAT, VERSION, scope))

    def write(self, at_ns: int, entry: FeedInput) -> None:
        """Add an input."""
        self._line(StampedInput(at_ns, entry))
        self.written += 1
        if self.written % self._flush_every == 0:
            self._out.flush()

    def close(self) -> None:
        """End the file; may be called more than once."""
        if not self._file.closed:
            self._out.close()
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _line(self, value: Header | StampedInput) -> None:
        self._out.write(self._encoder.encode(value) + b"\n")


class StreamRecording:
    """Reads a recording. ``is_cut`` is known after reading: the writer was killed within a line, the rest is good.

    Raises NotFound, or BadInput naming the line that cannot be read.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise NotFound(f"{path} does not exist", hint="pass the file that a recorder has written")
        self.path = path
        self.is_cut = False
        first = next(self._lines(), b"")
        try:
            header = msgspec.json.decode(first, type=Header)
        except msgspec.DecodeError:
            header = None
        if header is None or header.format != FORMAT:
            raise BadInput(f"{path.name} is no recording of a stream", hint="pass a file that a recorder has written")
        if header.version != VERSION:
            hint = "read it with the version of pumpswap that wrote it"
            raise BadInput(f"{path.name} has format version {header.version}, known is {VERSION}", hint=hint)
        self.scope = header.scope

    def inputs(self) -> Iterator[StampedInput]:
        """Every input in its order. Every call starts anew."""
        read = decoder()
        for number, line in enumerate(self._lines(), start=1):
            if number == 1:
                continue
            try:
                yield read.decode(line)
            except (msgspec.DecodeError, ValueError) as broken:
                raise BadInput(f"{self.path.name} line {number}: {broken}", hint="the file is damaged") from None

    def updates(
        self,
        pools: LivePools | None = None,
        warn: Callable[[str, str], None] | None = None,
        *,
        tells_acts: bool = False,
    ) -> Iterator[MarketUpdate]:
        """What the feed told when it was recorded, the same updates at the same times.

        ``tells_acts``: also what happened to pools besides swaps. For states pass empty ``LivePools``: the recorded
        feed reads its pools when it connects.
        """
        sequencer = Sequencer(self.scope, pools, warn, tells_acts=tells_acts)
        for one in self.inputs():
            yield from sequencer.take(one.entry, one.at_ns)

    def _lines(self) -> Iterator[bytes]:
        opener = gzip.open if self.path.suffix == ".gz" else open
        self.is_cut = False
        with cast(BufferedIOBase, opener(self.path, "rb")) as file:
            try:
                for line in file:
                    if not line.endswith(b"\n"):
                        self.is_cut = True
                        return
                    yield line
            except EOFError:
                self.is_cut = True
            except (OSError, zlib.error) as broken:
                raise BadInput(f"{self.path.name} cannot be read: {broken}", hint="the file is damaged") from None
