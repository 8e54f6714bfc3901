"""LiquidityValidator: whether a pool takes a trade, by the exact quote of the very size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from solders.pubkey import Pubkey

from pumpswap.amm import PoolState, current_schedule, sell_exact_base
from pumpswap.amm.addresses import WSOL_MINT, canonical_pool
from pumpswap.amm.largest import largest_sale
from pumpswap.clock import Clock, SystemClock
from pumpswap.errors import BadInput, TradeRefused
from pumpswap.sdk.executor.config import HostConfig, settings_of_config
from pumpswap.sdk.executor.values import number_of
from pumpswap.sdk.host_classes.host_result import HostResult
from pumpswap.sdk.host_classes.pool_rows import state_of
from pumpswap.signals.feasibility import Feasibility, assess
from pumpswap.signals.pool_facts import PoolFacts
from pumpswap.units import BPS, LAMPORTS_PER_SOL, to_units

__all__ = ["LiquidityCheck", "LiquidityValidator"]

_SIZE_KEYS = ("position_size", "sol_amount", "estimated_position_size")
_TOKEN_KEYS = ("token_amount", "sell_token_amount")


@dataclass(frozen=True)
class LiquidityCheck(HostResult):
    """``status``: sufficient, insufficient, excessive_impact, no_data or pair_not_found. SOL and per cent; depth is the
    SOL side alone. Falsy unless sufficient.
    """

    status: str
    is_valid: bool
    pool_liquidity_sol: float | None = None
    pool_liquidity_usd: float | None = None
    estimated_price_impact: float | None = None
    max_trade_size_sol: float = 0.0
    recommended_trade_size_sol: float = 0.0
    validation_details: list[str] = field(default_factory=list)
    error_message: str = ""

    def __bool__(self) -> bool:
        return self.is_valid


class LiquidityValidator:
    """``pool`` is a PoolState, what ``get_pool_data`` returns, or a host's row; ``signal`` may name the size in SOL
    (``position_size``), else it is ``feasibility.intended_sol``.
    """

    def __init__(self, config: HostConfig = None, *, clock: Clock | None = None) -> None:
        """Raises ConfigError: a validator that cannot be built must not call every pool infeasible."""
        self.settings = settings_of_config(config)
        self._clock = clock or SystemClock()

    def validate_buy_liquidity(self, pool: object, signal: Mapping[str, Any] | None = None) -> bool:
        """Whether the intended buy fits the limits of depth, impact and cost, and could be sold again."""
        return self.validate_liquidity_detailed(pool, signal, "buy").is_valid

    def validate_sell_liquidity(
        self, pool: object, signal: Mapping[str, Any] | None = None, token_amount: float | None = None
    ) -> bool:
        """Whether the pool can pay the sale of ``token_amount`` whole tokens at an impact within the limit."""
        wanted = dict(signal or {})
        if token_amount is not None:
            wanted["token_amount"] = token_amount
        return self.validate_liquidity_detailed(pool, wanted, "sell").is_valid

    def validate_liquidity_detailed(
        self, pool: object, signal: Mapping[str, Any] | None = None, trade_type: str = "buy"
    ) -> LiquidityCheck:
        """The same with every figure. Never raises for figures that are wrong: they are no_data."""
        state = state_of(pool)
        if isinstance(state, str):
            return LiquidityCheck("no_data", False, error_message=state)
        sol_usd = self._sol_usd(pool)
        try:
            if trade_type == "sell":
                return self._sale(state, signal or {}, sol_usd)
            if trade_type != "buy":
                raise BadInput(f"{trade_type[:20]!r} is no trade", hint="buy or sell")
            intended = self._intended(signal or {})
            found = assess(
                PoolFacts(state, current_schedule(), self._clock.now_ns()), self.settings.feasibility, intended
            )
        except (BadInput, TradeRefused) as wrong:
            return LiquidityCheck("no_data", False, error_message=wrong.what)
        return self._buy(found, sol_usd)

    def check_pair_availability(self, mint: str, pair: str | None = None) -> bool:
        """Whether ``pair`` can be the pool of a coin: its canonical one, whose address follows from the mint. None asks
        whether the coin can have one at all. What the chain knows of it: ``PumpSwapSDK.get_pair_address``.
        """
        try:
            coin = Pubkey.from_string(mint)
            address = None if pair is None else Pubkey.from_string(pair)
        except (ValueError, TypeError):
            return False
        if coin == WSOL_MINT:
            return False
        return address is None or address == canonical_pool(coin)

    # ------------------------------------------------------------------------------------------ helpers

    def _intended(self, signal: Mapping[str, Any]) -> int:
        for key in _SIZE_KEYS:
            found = number_of(signal, key)
            if found is not None:
                if found <= 0:
                    raise BadInput(f"{key} is {found:g} SOL", hint="a positive size")
                return max(round(found * LAMPORTS_PER_SOL), 1)
        return self.settings.feasibility.lamports("intended_sol")

    def _buy(self, found: Feasibility, sol_usd: float | None) -> LiquidityCheck:
        depth = found.depth_lamports / LAMPORTS_PER_SOL
        if not found.min_liquidity_met:
            status = "insufficient"
        else:
            status = "sufficient" if found.intended_fits and found.can_sell else "excessive_impact"
        impact = found.intended.impact
        return LiquidityCheck(
            status=status,
            is_valid=status == "sufficient",
            pool_liquidity_sol=depth,
            pool_liquidity_usd=None if sol_usd is None else depth * sol_usd,
            estimated_price_impact=None if impact is None else float(impact * 100),
            max_trade_size_sol=found.largest_lamports / LAMPORTS_PER_SOL,
            recommended_trade_size_sol=found.max_buy_lamports / LAMPORTS_PER_SOL,
            validation_details=list(found.reasons),
            error_message="" if status == "sufficient" else "; ".join(found.reasons),
        )

    def _sale(self, state: PoolState, signal: Mapping[str, Any], sol_usd: float | None) -> LiquidityCheck:
        tokens = next((found for key in _TOKEN_KEYS if (found := number_of(signal, key)) is not None), None)
        if tokens is None or tokens <= 0:
            raise BadInput("token_amount is missing: how much is to be sold", hint="pass a positive number of tokens")
        units = to_units(f"{tokens:.{state.base_decimals}f}", state.base_decimals)
        schedule, most = current_schedule(), self.settings.feasibility.max_impact_bps
        depth = max(state.real_quote_reserve, 0) / LAMPORTS_PER_SOL
        told: dict[str, Any] = {
            "pool_liquidity_sol": depth,
            "pool_liquidity_usd": None if sol_usd is None else depth * sol_usd,
        }
        if largest_sale(state, schedule, most=units) < units:
            return LiquidityCheck("insufficient", False, **told, error_message="the pool cannot pay for all of it")
        quote = sell_exact_base(state, schedule, units)
        size = quote.user_quote_out / LAMPORTS_PER_SOL
        fits = quote.impact * BPS <= most
        text = "" if fits else f"impact {float(quote.impact) * 100:.2f} %, at most {most / 100:g} %"
        return LiquidityCheck(
            "sufficient" if fits else "excessive_impact",
            fits,
            **told,
            estimated_price_impact=float(quote.impact * 100),
            max_trade_size_sol=size,
            recommended_trade_size_sol=size if fits else 0.0,
            validation_details=[text] if text else [],
            error_message=text,
        )

    def _sol_usd(self, pool: object) -> float | None:
        """The row's own price of SOL; there is no other."""
        if not isinstance(pool, Mapping):
            return None
        try:
            return number_of(pool, "quote_token_price_usd")
        except BadInput:
            return None
