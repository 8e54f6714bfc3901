"""PumpSwapSDK: the async façade. Addresses and SOL amounts in, dictionaries out; exact integers inside."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from types import TracebackType
from typing import Self

from solders.pubkey import Pubkey

from pumpswap.amm import PoolState
from pumpswap.clock import Clock
from pumpswap.errors import KeyLocked, NotFound, UsageError
from pumpswap.execution.protection import SandwichPolicy
from pumpswap.model import TradeSide
from pumpswap.sdk.connection import ChainConnection, parse_address
from pumpswap.sdk.preview import preview_trade
from pumpswap.sdk.results import (
    PoolData,
    TradeResult,
    pool_data_of,
    refused_result,
    simulated_result,
    trade_result,
)
from pumpswap.sdk.trader import LimitedSigner, Traded, Trader
from pumpswap.settings import Settings, load_settings
from pumpswap.units import LAMPORTS_PER_SOL, to_units

__all__ = ["Amount", "PumpSwapSDK"]

Amount = str | int | Decimal | float


class PumpSwapSDK:
    """PumpSwap on one chain.

        async with PumpSwapSDK() as sdk:
            pair = await sdk.get_pair_address(mint)

    Without ``live=True`` and a ``signer`` the trading calls only simulate, for the wallet whose public key is given.
    Settings come from ``pumpswap.yaml`` and the environment unless they are passed. Errors are ``pumpswap.errors``.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        live: bool = False,
        signer: LimitedSigner | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Raises ConfigError for unusable settings, KeyLocked for ``live`` without a signer. Connects nothing."""
        if live and signer is None:
            raise KeyLocked(
                "live trading needs an unlocked wallet", hint="pass signer=pumpswap.wallet.unlock(…), or leave live out"
            )
        self.settings = settings or load_settings()
        self._is_live = live
        self._signer = signer
        self._clock = clock
        self._connection: ChainConnection | None = None
        self._trader: Trader | None = None
        self._opening = asyncio.Lock()

    async def open(self) -> Self:
        """Connect and, when live, open the wallet's books. Harmless when open. Raises WrongNetwork, ChainError."""
        # Calls may run at the same time, and the first of them opens.
        async with self._opening:
            if self._connection is None:
                connection = ChainConnection(self.settings, self._clock)
                try:
                    await connection.open()
                    if self._is_live and self._signer is not None:
                        self._trader = await Trader.open(connection, self._signer)
                except BaseException:
                    await connection.aclose()
                    raise
                self._connection = connection
        return self

    async def close(self) -> None:
        """Close connections and books. Harmless when closed."""
        trader, self._trader = self._trader, None
        connection, self._connection = self._connection, None
        if trader is not None:
            await trader.aclose()
        if connection is not None:
            await connection.aclose()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def trader(self) -> Trader | None:
        """The live side: books and venue. None unless live and open."""
        return self._trader

    # ------------------------------------------------------------------------------------------ reading

    async def get_pair_address(self, mint: str) -> str | None:
        """The coin's canonical pool; None when it has none (yet). Pools that others have made are never returned."""
        connection = (await self.open())._opened()
        found = await connection.find(parse_address(mint, "mint"))
        return None if found.canonical is None else str(found.canonical.address)

    async def get_pool_state(self, pair_or_mint: str) -> PoolState:
        """The exact state, for the functions of ``pumpswap.amm``. Raises NotFound."""
        connection = (await self.open())._opened()
        return await connection.pool(parse_address(pair_or_mint, "address"))

    async def get_pool_data(self, pair_or_mint: str) -> PoolData:
        """Reserves and price of a pool. What the chain cannot tell is None, with its reason. Raises NotFound."""
        return pool_data_of(await self.get_pool_state(pair_or_mint))

    async def get_token_price(self, pair_or_mint: str) -> float:
        """SOL per whole token before fees, from effective reserves; of a pair address or of a mint. Raises NotFound."""
        price = pool_data_of(await self.get_pool_state(pair_or_mint))["price"]
        if price is None:
            raise NotFound(f"{pair_or_mint} has no price: its pool is empty", hint="wait until it has liquidity")
        return price

    # ------------------------------------------------------------------------------------------ trading

    async def buy(
        self,
        mint: str,
        sol_amount: Amount,
        payer_pk: str | None = None,
        *,
        slippage_bps: int | None = None,
        policy: SandwichPolicy | None = None,
    ) -> TradeResult:
        """Spend at most ``sol_amount`` SOL, venue fees included; ``mint`` may also be a pair address.

        ``policy`` protects this order in another way than the settings say; a simulation does not need it.
        ``payer_pk`` is a **public** key: the wallet to simulate for or, when live, a check against the unlocked one.
        Never raises for what becomes of a trade: read ``status``. Raises UsageError and NotFound for wrong calls.
        """
        lamports = _lamports(sol_amount)
        state = await self.get_pool_state(mint)
        trader = self._live_trader(payer_pk)
        if trader is not None:
            return _told(await trader.buy(state, lamports, slippage_bps, policy), state)
        slippage = slippage_bps if slippage_bps is not None else self.settings.risk.slippage_bps
        return await self._simulated(TradeSide.BUY, state, lamports, slippage, payer_pk)

    async def sell(
        self,
        mint: str,
        token_amount: Amount | None = None,
        payer_pk: str | None = None,
        *,
        slippage_bps: int | None = None,
        policy: SandwichPolicy | None = None,
    ) -> TradeResult:
        """Sell ``token_amount`` whole tokens (decimals are the mint's own); None sells the whole position when live.

        Otherwise as ``buy``.
        """
        state = await self.get_pool_state(mint)
        units = None if token_amount is None else _exact(token_amount, state.base_decimals)
        trader = self._live_trader(payer_pk)
        if trader is not None:
            return _told(await trader.sell(state, units, slippage_bps, policy), state)
        if units is None:
            raise UsageError("a simulated sale needs an amount", hint="say how many tokens")
        slippage = slippage_bps if slippage_bps is not None else self.settings.exits.slippage_bps
        return await self._simulated(TradeSide.SELL, state, units, slippage, payer_pk)

    async def _simulated(
        self, side: TradeSide, state: PoolState, amount: int, slippage_bps: int, payer_pk: str | None
    ) -> TradeResult:
        preview = await preview_trade(
            self._opened(), side, state, amount, slippage_bps=slippage_bps, wallet=self._wallet(payer_pk)
        )
        return simulated_result(side, preview)

    def _live_trader(self, payer_pk: str | None) -> Trader | None:
        if self._trader is not None and payer_pk is not None:
            wallet = self._trader.signer.public_key
            if parse_address(payer_pk, "public key") != wallet:
                raise UsageError(f"payer_pk is not the unlocked wallet {wallet}", hint="leave it out")
        return self._trader

    def _wallet(self, payer_pk: str | None) -> Pubkey | None:
        if payer_pk is not None:
            return parse_address(payer_pk, "public key")
        if self._signer is not None:
            return self._signer.public_key
        configured = self.settings.wallet.public_key
        return None if configured is None else parse_address(configured, "public key")

    def _opened(self) -> ChainConnection:
        if self._connection is None:
            raise UsageError("the SDK is closed", hint="use it as a context: async with PumpSwapSDK() as sdk")
        return self._connection


def _told(traded: Traded, state: PoolState) -> TradeResult:
    if traded.order is None or traded.outcome is None:
        return refused_result(traded.decision)
    return trade_result(traded.order, traded.outcome, (state.base_decimals, state.quote_decimals))


def _lamports(sol_amount: Amount) -> int:
    lamports = _exact(sol_amount, 9)
    if lamports <= 0:
        raise UsageError(f"{sol_amount} SOL is nothing to spend", hint=f"1 SOL is {LAMPORTS_PER_SOL} lamports")
    return lamports


def _exact(amount: Amount, decimals: int) -> int:
    # A float is taken as what it prints: 0.1 means 0.1. More digits than the token has are refused all the same.
    return to_units(repr(amount) if isinstance(amount, float) else amount, decimals)
