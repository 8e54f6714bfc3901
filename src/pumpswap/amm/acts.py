"""Acts: what somebody sent to a pool, as it was signed (PROTOCOL 3), so that it can be sent again to another state.

Raw units; the fields are the arguments of the program's instructions. ``pumpswap.amm.acting`` applies them.
"""

from __future__ import annotations

from solders.pubkey import Pubkey

from pumpswap.amm.codec import Record
from pumpswap.amm.events.fees import FeeBucket
from pumpswap.amm.state import PoolState
from pumpswap.units import U64_MAX

__all__ = [
    "ALL_FEES",
    "BoostBurn",
    "BuyBase",
    "BuyQuote",
    "Charged",
    "Deposit",
    "HopBuy",
    "HopSell",
    "NO_LIMIT",
    "PoolAct",
    "PoolChange",
    "Rates",
    "Route",
    "Sell",
    "SweepFees",
    "Told",
    "VaultGift",
    "Withdraw",
]

NO_LIMIT = U64_MAX  # a most that nothing exceeds: of acts whose limit nobody told


class Rates(Record, frozen=True):
    """What one recorded trade really paid, in bps, where the schedule of its date does not explain it.

    ``buyback_bps`` is the part of the protocol fee that is bought back.
    """

    lp_bps: int
    protocol_bps: int
    creator_bps: int
    buyback_bps: int = 0


class BuyBase(Record, frozen=True):
    """``buy``, ``buy_v2``: exactly this base for at most that quote."""

    base_amount_out: int
    max_quote_amount_in: int
    generation: int


class BuyQuote(Record, frozen=True):
    """``buy_exact_quote_in``, ``…_v2``: all of this budget for at least that base."""

    spendable_quote_in: int
    min_base_amount_out: int
    generation: int


class Sell(Record, frozen=True):
    """``sell``, ``sell_v2``: exactly this base for at least that quote."""

    base_amount_in: int
    min_quote_amount_out: int
    generation: int


class Charged(Record, frozen=True):
    """Which fees one hop of a route pays (PROTOCOL 4.10)."""

    lp: bool
    protocol: bool
    creator: bool


ALL_FEES = Charged(lp=True, protocol=True, creator=True)


class Route(Record, frozen=True):
    """Which hop of which transaction: ``hop`` from 0, of ``hops``. What one hop pays out is the input of the next."""

    signature: str
    hop: int
    hops: int


class HopBuy(Record, frozen=True):
    """One hop of ``multi_hop_swap`` that takes base out of a pool for exactly this quote; no limit of its own."""

    amount_in: int
    charged: Charged
    route: Route


class HopSell(Record, frozen=True):
    """One hop of ``multi_hop_swap`` that gives exactly this base to a pool; no limit of its own."""

    amount_in: int
    charged: Charged
    route: Route


class Deposit(Record, frozen=True):
    """``deposit``: exactly so many LP units."""

    lp_amount: int
    max_base: int = NO_LIMIT
    max_quote: int = NO_LIMIT


class Withdraw(Record, frozen=True):
    """``withdraw``: exactly so many LP units."""

    lp_amount: int
    min_base: int = 0
    min_quote: int = 0


class SweepFees(Record, frozen=True):
    """``sweep_protocol_fee`` or ``sweep_creator_fee``: whatever the bucket holds; nothing when it is empty."""

    bucket: FeeBucket


class BoostBurn(Record, frozen=True):
    """``boost_buy_and_burn``: base for this quote out of the boost vault, burned."""

    quote_amount_in: int


class PoolChange(Record, frozen=True):
    """What an administrator, a creator or a holder changed at a pool without trading. Only what is not None changes.

    ``virtual_quote_change``: quote that moved from the vault into the boost vault and is mirrored as virtual reserves;
    ``supply_change``: base that holders burned (negative). ``account_len`` only grows, by zeros.
    """

    coin_creator: Pubkey | None = None
    creator_fee_bps: int | None = None
    can_edit_creator_fee: bool | None = None
    is_holder_reward: bool | None = None
    is_cashback_coin: bool | None = None
    account_len: int | None = None
    supply_change: int = 0
    virtual_quote_change: int = 0


class VaultGift(Record, frozen=True):
    """Units that came into the vaults (or left them, negative) without an instruction of the program."""

    base: int
    quote: int


class Told(Record, frozen=True):
    """The whole pool as it was told: its creation, or what no act explains."""

    state: PoolState


PoolAct = (
    BuyBase
    | BuyQuote
    | Sell
    | HopBuy
    | HopSell
    | Deposit
    | Withdraw
    | SweepFees
    | BoostBurn
    | PoolChange
    | VaultGift
    | Told
)
