"""FeeConfig and FeeSchedule: what rates a pool pays (PROTOCOL 2.3 and 4.1)."""

from __future__ import annotations

import struct
from bisect import bisect_right
from typing import TYPE_CHECKING, ClassVar, Self

from solders.pubkey import Pubkey

from pumpswap.amm.accounts import GlobalConfig, check_account
from pumpswap.amm.codec import ZERO_KEY, Record
from pumpswap.amm.pool import FeeFamily
from pumpswap.amm.program_errors import refusal
from pumpswap.errors import MalformedAccount

if TYPE_CHECKING:
    from pumpswap.amm.state import PoolState

__all__ = ["FeeConfig", "FeeSchedule", "FeeTier", "Fees"]

_FEES = struct.Struct("<QQQ")
_CHANGED = "the layout may have changed: stop trading and upgrade"
_TIER_BYTES = 40
_MIN_LEN = 2512
_STABLE_FROM_LEN = 4073  # May 2026
_EXOTIC_FROM_LEN = 4097  # 2026-09-09


class Fees(Record, frozen=True):
    """One rate triple, in bps."""

    lp_fee_bps: int = 0
    protocol_fee_bps: int = 0
    creator_fee_bps: int = 0


class FeeTier(Record, frozen=True):
    """Rates from a market cap upwards (inclusive); the threshold is in raw units of the tier's quote currency."""

    market_cap_lamports_threshold: int
    fees: Fees


class FeeConfig(Record, frozen=True):
    """A FeeConfig account of the Pump-Fees program.

    The account's length, not the bytes present, decides which trailing schedules exist: behind the last valid field
    there may be stale garbage.
    """

    flat_fees: Fees
    fee_tiers: tuple[FeeTier, ...] = ()
    stable_fee_tiers: tuple[FeeTier, ...] = ()
    exotic_flat_fees: Fees = Fees()
    admin: Pubkey = ZERO_KEY
    bump: int = 0

    DISCRIMINATOR: ClassVar[bytes] = bytes.fromhex("8f3492bbdb7b4c9b")

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises MalformedAccount for another account, fewer than 2512 bytes, or tiers that do not fit."""
        check_account(data, cls.DISCRIMINATOR, _MIN_LEN, cls.__name__)
        tiers, at = _read_tiers(data, 65)
        stable: tuple[FeeTier, ...] = ()
        exotic = Fees()
        if len(data) >= _STABLE_FROM_LEN:
            stable, at = _read_tiers(data, at)
        if len(data) >= _EXOTIC_FROM_LEN:
            if at + _FEES.size > len(data):
                raise MalformedAccount("the exotic fees of this FeeConfig do not fit the account", hint=_CHANGED)
            exotic = Fees(*_FEES.unpack_from(data, at))
        flat = Fees(*_FEES.unpack_from(data, 41))
        return cls(flat, tiers, stable, exotic, Pubkey.from_bytes(data[9:41]), data[8])

    def encode(self, account_len: int = _EXOTIC_FROM_LEN) -> bytes:
        """Account bytes of ``account_len``; schedules that this length does not have are left out."""
        out = self.DISCRIMINATOR + bytes([self.bump]) + bytes(self.admin) + _pack_fees(self.flat_fees)
        out += _pack_tiers(self.fee_tiers)
        if account_len >= _STABLE_FROM_LEN:
            out += _pack_tiers(self.stable_fee_tiers)
        if account_len >= _EXOTIC_FROM_LEN:
            out += _pack_fees(self.exotic_flat_fees)
        if len(out) > account_len:
            raise MalformedAccount(
                f"these tiers need {len(out)} bytes, the account has {account_len}", hint="fewer tiers"
            )
        return out.ljust(account_len, b"\0")


def _read_tiers(data: bytes, at: int) -> tuple[tuple[FeeTier, ...], int]:
    count = int.from_bytes(data[at : at + 4], "little")
    at += 4
    end = at + count * _TIER_BYTES
    if end > len(data):
        raise MalformedAccount(f"{count} fee tiers do not fit a FeeConfig of {len(data)} bytes", hint=_CHANGED)
    tiers = tuple(
        FeeTier(int.from_bytes(data[one : one + 16], "little"), Fees(*_FEES.unpack_from(data, one + 16)))
        for one in range(at, end, _TIER_BYTES)
    )
    return tiers, end


def _pack_fees(fees: Fees) -> bytes:
    return _FEES.pack(fees.lp_fee_bps, fees.protocol_fee_bps, fees.creator_fee_bps)


def _pack_tiers(tiers: tuple[FeeTier, ...]) -> bytes:
    body = b"".join(tier.market_cap_lamports_threshold.to_bytes(16, "little") + _pack_fees(tier.fees) for tier in tiers)
    return len(tiers).to_bytes(4, "little") + body


class _Ladder:
    """Tiers prepared for look-up: the last threshold at or below the market cap, else the first tier."""

    def __init__(self, tiers: tuple[FeeTier, ...]) -> None:
        ordered = sorted(tiers, key=lambda tier: tier.market_cap_lamports_threshold)
        self.thresholds = [tier.market_cap_lamports_threshold for tier in ordered]
        self.rates = [_triple(tier.fees) for tier in ordered]

    def at(self, market_cap: int) -> tuple[int, int, int]:
        if not self.rates:
            raise refusal(6082, "the FeeConfig has no tiers for this quote mint")
        return self.rates[max(bisect_right(self.thresholds, market_cap) - 1, 0)]


def _triple(fees: Fees) -> tuple[int, int, int]:
    return fees.lp_fee_bps, fees.protocol_fee_bps, fees.creator_fee_bps


class FeeSchedule:
    """GlobalConfig + FeeConfig, prepared once: what every pool pays at this moment."""

    def __init__(self, global_config: GlobalConfig, fee_config: FeeConfig) -> None:
        self.global_config = global_config
        self.fee_config = fee_config
        self.buyback_bps = global_config.buyback_basis_points
        self._flat = _triple(fee_config.flat_fees)
        exotic = _triple(fee_config.exotic_flat_fees)
        # All-zero means "never set" (so until 2026-09-09), and then the program falls back to the flat fees.
        self._exotic = exotic if any(exotic) else self._flat
        self._sol = _Ladder(fee_config.fee_tiers)
        # Without stable tiers the official client quotes USDC pools by the SOL tiers; the program refuses (6082), and
        # so does everything of ours that goes further than a quote: see require_tiers.
        self._stable = _Ladder(fee_config.stable_fee_tiers or fee_config.fee_tiers)

    def __repr__(self) -> str:
        tiers = f"{len(self._sol.rates)} SOL tiers, {len(self._stable.rates)} stable tiers"
        return f"<FeeSchedule {tiers}, flat {self._flat}, exotic {self._exotic}>"

    def listed_rates(self, family: FeeFamily, market_cap: int) -> tuple[int, int, int]:
        """(lp, protocol, creator) bps as the FeeConfig lists them, before the rules that look at the pool."""
        if family is FeeFamily.SOL:
            return self._sol.at(market_cap)
        if family is FeeFamily.FLAT:
            return self._flat
        return self._stable.at(market_cap) if family is FeeFamily.STABLE else self._exotic

    def require_tiers(self, state: PoolState) -> None:
        """Raises TradeRefused (6082) when the program would: a canonical USDC pool and no stable tiers."""
        if state.pool.fee_family is FeeFamily.STABLE and not self.fee_config.stable_fee_tiers:
            raise refusal(6082, "the FeeConfig has no stable tiers")

    def rates(self, state: PoolState) -> tuple[int, int, int]:
        """(lp_bps, protocol_bps, creator_bps) that a trade on ``state`` pays: pre-trade market cap, per-pool creator
        rate, no creator fee without a coin creator. Raises TradeRefused (6082) when the tiers are missing.
        """
        pool = state.pool
        family = pool.fee_family
        if family is FeeFamily.SOL:
            lp, protocol, creator = self._sol.at(state.market_cap)
        elif family is FeeFamily.STABLE:
            lp, protocol, creator = self._stable.at(state.market_cap)
        else:
            lp, protocol, creator = self._flat if family is FeeFamily.FLAT else self._exotic
        if not pool.has_coin_creator:
            return lp, protocol, 0
        if pool.creator_fee_bps and self.global_config.creator_fee_configurable:
            return lp, protocol, pool.creator_fee_bps
        return lp, protocol, creator
