"""What a host's dictionary says: read once, named, checked; or a Told, which says why nothing follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solders.pubkey import Pubkey

from pumpswap.clock import NS_PER_SECOND
from pumpswap.errors import BadInput, ConfigError, NotFound
from pumpswap.model import Side
from pumpswap.sdk.executor.values import flag_of, moment_of, number_of, shown_value, text_of, written
from pumpswap.sdk.pool_identity import identify
from pumpswap.settings import Settings
from pumpswap.signals.regimes import Regime
from pumpswap.signals.trading_signal import named_side
from pumpswap.units import BPS

__all__ = [
    "ReadSignal",
    "Told",
    "check_workflow_flags",
    "read_figures",
    "read_identity",
    "read_sell_bps",
    "read_signal",
    "stated_side",
]

Q50, ANALYSER = "q50", "analyser"
_IDENTITY_KEYS = (
    "pumpswap_pair_address", "pair_address", "pool_id", "base_token_address", "base_token_id", "mint_address",
    "network_address", "dex_id", "network_id", "network",
)  # fmt: skip
_SCORES = ("final_signal_score", "signal_score")
_REGIME_KEYS = ("vol_regime", "regime", "variance_regime")
_PLAN_SIDES = {1.0: Side.LONG, 0.0: Side.HOLD, -1.0: Side.SHORT}
_FRAME_SPACING_SECONDS = 3_600  # of the published frame; the settings may say another tolerance
_LONGEST_ID = 200
_CLOCKS_DIFFER_NS = 5 * NS_PER_SECOND


class Told(Exception):
    """Why a signal leads to no order: a code of the table, in words, and which keys were required."""

    def __init__(self, code: str, text: str, required: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.required = required


@dataclass(frozen=True, slots=True)
class ReadSignal:
    """``pool`` None: the canonical pool of ``mint``. ``own_id`` is the caller's name of the signal, ``stamp_ns`` its
    time as he tells it; without either nothing distinguishes it from the next one of the same pool.
    """

    pool: Pubkey | None
    mint: Pubkey | None
    side: Side
    source: str
    at_ns: int
    own_id: str = ""
    stamp_ns: int | None = None
    score: float | None = None
    strength: float = 0.0
    q50: float | None = None
    regime: Regime | None = None
    vol_risk: float | None = None
    win_probability: float | None = None
    win_loss_ratio: float | None = None
    name: str = ""

    @property
    def is_of_model(self) -> bool:
        """Whether it is a row of a quantile model: as old as its frame, and meant for now."""
        return self.source == Q50

    def id_in(self, pool: str) -> str:
        """What the signal is known by, for the pool that it turned out to be about; empty where nothing tells. Buying
        and selling on one row are two signals: that it has bought keeps nothing from being sold.
        """
        side = self.side.value
        if self.own_id:
            return f"{pool}/id/{self.own_id}/{side}"
        return "" if self.stamp_ns is None else f"{pool}/{self.source}/{self.stamp_ns}/{side}"


def read_signal(data: object, settings: Settings, now_ns: int, *, needs_significance: bool = False) -> ReadSignal:
    """The signal of a dictionary, for as much as can be told without its pool. Raises Told for anything that no order
    may follow from. ``needs_significance``: a model's buy must say that it is economically significant; otherwise it
    must not deny it.
    """
    if not isinstance(data, Mapping):
        raise Told("invalid_signal_data", f"signal_data is {shown_value(data)}, not a dictionary", ("signal_data",))
    try:
        signal = _read(data, settings, now_ns)
        is_silent = flag_of(data, "economically_significant") is None
    except BadInput as wrong:
        raise Told("invalid_signal_data", wrong.what) from None
    if needs_significance and is_silent and signal.is_of_model and signal.side is Side.LONG:
        raise Told("not_economically_significant", "the row does not say that it is economically significant")
    return signal


def check_workflow_flags(data: Mapping[Any, object]) -> None:
    """The plan's own condition: tradeable, and PumpSwap available. Raises Told."""
    try:
        is_tradeable, is_available = flag_of(data, "tradeable"), flag_of(data, "pumpswap_available")
        why = "" if is_available is True else text_of(data, "pumpswap_error")
    except BadInput as wrong:
        raise Told("invalid_signal_data", wrong.what) from None
    if is_tradeable is not True:
        raise Told("not_tradeable", "the signal does not say that it is tradeable")
    if is_available is not True:
        raise Told("pumpswap_unavailable", why[:200] or "pumpswap_available is not True: analysis only")


def read_sell_bps(data: object, settings: Settings) -> int:
    """The share of a position that a sale sells, in basis points: ``sell_fraction`` of the signal, else the settings'.

    Raises Told.
    """
    stated = data.get("sell_fraction") if isinstance(data, Mapping) else None
    if stated is None:
        return settings.exits.short_signal_bps
    try:
        fraction = number_of({"sell_fraction": stated}, "sell_fraction")
    except BadInput as wrong:
        raise Told("invalid_sell_amount", wrong.what) from None
    if fraction is None or not 0 < fraction <= 1:
        raise Told("invalid_sell_amount", f"sell_fraction is {shown_value(stated)}, not above 0 and at most 1")
    return max(round(fraction * BPS), 1)


def read_identity(data: Mapping[Any, object]) -> tuple[Pubkey | None, Pubkey | None]:
    """(pool, mint) that a signal is about. Raises Told.

    ``pool_data`` says it, and beside it the keys of the signal itself. Whatever names a pool is believed to be of
    PumpSwap until the account is read: its owner decides.
    """
    inner = data.get("pool_data")
    if inner is not None and not isinstance(inner, Mapping):
        raise Told("invalid_mint_address", f"pool_data is {shown_value(inner)}, not a dictionary", ("pool_data",))
    row: dict[str, object] = {"dex_id": "pumpswap"}
    for source in (data, inner or {}):
        row |= {key: source[key] for key in _IDENTITY_KEYS if source.get(key) not in (None, "")}
    if inner is not None:
        row |= {key: inner[key] for key in ("id", "address") if inner.get(key) not in (None, "")}
    for key in (*_IDENTITY_KEYS, "address"):
        if row.get(key) is not None and not isinstance(row[key], str):
            raise Told("invalid_mint_address", f"{key} is {shown_value(row[key])}, which is no address", (key,))
    _take_network_address(row)
    try:
        found = identify(row)
    except NotFound as nothing:
        is_elsewhere = "not on" in nothing.what
        code = "pair_not_found" if is_elsewhere else "invalid_mint_address"
        required = () if is_elsewhere else ("pool_data.base_token_address",)
        raise Told(code, nothing.what, required) from None
    except BadInput as wrong:
        raise Told("invalid_mint_address", wrong.what) from None
    return found.pool, found.mint


def _take_network_address(row: dict[str, object]) -> None:
    """The host's watchlist has a mint under this name, or the pool: it tells nothing beside a better one."""
    address = row.pop("network_address", None)
    if address is None or any(row.get(key) for key in ("base_token_address", "base_token_id", "mint_address")):
        return
    pools = {str(row.get(key, "")).rpartition("_")[2] for key in ("pool_id", "id", "address", "pair_address")}
    if address not in pools:
        row["mint_address"] = address


def read_figures(data: object, settings: Settings) -> dict[str, Any]:
    """What of a model's row makes a size: the fields of ``Signal`` from strength to volatility. Raises BadInput for
    what is no value, and for a row without q50 or without a regime.
    """
    if not isinstance(data, Mapping):
        raise BadInput(f"the signal is {shown_value(data)}, not a dictionary", hint="pass the model's row")
    q50, regime = number_of(data, "q50"), _regime(data)
    if q50 is None:
        raise BadInput("q50 is missing", hint="pass the model's row")
    if regime is None:
        raise BadInput("the signal has no regime", hint="vol_regime is low, medium, high or extreme")
    return {
        "strength": _strength(data, q50),
        "q50": q50,
        "regime": regime.value,
        "size_multiplier": settings.regimes.multiplier(regime.value),
        "win_probability": _share(data, "prob_up"),
        "win_loss_ratio": _win_loss(data),
        "vol_risk": _not_negative(data, "vol_risk"),
    }


def _read(data: Mapping[Any, object], settings: Settings, now_ns: int) -> ReadSignal:
    pool, mint = read_identity(data)
    source = text_of(data, "source") or (ANALYSER if _is_analysis(data) else Q50)
    q50 = number_of(data, "q50")
    side = _side(data, q50, settings)
    stamp = moment_of(data, "timestamp")
    _check_age(data, source, stamp, settings, now_ns)
    score = _score(data)
    signal = ReadSignal(
        pool=pool,
        mint=mint,
        side=side,
        source=source,
        # A row of a model's frame is as old as its frame; it speaks now.
        at_ns=now_ns if stamp is None or source == Q50 else stamp,
        own_id=_own_id(data),
        stamp_ns=stamp,
        score=score,
        strength=_strength(data, q50),
        q50=q50,
        regime=_regime(data),
        vol_risk=_not_negative(data, "vol_risk"),
        win_probability=_share(data, "prob_up"),
        win_loss_ratio=_win_loss(data),
        name=text_of(data, "name"),
    )
    _check_direction(signal)
    if side is Side.LONG:
        _check_entry(data, signal, settings)
    return signal


# ---------------------------------------------------------------------------------------------- direction


def _side(data: Mapping[Any, object], q50: float | None, settings: Settings) -> Side:
    """The named side; a number by the frame's code, or the design's when ``side_code`` is ``plan``. Without a side the
    sign of q50 tells it.
    """
    value = data.get("side")
    if value is None or value == "":
        if q50 is None:
            raise Told("invalid_signal_data", "neither side nor q50 tells a direction", ("side", "q50"))
        return Side.HOLD if q50 == 0 else Side.LONG if q50 > 0 else Side.SHORT
    if isinstance(value, Side):
        return value
    code = text_of(data, "side_code") or settings.q50.side_code
    if code not in ("frame", "plan"):
        raise BadInput(f"side_code is {shown_value(code)}", hint="frame or plan")
    if not isinstance(value, str) or _is_number(value):
        number = number_of(data, "side")
        known = _PLAN_SIDES if code == "plan" else None
        if known is not None:
            if number not in known:
                raise BadInput(f"side {shown_value(value)} is no side of the plan's code", hint="1, 0 or -1")
            return known[number]
        value = number
    elif value.strip().lower() in ("buy", "sell"):
        value = "long" if value.strip().lower() == "buy" else "short"
    return named_side(value.strip() if isinstance(value, str) else value)


def _is_analysis(data: Mapping[Any, object]) -> bool:
    """Whether this is what ``analyze_pool_enhanced`` returns: it has both scores, and no model has spoken."""
    return "base_signal_score" in data and "q50" not in data


def _is_number(text: str) -> bool:
    return text.strip().lstrip("+-").replace(".", "", 1).isdigit()


def _check_direction(signal: ReadSignal) -> None:
    if signal.side is Side.HOLD:
        raise Told("side_is_hold", "the signal says hold")
    if signal.q50 is None:
        if signal.side is Side.LONG and signal.source == Q50:
            raise Told("invalid_signal_data", "q50 is missing; a signal without one names its source", ("q50",))
        return
    agrees = signal.q50 > 0 if signal.side is Side.LONG else signal.q50 < 0
    if not agrees:
        raise Told("side_contradicts_q50", f"the side is {signal.side.value}, q50 is {signal.q50:+.4g}")


# ---------------------------------------------------------------------------------------------- entries


def _check_entry(data: Mapping[Any, object], signal: ReadSignal, settings: Settings) -> None:
    """What a buy needs besides a direction. Sales need none of it: leaving does not depend on a model's flags."""
    if flag_of(data, "tradeable") is not True:
        raise Told("not_tradeable", "the signal does not say that it is tradeable")
    if flag_of(data, "pumpswap_available") is False:
        raise Told("pumpswap_unavailable", "pumpswap_available is False: analysis only")
    if flag_of(data, "economically_significant") is False:
        raise Told("not_economically_significant", "the model's rules do not call it economically significant")
    if settings.q50.require_high_quality and flag_of(data, "high_quality") is not True:
        raise Told("not_high_quality", "the row is not of high quality, which require_high_quality asks for")
    if signal.q50 is not None and signal.regime is None:
        raise Told("no_regime", "the signal has no regime: no entry during the warm-up of a model")
    if signal.score is None or not 0 <= signal.score <= 100:
        text = "is missing" if signal.score is None else f"{signal.score:g} is not within 0 to 100"
        raise Told("invalid_signal_data", f"signal_score {text}", ("signal_score",))
    if signal.score < settings.signals.min_score:
        raise Told("score_below_threshold", f"score {signal.score:.1f} is below {settings.signals.min_score:g}")


def _check_age(data: Mapping[Any, object], source: str, stamp: int | None, settings: Settings, now_ns: int) -> None:
    """A row of a frame may be as old as the frame's spacing; others are judged by the gate. None is of the future."""
    if stamp is not None and stamp > now_ns + _CLOCKS_DIFFER_NS:
        raise Told("stale_signal", f"the signal is of {(stamp - now_ns) // NS_PER_SECOND} s later than now")
    if source != Q50:
        return
    tolerance = settings.q50.tolerance_seconds
    most = _FRAME_SPACING_SECONDS if tolerance is None else tolerance
    # What a loader has found for its moment: without a timestamp nothing else tells how old the row is.
    minutes = number_of(data, "time_diff_minutes")
    ages = [] if minutes is None else [int(abs(minutes) * 60)]
    if stamp is not None:
        ages.append((now_ns - stamp) // NS_PER_SECOND)
    age = max(ages, default=0) - settings.q50.visible_after_seconds
    if age > most:
        raise Told("stale_signal", f"the row is {age} s old, at most {most} s")


def _score(data: Mapping[Any, object]) -> float | None:
    """The final score, else the signal's own. One that was computed and is no number is not the other one."""
    for key in _SCORES:
        found = number_of(data, key)
        if found is not None:
            return found
        if data.get(key) not in (None, ""):
            raise BadInput(f"{key} is NaN", hint="a number of 0 to 100")
    return None


def stated_side(data: Mapping[Any, object], settings: Settings) -> Side | None:
    """The side that a row names itself, None where it names none. Raises BadInput for what is no side."""
    return None if data.get("side") in (None, "") else _side(data, None, settings)


def _regime(data: Mapping[Any, object]) -> Regime | None:
    for key in _REGIME_KEYS:
        text = text_of(data, key)
        if text:
            try:
                return Regime.named(text)
            except ConfigError:
                raise BadInput(f"{key} is {shown_value(text)}", hint="low, medium, high or extreme") from None
    flagged = [regime for regime in Regime if flag_of(data, f"variance_regime_{regime.value}")]
    return flagged[0] if len(flagged) == 1 else None


def _strength(data: Mapping[Any, object], q50: float | None) -> float:
    """0 to 1: the rank of |q50| among the past where it is told, else the design's factor, half at |q50| of 1 %."""
    rank = _share(data, "q50_rank")
    if rank is not None:
        return rank
    if q50 is not None:
        return min(100 * abs(q50), 2.0) / 2
    return min(max(number_of(data, "signal_score") or 0.0, 0.0), 100.0) / 100


def _win_loss(data: Mapping[Any, object]) -> float | None:
    """Gain over loss of a rise, from the model's quantiles."""
    low, high = number_of(data, "q10"), number_of(data, "q90")
    if low is None or high is None or low >= 0 or high <= 0:
        return None
    return high / -low


def _share(data: Mapping[Any, object], key: str) -> float | None:
    found = number_of(data, key)
    if found is not None and not 0 <= found <= 1:
        raise BadInput(f"{key} is {found:g}", hint="0 to 1")
    return found


def _not_negative(data: Mapping[Any, object], key: str) -> float | None:
    found = number_of(data, key)
    if found is not None and found < 0:
        raise BadInput(f"{key} is {found:g}", hint="0 or more")
    return found


def _own_id(data: Mapping[Any, object]) -> str:
    stated = data.get("signal_id")
    if stated is None or stated == "":
        return ""
    text = written(stated)
    if not isinstance(stated, str | int) or isinstance(stated, bool) or not 0 < len(text) <= _LONGEST_ID:
        raise BadInput(f"signal_id is {shown_value(stated)}", hint=f"text of at most {_LONGEST_ID} characters")
    return text
