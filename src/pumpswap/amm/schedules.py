"""The fee schedules of the past and of today, as data in the package (PROTOCOL 2.3, 8)."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

import msgspec
from solders.pubkey import Pubkey

from pumpswap.amm.accounts import GlobalConfig
from pumpswap.amm.codec import ZERO_KEY, Record
from pumpswap.amm.fees import FeeConfig, Fees, FeeSchedule, FeeTier

__all__ = ["DatedSchedule", "current_schedule", "dated_schedules", "schedule_at"]


class DatedSchedule(Record, frozen=True):
    """A schedule and the Unix second from which it was in force; ``note`` says what changed."""

    since: int
    note: str
    schedule: FeeSchedule


@cache
def dated_schedules() -> tuple[DatedSchedule, ...]:
    """All known schedules, oldest first. Recipients are today's in all of them: they decide no amount."""
    raw = msgspec.json.decode((resources.files("pumpswap.amm") / "data" / "fee_schedules.json").read_bytes())
    return tuple(_dated(entry, raw["global_config"], raw["tiers"]) for entry in raw["schedules"])


def current_schedule() -> FeeSchedule:
    """The schedule in force since the last entry of the package's data: what to use without a connection.

    GlobalConfig and FeeConfig can change at any time; live code reads them from the chain.
    """
    return dated_schedules()[-1].schedule


def schedule_at(unix_seconds: int) -> FeeSchedule:
    """The schedule that was in force at a time; before launch (March 2025) the first one."""
    return dated_schedules()[max(bisect_right(_beginnings(), unix_seconds) - 1, 0)].schedule


@cache
def _beginnings() -> tuple[int, ...]:
    return tuple(entry.since for entry in dated_schedules())


def _dated(entry: dict[str, Any], config: dict[str, Any], tiers: dict[str, Any]) -> DatedSchedule:
    since = int(datetime.fromisoformat(entry["since"]).replace(tzinfo=UTC).timestamp())
    fees = FeeConfig(
        flat_fees=Fees(*entry["flat_fees"]),
        fee_tiers=_tiers(entry["fee_tiers"], tiers),
        stable_fee_tiers=_tiers(entry["stable_fee_tiers"], tiers),
        exotic_flat_fees=Fees(*entry["exotic_flat_fees"]),
    )
    return DatedSchedule(since, entry["note"], FeeSchedule(_global_config({**config, **entry["global_config"]}), fees))


def _tiers(rows: str | list[list[int]], named: dict[str, Any]) -> tuple[FeeTier, ...]:
    listed = named[rows] if isinstance(rows, str) else rows
    return tuple(FeeTier(threshold, Fees(*rates)) for threshold, *rates in listed)


def _global_config(values: dict[str, Any]) -> GlobalConfig:
    def keyed(value: Any) -> Any:
        if isinstance(value, list):
            return tuple(keyed(one) for one in value)
        return Pubkey.from_string(value) if isinstance(value, str) else value

    return GlobalConfig(**{"admin": ZERO_KEY, **{name: keyed(value) for name, value in values.items()}})
