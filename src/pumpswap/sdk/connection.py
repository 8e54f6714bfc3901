"""ChainConnection: endpoints whose network was checked, the fee schedule, pools by address or by mint."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from solders.pubkey import Pubkey

from pumpswap.amm import PoolState
from pumpswap.amm.addresses import AMM_PROGRAM
from pumpswap.chain.endpoints import EndpointPool
from pumpswap.chain.networks import check_network
from pumpswap.chain.pools import PoolReader
from pumpswap.chain.schedule import ScheduleCache
from pumpswap.clock import Clock, SystemClock
from pumpswap.errors import ConfigError, NotFound, UsageError
from pumpswap.market.discovery import Discovery, find_pools
from pumpswap.settings import Settings

__all__ = ["ChainConnection", "parse_address"]


def parse_address(text: str, what: str) -> Pubkey:
    """An address that somebody wrote. Raises UsageError that names ``what`` it should have been."""
    try:
        return Pubkey.from_string(text)
    except ValueError:
        raise UsageError(f"{text!r} is no {what}", hint="32 to 44 base58 characters; was it cut?") from None


class ChainConnection:
    """A checked way to one chain. Use as a context, or ``open`` and ``aclose``."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        """Raises ConfigError without a network or endpoints, WrongNetwork for mainnet without its switch."""
        if not settings.chain.endpoints:
            raise ConfigError(
                "there is no endpoint to ask",
                hint="add one under chain.endpoints, or name one with --url and --network",
            )
        self.settings = settings
        self.clock = clock or SystemClock()
        self.node = EndpointPool.from_settings(settings.chain, self.clock)
        self.reader = PoolReader(self.node)
        self.schedules = ScheduleCache(self.node, self.clock, settings.chain.schedule_refresh_seconds)

    async def open(self) -> Self:
        """Compare the endpoints' genesis hash with the settings. Raises WrongNetwork, or ChainError offline."""
        await check_network(self.node, self.settings.chain)
        return self

    async def aclose(self) -> None:
        """Close all connections. Harmless when done twice."""
        await self.node.aclose()

    async def __aenter__(self) -> Self:
        try:
            return await self.open()
        except BaseException:
            await self.aclose()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def find(self, mint: Pubkey, *, search: bool = False) -> Discovery:
        """Pools of a coin; see ``market.discovery``."""
        return await find_pools(self.node, mint, search=search, reader=self.reader)

    async def pool(self, pair_or_mint: Pubkey) -> PoolState:
        """State of a pool, given its address or the mint of its coin (then the canonical pool).

        Raises NotFound when it is neither, and says what it is where that helps.
        """
        answer = await self.node.accounts([pair_or_mint])
        account = answer.accounts[0]
        if account is not None and account.owner == AMM_PROGRAM:
            return await self.reader.load(pair_or_mint, min_context_slot=answer.slot)
        found = await self.find(pair_or_mint)
        if found.canonical is not None:
            return found.canonical.state
        told = "; ".join(warning.text for warning in found.warnings)
        raise NotFound(
            told or f"{pair_or_mint} is no pool, and no coin with a canonical pool",
            hint="`pumpswap pool find MINT --search` looks for pools that others have made",
        )
