"""Facts about pools, from the chain or, where there is none, from the host's own row."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from solders.pubkey import Pubkey

from pumpswap.amm import PoolState, schedule_at
from pumpswap.chain.node import Node
from pumpswap.chain.pools import PoolReader
from pumpswap.chain.schedule import ScheduleCache
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.errors import BadInput, NotFound
from pumpswap.market.data_row import DataRow
from pumpswap.market.discovery import find_pools
from pumpswap.market.rebuild import rebuild
from pumpswap.market.snapshot_file import complete_time, read_snapshots
from pumpswap.model import ScreenCheck, ScreenReport, ScreenVerdict
from pumpswap.sdk.connection import ChainConnection
from pumpswap.sdk.pool_identity import identify
from pumpswap.signals.pool_facts import PoolFacts

__all__ = ["ChainPoolFacts", "SnapshotPoolFacts", "TokenScreens", "known_risks"]

_log = logging.getLogger(__name__)
_REFRESH_SECONDS = 300


class TokenScreens(Protocol):
    """Who screens a token: ``sdk.screening.ScreenSource``, or yours."""

    async def screen(self, mint: str | Pubkey, pool: Pubkey | None = None) -> ScreenReport:
        """The report about a token; UNKNOWN where nobody could look."""
        ...


def known_risks(reader: PoolReader, state: PoolState, at_ns: int) -> ScreenReport | None:
    """What reading a pool has told of its token without a screen: extensions that take, freeze or tax tokens make it
    unsafe, and quotes do not know them. None when the mint has none of these.
    """
    mint = state.pool.base_mint
    facts = reader.mint(mint)
    if facts is None or not facts.risks:
        return None
    reason = f"its mint has {', '.join(facts.risks)}"
    check = ScreenCheck("token extensions", ScreenVerdict.UNSAFE, reason, {"extensions": list(facts.risks)})
    return ScreenReport(str(mint), at_ns, (check,), str(state.address))


class ChainPoolFacts:
    """The live state of the pool that a row names, the fees of this moment and, with ``screens``, a screen of its
    token; without them only what reading the pool tells (``known_risks``). Labelled ``chain``.
    """

    def __init__(
        self,
        node: Node,
        clock: Clock,
        *,
        reader: PoolReader | None = None,
        schedules: ScheduleCache | None = None,
        screens: TokenScreens | None = None,
    ) -> None:
        self._node, self._clock, self._screens = node, clock, screens
        self._reader = reader or PoolReader(node)
        self._schedules = schedules or ScheduleCache(node, clock, _REFRESH_SECONDS)

    @classmethod
    def of(cls, connection: ChainConnection, screens: TokenScreens | None = None) -> ChainPoolFacts:
        """Through an open connection."""
        return cls(
            connection.node,
            connection.clock,
            reader=connection.reader,
            schedules=connection.schedules,
            screens=screens,
        )

    async def pool_facts(self, pool_data: Mapping[str, object]) -> PoolFacts:
        """Facts of the pool that ``identify`` finds in the row.

        Raises what ``identify`` raises, NotFound for a pool or a canonical pool that is not there, BadInput when the
        pool trades another coin than the row says, ProtocolDrift for an account that is no PumpSwap pool, and the
        node's ChainError.
        """
        wanted = identify(pool_data)
        state = await self._state(wanted.pool, wanted.mint)
        if wanted.mint is not None and state.pool.base_mint != wanted.mint:
            raise BadInput(
                f"pool {state.address} trades {state.pool.base_mint}, the row names {wanted.mint}",
                hint="the row mixes two pools: collect it again",
            )
        schedule = await self._schedules.current()
        if self._screens is None:
            screen = known_risks(self._reader, state, self._clock.now_ns())
        else:
            screen = await self._screen(self._screens, state)
        return PoolFacts(state, schedule, self._clock.now_ns(), screen)

    async def _state(self, pool: Pubkey | None, mint: Pubkey | None) -> PoolState:
        if pool is not None:
            return await self._reader.load(pool)
        if mint is None:
            raise NotFound("the row names neither a pool nor a coin", hint="name one of them")
        found = await find_pools(self._node, mint, reader=self._reader)
        if found.canonical is None:
            told = "; ".join(warning.text for warning in found.warnings)
            raise NotFound(told or f"{mint} has no canonical pool", hint="name the pool itself, if there is one")
        return found.canonical.state

    async def _screen(self, screens: TokenScreens, state: PoolState) -> ScreenReport:
        """A screen that breaks has not been passed: its report is UNKNOWN, and the traceback is logged."""
        mint = state.pool.base_mint
        try:
            return await screens.screen(mint, state.address)
        except Exception as broken:
            _log.exception("screen-failed", extra={"mint": str(mint)})
            reason = f"the screen failed: {type(broken).__name__}: {broken}"
            check = ScreenCheck("screen", ScreenVerdict.UNKNOWN, reason)
            return ScreenReport(str(mint), self._clock.now_ns(), (check,), str(state.address))


class SnapshotPoolFacts:
    """The state that a collector's row implies, for rows without a chain: depth and price are the row's, everything
    else follows ``market.rebuild.ASSUMPTIONS``. Labelled ``snapshot``, for it is an estimate, and never screened.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def pool_facts(self, pool_data: Mapping[str, object]) -> PoolFacts:
        """Facts of the row, at its ``collected_at`` or else now, by the fees of that time.

        Raises what ``identify`` raises, BadInput for a figure that cannot be read, NotFound when the row tells no
        state, with the reason.
        """
        identify(pool_data)
        row = _row_of(pool_data)
        at_ns = complete_time(row.text("collected_at")) or self._clock.now_ns()
        (snapshot,) = read_snapshots([row], lambda _: (at_ns, None), [])
        state = rebuild(snapshot)
        if isinstance(state, str):
            raise NotFound(state, hint="without a chain only a complete row tells what can be traded")
        return PoolFacts(state, schedule_at(at_ns // NS_PER_SECOND), at_ns, data_source="snapshot")


def _row_of(pool_data: Mapping[str, object]) -> DataRow:
    values = {name: _written(value) for name, value in pool_data.items()}
    for wanted, other in (
        ("pool_id", "id"),
        ("pool_id", "address"),
        ("base_token_id", "base_token_address"),
        ("quote_token_id", "quote_token_address"),
        ("reserve_in_usd", "reserve_usd"),
    ):
        if not values.get(wanted):
            values[wanted] = values.get(other, "")
    return DataRow("pool data", values["pool_id"] or "a row without a pool", values)


def _written(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)
