"""Backfill: the swaps of a pool out of the chain's history into the lake, from the newest to the oldest."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from solders.pubkey import Pubkey

from pumpswap.app.lake_swaps import CHAIN, ends_of, stored_swaps
from pumpswap.chain.node import ConfirmedTransaction, SignatureInfo
from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import ChainError, EndpointDown
from pumpswap.market.gap_fill import FeedNode, fetch_transactions
from pumpswap.market.lake import Coverage, Lake, LakeWriter
from pumpswap.market.lake.ranges import Range, missing_from
from pumpswap.market.new_pools import pools_of
from pumpswap.market.reserve_chain import Break, ReserveChain
from pumpswap.market.swaps_of import in_order, normalise
from pumpswap.model import SeenAct, Swap

__all__ = ["Backfill", "BackfillOptions", "Backfilled"]

_MOST_TRIES = 5
_MOST_LOST = 50  # transactions in a row that a node lists and does not have

Tell = Callable[[str, int, int | None], None]
Sleep = Callable[[float], Awaitable[None]]


def _silent(_what: str, _done: int, _of: int | None) -> None:
    pass


@dataclass(frozen=True, slots=True)
class BackfillOptions:
    """Back to ``from_slot`` or ``from_ns`` (both in it), else to the pool's first transaction.

    ``page``: lines of history per question; each page is stored with its claim.
    """

    from_slot: int | None = None
    from_ns: int | None = None
    page: int = 200


@dataclass(slots=True)
class Backfilled:
    """What a backfill has done. ``start_ns``…``end_ns`` is what it has gone through, as far as block times tell.

    ``lost`` are transactions that the chain lists and the node does not have: what they hold is a hole.
    ``has_creation``: the transaction that made the pool was met, so nothing older exists.
    """

    pool: str
    lines: int = 0
    failed: int = 0  # transactions without an effect
    others: int = 0  # without a swap of this pool
    swaps: int = 0  # met now
    stored: int = 0  # of these, new in the lake
    known: int = 0  # of these, told by another source before
    acts: int = 0  # liquidity, fees paid out, boosts, settings
    skipped: int = 0  # lines of a time that is complete already
    links: int = 0  # neighbours whose reserves were compared
    breaks: list[Break] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    has_creation: bool = False
    start_ns: int | None = None
    end_ns: int | None = None
    gaps: list[Range] = field(default_factory=list)

    @property
    def unexplained(self) -> list[Break]:
        """Breaks of the reserves that no other transaction of the pool explains."""
        return [one for one in self.breaks if not one.others]


class Backfill:
    """Walks one pool's history. A page is stored with its claim in one commit: killed at any moment, the next run
    passes over what is complete and goes on behind it; no swap is stored twice.

    Block times are whole seconds, and a second may be on two pages: it is claimed with the page that ends it.
    """

    def __init__(
        self, node: FeedNode, writer: LakeWriter, pool: Pubkey, tell: Tell = _silent, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._node = node
        self._writer = writer
        self._pool = pool
        self._tell = tell
        self._sleep = sleep
        self._chain = ReserveChain()
        self._passed: set[Range] = set()
        self._lost_ns: set[int] = set()
        self._lost_in_row = 0
        self._carried: list[Swap | SeenAct] = []
        self._result = Backfilled(str(pool))

    async def run(self, options: BackfillOptions) -> Backfilled:
        """Raises ChainError when the chain cannot be read; what came before is stored."""
        result = self._result
        covered = _both(self._lake, result.pool)
        before: str | None = None
        edge_ns: int | None = None
        while True:
            lines = await self._lines(before, options.page)
            wanted = [line for line in lines if _is_wanted(line, options)]
            is_last = len(lines) < options.page or len(wanted) < len(lines)
            if edge_ns is None and lines:
                edge_ns = result.end_ns = _ns(lines[0])
            await self._page(wanted, covered, is_last=is_last)
            low_ns = self._complete_from(lines, wanted, options)
            if edge_ns is not None and low_ns is not None and low_ns < edge_ns:
                self._claim((low_ns, edge_ns))
                edge_ns = result.start_ns = low_ns
            self._commit()
            self._tell("lines of history", result.lines, None)
            if is_last:
                break
            before = self._behind(covered, lines[-1])
        result.links, result.breaks = self._chain.links, self._chain.breaks
        if result.start_ns is not None:
            result.gaps = self._lake.gaps("swaps", result.pool, start_ns=result.start_ns, end_ns=result.end_ns)
        return result

    @property
    def _lake(self) -> Lake:
        return self._writer.lake

    async def _lines(self, before: str | None, page: int) -> Sequence[SignatureInfo]:
        attempt = 0
        while True:
            attempt += 1
            try:
                lines = await self._node.signatures_for(self._pool, before=before, limit=page)
            except ChainError:
                if attempt == _MOST_TRIES:
                    raise
                await self._sleep(attempt)
                continue
            if lines and lines[-1].signature == before:
                raise EndpointDown("a node repeats a page of an address's history", hint="use another endpoint")
            return lines

    async def _page(self, lines: Sequence[SignatureInfo], covered: Sequence[Range], *, is_last: bool) -> None:
        """Fetch what the lines of a page name, and add its swaps. Lines are newest first.

        A slot that may go on with the next page waits for it: the lake keeps the order within a slot as it is told.
        """
        result = self._result
        result.lines += len(lines)
        wanted = [line for line in lines if line.err is None and _inside(line, covered) is None]
        fetched = await self._fetch([line.signature for line in wanted])
        found, self._carried = self._carried, []
        for line in lines:
            span = _inside(line, covered)
            if line.err is not None:
                result.failed += 1
            elif span is not None:
                result.skipped += 1
                self._pass(span)
            elif (transaction := fetched[line.signature]) is None:
                self._lose(line)
            else:
                found += self._told(transaction)
        if not is_last:
            self._carried = [one for one in found if one.slot <= lines[-1].slot]
            found = [one for one in found if one.slot > lines[-1].slot]
        self._add(found)

    def _told(self, transaction: ConfirmedTransaction) -> list[Swap | SeenAct]:
        """Swaps of the pool in a transaction and what else happened to it, the last one first."""
        result = self._result
        self._lost_in_row = 0
        told = normalise(transaction)
        swaps = [swap for swap in told.swaps if swap.pool == result.pool][::-1]
        if told.burns or not swaps:
            self._chain.other()
        if not swaps:
            result.others += 1
            result.has_creation |= any(str(pool.address) == result.pool for pool in pools_of(transaction))
        result.swaps += len(swaps)
        for swap in swaps:
            self._chain.older(swap)
        both = [one for one in in_order(told) if one.pool == result.pool][::-1]
        result.acts += len(both) - len(swaps)
        return both

    def _pass(self, span: Range) -> None:
        """Pass over a range that is complete: both its ends are neighbours of what is outside."""
        if span in self._passed:
            return
        self._passed.add(span)
        ends = ends_of(self._lake, self._result.pool, span)
        if ends is not None:
            self._chain.older(ends[1])
            self._chain.jump(ends[0])

    def _lose(self, line: SignatureInfo) -> None:
        self._result.lost.append(line.signature)
        self._chain.other()
        self._lost_in_row += 1
        if (at_ns := _ns(line)) is not None:
            self._lost_ns.add(at_ns)
        if self._lost_in_row >= _MOST_LOST:
            raise EndpointDown(
                f"the node lists {_MOST_LOST} transactions in a row and has none of them, the last in slot {line.slot}",
                hint="it keeps no history that old: name an archive endpoint with --url, or a later --from",
            )

    def _add(self, found: list[Swap | SeenAct]) -> None:
        """Add what was found, but for swaps that another source has brought: in it they may be numbered otherwise.

        Swaps that are stored already keep their places, and what comes behind them is behind these: a recording of
        several pools counts all swaps of a slot, a backfill those of its pool.
        """
        if not found:
            return
        times = [one.at_ns for one in found]
        known = stored_swaps(self._lake, self._result.pool, (min(times), max(times) + 1))
        seen: Counter[str] = Counter()
        for one in reversed(found):
            if isinstance(one, SeenAct):
                self._writer.add("acts", [one], source=CHAIN)
                continue
            seen[one.signature] += 1
            if seen[one.signature] > known.foreign[one.signature]:
                if (place := known.places.get((one.signature, one.index))) is not None:
                    self._writer.go_on(one.slot, place)
                self._writer.add("swaps", [one], source=CHAIN)
            else:
                self._result.known += 1

    def _commit(self) -> None:
        counts = self._writer.counts.get("swaps")
        before = counts.rows if counts is not None else 0
        self._writer.commit()
        counts = self._writer.counts.get("swaps")
        self._result.stored += (counts.rows if counts is not None else 0) - before

    async def _fetch(self, signatures: list[str]) -> dict[str, ConfirmedTransaction | None]:
        """Transactions by signature, None for those that the node does not have; failures are asked again."""
        found: dict[str, ConfirmedTransaction | None] = {}
        missing, attempt = signatures, 0
        while True:
            attempt += 1
            answers = await fetch_transactions(self._node, missing)
            failures = [one for one in answers if isinstance(one, ChainError)]
            pairs = zip(missing, answers, strict=True)
            found |= {signature: answer for signature, answer in pairs if not isinstance(answer, ChainError)}
            missing = [signature for signature in missing if signature not in found]
            if not missing:
                return found
            if attempt == _MOST_TRIES:
                raise failures[0]
            await self._sleep(attempt)

    def _complete_from(
        self, lines: Sequence[SignatureInfo], wanted: Sequence[SignatureInfo], options: BackfillOptions
    ) -> int | None:
        """From which moment on everything is known now; None where the block times do not tell."""
        if len(wanted) < len(lines):
            if options.from_ns is not None and options.from_slot is None:
                return options.from_ns
            return _after(lines[len(wanted)])
        if not lines:
            return None
        # The end of a node's memory is not the beginning of a pool: only the transaction that made it proves that.
        return _ns(lines[-1]) if self._result.has_creation else _after(lines[-1])

    def _claim(self, span: Range) -> None:
        """Claim a span, but for the seconds of lost transactions."""
        lost = [(at_ns, at_ns + NS_PER_SECOND) for at_ns in self._lost_ns]
        for low, high in missing_from(lost, *span):
            for kind in ("swaps", "acts"):
                claim = Coverage(
                    kind=kind,
                    network=self._lake.network,
                    start_ns=low,
                    end_ns=high,
                    pool=self._result.pool,
                    source=CHAIN,
                )
                self._writer.cover(claim)

    def _behind(self, covered: Sequence[Range], line: SignatureInfo) -> str:
        """Where to go on: behind a line, or behind the oldest swap of the complete range in which it lies."""
        span = _inside(line, covered)
        ends = ends_of(self._lake, self._result.pool, span) if span is not None else None
        return ends[0].signature if ends is not None and ends[0].slot < line.slot else line.signature


def _both(lake: Lake, pool: str) -> list[Range]:
    """Where swaps and acts are complete: a lake of before they were kept is read once more."""
    acts = lake.covered("acts", pool)
    return [part for low, high in lake.covered("swaps", pool) for part in _within(acts, low, high)]


def _within(ranges: Sequence[Range], low: int, high: int) -> list[Range]:
    return [(max(start, low), min(end, high)) for start, end in ranges if start < high and end > low]


def _is_wanted(line: SignatureInfo, options: BackfillOptions) -> bool:
    if options.from_slot is not None and line.slot < options.from_slot:
        return False
    at_ns = _ns(line)
    return options.from_ns is None or at_ns is None or at_ns >= options.from_ns


def _inside(line: SignatureInfo, covered: Sequence[Range]) -> Range | None:
    """The complete range in which a line lies."""
    at_ns = _ns(line)
    return next((span for span in covered if at_ns is not None and span[0] <= at_ns < span[1]), None)


def _ns(line: SignatureInfo) -> int | None:
    return None if line.block_time is None else line.block_time * NS_PER_SECOND


def _after(line: SignatureInfo) -> int | None:
    """The second after a line: its own may go on with the next page."""
    at_ns = _ns(line)
    return None if at_ns is None else at_ns + NS_PER_SECOND
