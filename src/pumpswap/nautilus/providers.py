"""Instruments of pools that are named, held, or found by the mint of their coin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nautilus_trader.common.providers import InstrumentProvider
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.instruments import CurrencyPair
from solders.pubkey import Pubkey

from pumpswap.amm import PoolState
from pumpswap.errors import BadInput, ConfigError, PumpSwapError
from pumpswap.nautilus.config import PumpSwapInstrumentProviderConfig
from pumpswap.nautilus.instruments import instrument_id, instrument_of, pool_of
from pumpswap.nautilus.market_session import MarketSession
from pumpswap.sdk.connection import parse_address

__all__ = ["PumpSwapInstrumentProvider"]

_FILTERS = frozenset({"mints", "pools", "discover"})


class PumpSwapInstrumentProvider(InstrumentProvider):
    """Reads pools from the chain; the session must be open before it loads.

    Pools that somebody has named must be instruments, or loading raises: a strategy that waits for ticks of a pool that
    was left out in silence would wait for ever. Pools that a search has found are left out with a warning. So are those
    that are held, named or not: one dead coin must not keep a node from beginning. ``left_out`` says which, and why.
    """

    def __init__(self, session: MarketSession, config: PumpSwapInstrumentProviderConfig | None = None) -> None:
        self._named = config if config is not None else PumpSwapInstrumentProviderConfig()
        super().__init__(config=self._named)
        self._session = session
        self.left_out: dict[str, str] = {}  # held pools that cannot be instruments now, with the reason

    async def load_all_async(self, filters: Mapping[str, Any] | None = None) -> None:
        """Everything that the configuration, ``q50.instruments`` and ``filters`` name, and what is held.

        ``filters``: ``mints`` and ``pools`` (addresses), ``discover`` (also pools that others have made of the mints).
        Raises ConfigError when there is nothing to load, NotFound or BadInput for what is no pool against SOL.
        """
        asked = _checked(filters)
        named = self._named
        mints = sorted(named.mints | frozenset(asked.get("mints", ())))
        pools = sorted(named.pools | frozenset(asked.get("pools", ())))
        ids = sorted(pool_of(_id(one)) for one in (named.load_ids or ()))
        either = sorted(self._session.settings.q50.instruments)
        held = list(self._session.held_pools())
        if not (mints or pools or ids or either or held):
            raise ConfigError(
                "no pool is named for NautilusTrader, and none is held",
                hint="give mints or pools to PumpSwapInstrumentProviderConfig, or name coins under q50.instruments",
            )
        await self._load_pools([*pools, *ids, *held])
        await self._load_coins(mints, discover=bool(asked.get("discover", named.discover)))
        await self._load_either(either)

    async def load_ids_async(
        self, instrument_ids: Sequence[InstrumentId], filters: Mapping[str, Any] | None = None
    ) -> None:
        """These instruments, and what is held. Raises BadInput for ids of another venue."""
        _checked(filters)
        await self._load_pools([*(pool_of(_id(one)) for one in instrument_ids), *self._session.held_pools()])

    async def load_async(self, instrument_id: InstrumentId, filters: Mapping[str, Any] | None = None) -> None:
        """One instrument, and what is held."""
        await self.load_ids_async([instrument_id], filters)

    async def load_pools(self, pools: Iterable[str]) -> list[CurrencyPair]:
        """Instruments of these pools, read where they are not known yet. Raises NotFound or BadInput for one that is no
        pool against SOL, or that cannot be an instrument.
        """
        wanted = list(dict.fromkeys(pools))
        await self._load_pools([pool for pool in wanted if self.find(instrument_id(pool)) is None])
        for pool in wanted:
            if self.find(instrument_id(pool)) is None:
                raise BadInput(f"pool {pool} cannot be an instrument: {self.left_out.get(pool, 'it was not read')}")
        return [self.find(instrument_id(pool)) for pool in wanted]

    async def load_held(self, pools: Iterable[str]) -> None:
        """Instruments of pools that are held or have an order on the way; those that cannot be one are left out."""
        wanted = [pool for pool in dict.fromkeys(pools) if self.find(instrument_id(pool)) is None]
        await self._load_pools(wanted, held=wanted)

    async def _load_pools(self, pools: Sequence[str], held: Iterable[str] = ()) -> None:
        addresses = [parse_address(pool, "address of a pool") for pool in dict.fromkeys(pools)]
        if not addresses:
            return
        kept = frozenset((*held, *self._session.held_pools()))

        def refuse(address: Pubkey, refused: PumpSwapError) -> None:
            if str(address) not in kept:
                raise refused
            self._leave_out(str(address), refused)

        states = await self._session.connection.reader.load_many(addresses, on_refusal=refuse)
        for address, state in states.items():
            try:
                self._put(state)
            except BadInput as refused:
                refuse(address, refused)

    def _leave_out(self, pool: str, refused: PumpSwapError) -> None:
        if self.left_out.get(pool) != refused.what:
            self.left_out[pool] = refused.what
            self._log.error(f"what is held of pool {pool} is left to pumpswap alone: {refused.what}")

    async def _load_coins(self, mints: Sequence[str], *, discover: bool) -> None:
        for mint in mints:
            address = parse_address(mint, "mint")
            if not discover:
                self._put_named(await self._session.connection.pool(address))
                continue
            found = await self._session.connection.find(address, search=True)
            for warning in found.warnings:
                self._log.warning(warning.text)
            taken = [one.state for one in found.pools if one.is_mint_the_base and self._try(one.state)]
            if not taken:
                raise BadInput(
                    f"no pool of {mint} can be an instrument", hint="`pumpswap pool find MINT --search` lists its pools"
                )

    async def _load_either(self, addresses: Sequence[str]) -> None:
        """Pools, or mints of coins with a canonical pool."""
        for address in addresses:
            self._put_named(await self._session.connection.pool(parse_address(address, "mint or pool")))

    def _put_named(self, state: PoolState) -> None:
        try:
            self._put(state)
        except BadInput as refused:
            if str(state.address) not in self._session.held_pools():
                raise
            self._leave_out(str(state.address), refused)

    def _try(self, state: PoolState) -> bool:
        try:
            self._put(state)
        except PumpSwapError as refused:
            self._log.warning(f"left out: {refused.what}")
            return False
        return True

    def _put(self, state: PoolState) -> None:
        made = instrument_of(state, self._session.schedule(), at_ns=self._session.clock.now_ns())
        self.add_currency(made.base_currency)
        self.add_currency(made.quote_currency)
        self.add(made)
        self.left_out.pop(str(state.address), None)


def _id(one: InstrumentId | str) -> InstrumentId:
    return one if isinstance(one, InstrumentId) else InstrumentId.from_str(one)


def _checked(filters: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Raises ConfigError for a filter that does not exist: a misspelt one would load something else."""
    given = dict(filters or {})
    unknown = sorted(given.keys() - _FILTERS)
    if unknown:
        raise ConfigError(
            f"there is no filter {', '.join(unknown)}", hint=f"instruments are chosen by {', '.join(sorted(_FILTERS))}"
        )
    for name in ("mints", "pools"):
        if isinstance(given.get(name), str | Pubkey):
            raise ConfigError(f"the filter {name} is one text", hint="pass a list of addresses")
    return given
