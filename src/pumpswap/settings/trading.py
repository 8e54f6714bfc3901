"""What trading may do: limits, exits, the paper venue, the running engine."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from pumpswap.settings.section import BpsValue, Mint, Part, Seconds, Section, Share, Sol, Weight

__all__ = [
    "ExitRules",
    "LadderRung",
    "PaperVenueSettings",
    "RiskLimits",
    "RunMode",
    "RunSettings",
    "SignalSource",
    "StrategyName",
]

RunMode = Literal["analysis", "paper", "approve", "auto"]
SignalSource = Literal["analyser", "q50", "follow"]
StrategyName = Literal["follow-signals", "plan-loop", "momentum", "q50"]


class RiskLimits(Section):
    """What one trade and all of them may do. Sizes are fractions of the SOL balance; absolute caps are in SOL."""

    # How much: every step only lowers the size.
    base_position_fraction: Share = Decimal("0.1")  # what a size begins with, of the SOL balance
    kelly_fraction: Weight = Decimal("0.25")  # of full Kelly, for signals that tell their odds; 0: not used
    scale_by_volatility: bool = True  # a signal that tells its vol_risk gets less when that is large
    max_position_fraction: Share = Decimal("0.5")  # at most this share of the SOL balance
    max_position_sol: Sol = Decimal("1")  # at most so much in one trade
    min_position_sol: Sol = Decimal("0.01")  # less is not worth its costs
    max_pool_share_bps: BpsValue = 200  # the trade is at most this share of the real quote reserve
    max_impact_bps: BpsValue = 150  # average price before fees against spot
    max_cost_bps: BpsValue = 500  # average price after all fees against spot
    max_round_trip_loss_bps: BpsValue = 600  # bought and sold again at once, all fees in
    slippage_bps: BpsValue = 300  # what an order accepts between quote and execution
    max_slippage_bps: BpsValue = 500  # what any entry may accept, whoever asks
    # How much of everything.
    max_token_sol: Sol = Decimal("2")  # cost of all that is held of one token
    max_token_fraction: Share = Decimal("0.5")  # the same, of equity
    max_exposure_fraction: Share = Decimal("0.8")  # cost of all open positions, of equity
    max_open_positions: int = Field(20, ge=1, le=10_000)  # at the same time, those on their way included
    native_reserve_sol: Sol = Decimal("0.05")  # never spent on trades: fees, rent, exits
    cost_allowance_sol: Sol = Decimal("0.01")  # kept for fees, tip and rent of each buy, in every limit of cost too
    # How often.
    max_trades_per_minute: int = Field(10, ge=1, le=1_000_000)  # entries
    max_trades_per_hour: int = Field(100, ge=1, le=1_000_000)  # entries
    max_trades_per_day: int = Field(500, ge=1, le=1_000_000)  # entries
    cooldown_seconds: Seconds = 600  # after a closed round in a pool
    # When losses stop it.
    max_daily_loss_fraction: Share = Decimal("0.1")  # of the equity at the start of the day (UTC)
    max_drawdown_fraction: Share = Decimal("0.25")  # from the highest equity
    max_losses_in_a_row: int = Field(5, ge=1, le=1_000)  # closed rounds; then entries pause
    losses_pause_seconds: Seconds = 3_600  # how long
    breaker_failures: int = Field(5, ge=1, le=1_000)  # orders that failed in a row open the circuit breaker
    breaker_seconds: Seconds = 300  # then it lets a trial through
    breaker_successes: int = Field(2, ge=1, le=1_000)  # trials in a row that close it
    # What may be traded.
    min_liquidity_sol: Sol = Decimal("10")  # real quote reserve of the pool
    liquidity_multiple: int = Field(10, ge=1)  # the pool holds at least this many times the trade
    max_state_age_seconds: Seconds = 60  # older pool states are not traded on
    max_signal_age_seconds: Seconds = 60  # nor are older signals
    allow_permissionless_pools: bool = False  # anyone can make one with fake liquidity
    require_screen: bool = False  # whether a token that was not screened is refused
    allow_tokens: tuple[Mint, ...] = ()  # mints; empty: all
    deny_tokens: tuple[Mint, ...] = ()  # mints that are never bought

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.slippage_bps > self.max_slippage_bps:
            raise ValueError("slippage_bps is above max_slippage_bps")
        return self


class LadderRung(Section):
    """One step of a ladder of profits: at so much above cost, so much of what the round has bought is sold."""

    gain_bps: int = Field(ge=1, le=10_000_000)
    sell_bps: Part


class ExitRules(Section):
    """When an open position is sold. Measured on the executable value, all fees in, against the cost."""

    take_profit_bps: int = Field(10_000, ge=0, le=10_000_000)  # sell all at this gain over cost; 0 disables
    # parts sold on the way: a list of `{gain_bps: …, sell_bps: …}`, of what the round has bought
    take_profit_ladder: tuple[LadderRung, ...] = ()
    stop_loss_bps: BpsValue = 2_000  # sell all at this loss of cost; 0 disables
    # sell all when the value per unit is so far below its highest since the entry; 0 disables
    trailing_stop_bps: BpsValue = 0
    # the trailing stop counts once that highest was so far above cost; 0: from the start
    trailing_after_bps: int = Field(0, ge=0, le=10_000_000)
    max_hold_seconds: Seconds = 86_400  # sell all after more than this time; 0 disables
    short_signal_bps: BpsValue = 10_000  # part of what is held that is sold when the signal turns short; 0 disables
    # sell all when the pool's real quote reserve, our trades left out, has fallen so far; 0 disables
    liquidity_flight_bps: BpsValue = 5_000
    # sell all when base reserve × effective quote reserve, which no swap lowers, has fallen so far; 0 disables
    rug_bps: BpsValue = 500
    # sell all when the supply of the coin has grown: somebody has used the mint authority
    sell_on_new_supply: bool = True
    # How it is sold.
    # what a sale accepts between quote and execution: leaving matters more than the price
    slippage_bps: BpsValue = 1_000
    retry_seconds: Seconds = 5  # wait after a sale that failed
    slippage_step_bps: BpsValue = 1_000  # each retry after a failure by price accepts so much more
    max_slippage_bps: BpsValue = 5_000  # no retry accepts more; a rug and panic begin here
    min_part_sol: Sol = Decimal("0.01")  # a sale that the pool can only pay in parts is split no finer than this
    blocked_alert_seconds: Seconds = 300  # an alert when a sale that is due has been impossible for so long; 0 disables

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        gains = [rung.gain_bps for rung in self.take_profit_ladder]
        if any(later <= earlier for earlier, later in pairwise(gains)):
            raise ValueError("the gains of take_profit_ladder must rise")
        if sum(rung.sell_bps for rung in self.take_profit_ladder) > 10_000:
            raise ValueError("take_profit_ladder sells more than all")
        if self.take_profit_bps and gains and gains[-1] >= self.take_profit_bps:
            raise ValueError("take_profit_ladder has a rung that take_profit_bps, which sells all, comes before")
        if self.max_slippage_bps < self.slippage_bps:
            raise ValueError("max_slippage_bps is below slippage_bps")
        return self


class PaperVenueSettings(Section):
    """The paper venue's imitation of the network. Prices need no setting: fills are exact."""

    start_sol: Sol = Decimal("50")  # what new paper books begin with
    latency_ms: int = Field(1_200, ge=0, le=600_000)  # decision to execution
    # the same in slots of 400 ms; where it is set it counts instead of `latency_ms`
    latency_slots: int | None = Field(None, ge=0, le=1_500)
    # orders that fail whatever the price, fees paid; null: as observed (312) in `run`, `backtest` and `tune`, else 0
    failed_bps: BpsValue | None = None
    # `fixed`: the two keys below; `observed`: as others paid; null: observed in `run`, `backtest`, `tune`, else fixed
    priority: Literal["fixed", "observed"] | None = None
    compute_unit_limit: int = Field(300_000, ge=1, le=1_400_000)  # of each transaction, for the priority fee
    compute_unit_price_micro_lamports: int = Field(100_000, ge=0)  # for the priority fee
    tip_lamports: int = Field(0, ge=0)  # paid with a filled order


class RunSettings(Section):
    """The running engine: what it listens to, what it may do, how it is watched."""

    # `analysis` orders nothing; `paper`; `approve` and `auto` trade with money, only with `--live`
    mode: RunMode = "paper"
    # what is heeded: `analyser`, `q50`, `follow`; the first two together make one signal
    signals: tuple[SignalSource, ...] = ("analyser",)
    # what is done about it: `follow-signals`, `plan-loop`, `momentum` or `q50`
    strategy: StrategyName = "follow-signals"
    check_seconds: int = Field(300, ge=1)  # between two looks of plan-loop, two tries of q50 to buy on a row
    max_entries_per_check: int = Field(5, ge=1)  # plan-loop: best priorities first
    collector: SecretStr | None = None  # database whose rows are scored, a path or a URL; default: that of the books
    snapshot_poll_seconds: int = Field(5, ge=1)  # between two looks at the collector's rows
    state_poll_ms: int = Field(1_000, ge=50)  # between two readings of the watched pools
    # pools whose state is followed, the best scores of the last hour first; held ones always are
    watched_pools: int = Field(200, ge=1, le=100_000)
    approve_seconds: int = Field(120, ge=1)  # how long an order waits for `pumpswap approve`
    queue_size: int = Field(10_000, ge=1)  # events that may wait; a feed that is faster waits itself
    control_ms: int = Field(250, ge=10)  # between two looks for commands, and between two commits
    heartbeat_seconds: int = Field(2, ge=1)  # between two signs of life in the database
    repeat_refusal_seconds: Seconds = 600  # the same refusal within so long is counted, not stored again; 0: stored
    shutdown_seconds: int = Field(30, ge=0)  # what is on its way is waited for on a stop, then handed to the next start
    live_check_hours: int = Field(24, ge=1, le=168)  # how long a passed `pumpswap live check` counts
