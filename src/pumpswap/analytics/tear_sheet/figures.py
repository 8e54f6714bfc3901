"""The figures of a tear sheet as one object: what ``--json`` prints, and what the page shows beside its texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import msgspec

from pumpswap.analytics.performance.estimate import Estimate
from pumpswap.analytics.performance.result import Day, PositionGain, Slice
from pumpswap.analytics.tear_sheet.execution import Execution, Spread
from pumpswap.analytics.tear_sheet.sheet import TearSheet
from pumpswap.clock import NS_PER_SECOND, format_utc
from pumpswap.model.booked import BookedRound

__all__ = ["day_json", "position_json", "sheet_json", "slice_json"]


def sheet_json(sheet: TearSheet) -> dict[str, Any]:
    """Every figure of the sheet but the lists of rounds; lamports are strings, shares and ratios numbers."""
    found = sheet.performance
    returns = _plain(found.returns)
    del returns["returns"]
    return {
        "period": {
            "name": sheet.time.period,
            "text": sheet.time.name,
            "zone": sheet.time.zone,
            "since": _iso(sheet.time.since_ns),
            "until": _iso(sheet.time.until_ns),
            "is_over": sheet.time.is_over,
        },
        "sol_usd": {"price": None if sheet.sol.usd is None else str(sheet.sol.usd), "source": sheet.sol.source},
        "money": {"net_lamports": str(found.money.net_lamports), **_plain(found.money)},
        "rounds": _plain(found.rounds_closed),
        "returns": returns,
        "activity": _plain(found.activity),
        "costs_lamports": {kind.value: str(lamports) for kind, lamports in found.costs.items()},
        "by_strategy": [slice_json(each) for each in found.by_strategy],
        "by_exit": [slice_json(each) for each in found.by_exit],
        "by_token": [slice_json(each) for each in found.by_token],
        "by_day": [day_json(each) for each in found.by_day],
        "execution": _execution(sheet.execution),
        "calibration": [band.to_json() for band in sheet.bands],
        "refused": [{**_plain(one), "verdict": one.verdict} for one in sheet.refused],
        "q50": None if sheet.q50 is None else sheet.q50.to_json(),
    }


def slice_json(one: Slice) -> dict[str, Any]:
    """A strategy, an exit or a token."""
    return {**_plain(one), "share": one.share}


def day_json(day: Day) -> dict[str, Any]:
    """A day."""
    rest = _plain(day)
    return {"day": format_utc(rest.pop("start_ns"))[:10], "net_lamports": str(day.net_lamports), **rest}


def position_json(one: PositionGain) -> dict[str, Any]:
    """A round and what its sales of the time have earned."""
    return {"gain_lamports": str(one.gain_lamports), "sales": one.sales, **_round(one.round)}


def _round(one: BookedRound) -> dict[str, Any]:
    told = _plain(one)
    opened, closed = told.pop("opened_ns"), told.pop("closed_ns")
    return {"opened_at": _iso(opened), "closed_at": None if closed is None else _iso(closed), **told}


def _execution(found: Execution) -> dict[str, Any]:
    spreads = {"slippage_of_buys": found.buys, "slippage_of_sells": found.sells, "impact": found.impact,
               "landing_seconds": found.landing}  # fmt: skip
    return {
        "fills": found.fills,
        "failed": found.failed,
        "fill_rate": found.fill_rate,
        **{name: None if spread is None else spread.to_json() for name, spread in spreads.items()},
        "not_filled": [
            {"side": one.side.value, "status": one.status, "reason": one.reason, "count": one.count}
            for one in found.failures
        ],
    }


def _plain(value: Any, name: str = "") -> Any:
    """Records as objects; exact lamports and raw units as text."""
    if isinstance(value, Estimate | Spread):
        return value.to_json()
    if isinstance(value, BookedRound) and name:
        return _round(value)
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name), each.name) for each in fields(value)}
    if isinstance(value, msgspec.Struct):
        return {each: _plain(getattr(value, each), each) for each in value.__struct_fields__}
    if isinstance(value, int) and name.endswith(("lamports", "_units")):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value


def _iso(at_ns: int) -> str:
    return f"{format_utc(at_ns).replace(' ', 'T')}.{at_ns % NS_PER_SECOND:09d}Z"
