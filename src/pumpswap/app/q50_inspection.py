"""What a Q50 file is and what would come of it: figures about the whole file, for people, never for a decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from pumpswap.app.q50 import rules_of
from pumpswap.clock import NS_PER_SECOND, Clock, format_utc
from pumpswap.errors import ConfigError
from pumpswap.market.q50_file import Q50Reading, read_q50
from pumpswap.model import Q50Row, Q50Series, Side
from pumpswap.settings import Settings
from pumpswap.signals.past_values import percentile
from pumpswap.signals.q50_calibration import Q50Calibration
from pumpswap.signals.q50_signal import Q50Signaller

__all__ = ["Q50Inspection", "RulePass", "SeriesFacts", "inspect_q50"]

SHARES = (5, 30, 50, 70, 80, 90, 95, 100)  # per cent


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """The times of one instrument. A gap is a step longer than the spacing; ``missing_rows`` is how many would fit."""

    instrument: str | None
    rows: int
    first_ns: int
    last_ns: int
    spacing_ns: int
    gaps: int
    missing_rows: int
    longest_gap_ns: int


@dataclass(frozen=True, slots=True)
class RulePass:
    """How many rows a rule lets through, of ``rows``."""

    name: str
    rule: str
    rows: int


@dataclass(frozen=True, slots=True)
class Q50Inspection:
    """One file under given settings. ``facts`` has every instrument; the rest is about ``chosen``."""

    reading: Q50Reading
    facts: tuple[SeriesFacts, ...]
    chosen: SeriesFacts
    flags: Mapping[str, int]
    sides: Mapping[Side, int]
    has_side: bool
    abs_q50: Mapping[int, float]
    vol_risk: Mapping[int, float]
    calibration: Q50Calibration
    threshold: float | None
    threshold_range: tuple[float, float] | None
    rules: tuple[RulePass, ...]
    now_ns: int
    warnings: tuple[str, ...]


def inspect_q50(settings: Settings, clock: Clock) -> Q50Inspection:
    """Read ``q50.path`` and count. Raises what ``read_q50`` raises, and ConfigError where several instruments are there
    and none is chosen.
    """
    q50 = settings.q50
    if q50.path is None:
        raise ConfigError("there is no Q50 file to inspect", hint="name one, or set q50.path")
    reading = read_q50(q50.path, side_code=q50.side_code, complete=rules_of(q50))
    series = reading.frame.chosen(q50.instrument)
    signaller = Q50Signaller(reading.frame, q50.model_copy(update={"instrument": series.instrument}), settings.regimes)
    calibration = signaller.calibration(series)
    known = [scale.threshold for scale in calibration.scales if scale]
    flags = {name: sum(series.column(name)) for name in ("tradeable", "economically_significant", "high_quality")}
    facts = tuple(map(_facts, reading.frame))
    strengths = sorted(map(abs, series.column("q50")))
    risks = sorted(series.column("vol_risk"))
    return Q50Inspection(
        reading=reading,
        facts=facts,
        chosen=_facts(series),
        flags=flags,
        sides=Counter(series.column("side")),
        has_side="side" not in reading.computed and series.has_side,
        abs_q50={share: percentile(strengths, share / 100) for share in SHARES},
        vol_risk={share: percentile(risks, share / 100) for share in SHARES},
        calibration=calibration,
        threshold=known[-1] if known else None,
        threshold_range=(min(known), max(known)) if known else None,
        rules=_passes(series, signaller),
        now_ns=clock.now_ns(),
        warnings=tuple(_warnings(series, flags, settings, clock.now_ns())),
    )


def _facts(series: Q50Series) -> SeriesFacts:
    spacing = series.spacing_ns
    steps = [later - earlier for earlier, later in pairwise(list(series.times_ns))]
    gaps = [step for step in steps if step > spacing]
    return SeriesFacts(
        instrument=series.instrument,
        rows=len(series),
        first_ns=series.times_ns[0],
        last_ns=series.times_ns[-1],
        spacing_ns=spacing,
        gaps=len(gaps),
        missing_rows=sum(-(-step // spacing) - 1 for step in gaps) if spacing else 0,
        longest_gap_ns=max(gaps, default=0),
    )


_RULES: tuple[tuple[str, str, Callable[[Q50Row], bool]], ...] = (
    (
        "design",
        "tradeable, economically_significant, high_quality (and a score of 75)",
        lambda row: row.tradeable and row.economically_significant and row.high_quality,
    ),
    ("plan", "tradeable (and the pool on PumpSwap)", lambda row: row.tradeable),
    ("POC buys", "tradeable, q50 above 0", lambda row: row.tradeable and row.q50 > 0),
    ("POC sells", "tradeable, q50 below 0", lambda row: row.tradeable and row.q50 < 0),
    ("POC strategy", "|q50| at least 0.01", lambda row: abs(row.q50) >= 0.01),
    ("POC feasibility", "|q50| at least 0.001", lambda row: abs(row.q50) >= 0.001),
)


def _passes(series: Q50Series, signaller: Q50Signaller) -> tuple[RulePass, ...]:
    rows = [series.row(place) for place in range(len(series))]
    theirs = [RulePass(name, text, sum(map(holds, rows))) for name, text, holds in _RULES]
    delay_ns = signaller.settings.visible_after_seconds * NS_PER_SECOND
    ours = Counter(signaller.decide(row.at_ns + delay_ns, series).side for row in rows)
    wanted = ", high_quality" if signaller.settings.require_high_quality else ""
    share = f"{signaller.settings.threshold_percentile * 100:f}".rstrip("0").rstrip(".")
    long_rule = f"|q50| from the {share} % of its past, tradeable{wanted}, q50 above 0"
    return (
        *theirs,
        RulePass("ours, long", long_rule, ours[Side.LONG]),
        RulePass("ours, short", "the same below 0, by its own expected value", ours[Side.SHORT]),
    )


def _warnings(series: Q50Series, flags: Mapping[str, int], settings: Settings, now_ns: int) -> list[str]:
    rows, q50 = len(series), settings.q50
    found = []
    age_days = (now_ns - series.times_ns[-1]) // (86_400 * NS_PER_SECOND)
    if not series.at(now_ns, q50.tolerance_ns):
        when = format_utc(series.times_ns[-1])
        found.append(
            f"no signal now: the newest row is of {when}, {age_days} d ago"
            if age_days >= 0
            else f"all rows up to {when} are not past yet"
        )
    if not flags["high_quality"]:
        never = ": nothing will ever pass, since require_high_quality is on" if q50.require_high_quality else ""
        found.append(f"high_quality is false in every row{never or ': the rule of the design passes none'}")
    if not flags["tradeable"]:
        found.append("no row is tradeable: there will be no long signal")
    if rows < q50.warm_up:
        found.append(f"{rows} rows are fewer than the warm-up of {q50.warm_up}: there will be no entry")
    crossed = sum(not row.q10 <= row.q50 <= row.q90 for row in map(series.row, range(rows)))
    if crossed:
        found.append(f"the quantiles cross in {crossed:,} of {rows:,} rows: the model contradicts itself there")
    sided = sum(
        side is not Side.HOLD and not trades
        for side, trades in zip(series.column("side"), series.column("tradeable"), strict=True)
    )
    if sided:
        found.append(
            f"side is not hold in {sided:,} rows that are not tradeable: is its code the plan's? (q50.side_code)"
        )
    if q50.tolerance_seconds is not None and 0 < q50.tolerance_seconds * NS_PER_SECOND < series.spacing_ns:
        share = q50.tolerance_seconds * NS_PER_SECOND / series.spacing_ns
        found.append(
            f"the tolerance of {q50.tolerance_seconds} s covers {100 * share:.0f} % of the time between two rows"
        )
    return found
