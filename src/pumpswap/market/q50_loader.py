"""Q50SignalLoader: the frame in memory, by the host's names, and again when its file changes.

What is read is one immutable frame in one attribute: whoever looks up while another thread reloads sees the old frame
or the new one, never half of each. A new file that is broken or still being written changes nothing but the health.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pumpswap.clock import NS_PER_SECOND, Clock, SystemClock, datetime_ns, format_utc, parse_utc
from pumpswap.errors import ConfigError, PumpSwapError, UsageError
from pumpswap.market.q50_file import CompleteRules, Q50Reading, read_q50
from pumpswap.model import Q50Frame, Q50Row, Q50Series
from pumpswap.model.q50 import Q50_REQUIRED
from pumpswap.settings import Q50Settings, Settings
from pumpswap.settings.nearest import shown_path

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Moment", "Q50Config", "Q50SignalLoader"]

Q50Config: TypeAlias = "Q50Settings | Settings | Mapping[str, Any] | Path | str"
Moment: TypeAlias = "datetime | int | str"

_log = logging.getLogger(__name__)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Stamp: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A frame, the series that is asked, and the state of the file that it came from."""

    reading: Q50Reading
    series: Q50Series
    stamp: _Stamp
    at_ns: int


class Q50SignalLoader:
    """Looks up signals in a Q50 file: the newest row at or before a moment, never a later one.

    ``config``: our settings, the host's configuration (``q50.features_path``, ``q50.signal_tolerance_minutes``), or the
    path alone. The tolerance, unless given, is the frame's own spacing. ``clock`` is the time of ``get_latest_signal``:
    a back-test gives its own. ``complete``: see ``read_q50``. Raises ConfigError without a path.

    ``signal_at`` and ``row_at`` are for synchronous callers (NautilusTrader): memory only, no file, no lock.
    ``refresh`` looks whether the file has changed; ``get_signal_for_timestamp`` does so too, at most every
    ``check_seconds``.
    """

    REQUIRED_COLUMNS = tuple(Q50_REQUIRED)

    def __init__(
        self,
        config: Q50Config,
        *,
        clock: Clock | None = None,
        complete: CompleteRules | None = None,
        check_seconds: int = 5,
    ) -> None:
        self.settings = _settings_of(config)
        if self.settings.path is None:
            raise ConfigError("there is no Q50 file to read", hint="set q50.path, or pass the path")
        if self.settings.complete_by_rules and complete is None:
            raise ConfigError(
                "q50.complete_by_rules is on, but no rules were given", hint="pass complete=causal_columns"
            )
        self.path = self.settings.path.expanduser()
        self._clock = clock or SystemClock()
        self._complete = complete
        self._check_ns = check_seconds * NS_PER_SECOND
        self._checked_ns: int | None = None
        self._loaded: _Loaded | None = None
        self._failure: str | None = None
        self._failed_stamp: _Stamp | None = None
        self._reloads = 0
        self._lock = threading.Lock()

    # ------------------------------------------------------------------------------------------------- reading

    def load(self) -> Q50Reading:
        """Read the file now. Raises what ``read_q50`` raises, and ConfigError for an instrument that it does not have;
        a frame that was read before then stays in use.
        """
        with self._lock:
            return self._load().reading

    async def load_signals(self) -> bool:
        """Read the file, without blocking the loop. False where it cannot be used: ``health_check`` says why."""
        try:
            await asyncio.to_thread(self.load)
        except PumpSwapError:
            return False
        return True

    def refresh(self) -> bool:
        """Read the file again if it has changed; True if a new frame is in use. Never raises for a bad file."""
        with self._lock:
            self._checked_ns = self._clock.now_ns()
            stamp = _stamp_of(self.path)
            if stamp is None:
                self._fail("the file is gone" if self._loaded else "there is no file", None)
                return False
            if (self._loaded and stamp == self._loaded.stamp) or stamp == self._failed_stamp:
                if self._loaded and stamp == self._loaded.stamp:
                    self._failure = None
                return False
            before = self._loaded
            try:
                return self._load() is not before
            except PumpSwapError:
                return False

    def _load(self) -> _Loaded:
        """Read and swap in; with the lock held."""
        stamp = _stamp_of(self.path)
        try:
            reading = read_q50(self.path, side_code=self.settings.side_code, complete=self._complete)
            series = reading.frame.chosen(self.settings.instrument)
        except PumpSwapError as error:
            self._fail(error.what, stamp)
            raise
        if stamp is None or stamp != _stamp_of(self.path):
            # It could be read, but it is not the file that is there now: the next look will take that one.
            self._fail("the file is being written", None)
            if self._loaded:
                return self._loaded
            raise ConfigError(f"{self.path} is being written", hint="try again when it is finished")
        same = self._loaded is not None and reading.digest == self._loaded.reading.digest
        kept = self._loaded.reading if self._loaded and same else reading
        if self._loaded and not same:
            self._reloads += 1
        series = self._loaded.series if self._loaded and same else series
        self._failure = self._failed_stamp = None
        self._loaded = _Loaded(kept, series, stamp, self._clock.now_ns())
        _log.info("q50 frame read", extra={"path": str(self.path), "rows": len(series)})
        return self._loaded

    def _fail(self, reason: str, stamp: _Stamp | None) -> None:
        if reason != self._failure:
            # Whoever sees the bare line must know which file, and why.
            text = f"q50 frame not read: {shown_path(self.path)}: {reason}"
            _log.warning(text, extra={"path": str(self.path), "reason": reason})
        self._failure, self._failed_stamp = reason, stamp

    # ------------------------------------------------------------------------------------------------- looking

    @property
    def frame(self) -> Q50Frame | None:
        """The frame in use, None before the first one was read."""
        return self._loaded.reading.frame if self._loaded else None

    @property
    def failure(self) -> str | None:
        """Why the file, as it was at the last look, is not in use; None when it is."""
        return self._failure

    @property
    def reading(self) -> Q50Reading | None:
        """How the frame in use was read."""
        return self._loaded.reading if self._loaded else None

    def row_at(self, at_ns: int) -> Q50Row | None:
        """The row that applies at a moment, None where there is none."""
        loaded = self._loaded
        return loaded.series.at(self._visible(at_ns), self.settings.tolerance_ns) if loaded else None

    def signal_at(self, at_ns: int) -> dict[str, Any] | None:
        """The signal that applies at a moment, as ``get_signal_for_timestamp`` gives it."""
        loaded = self._loaded
        if loaded is None:
            return None
        visible_ns = self._visible(at_ns)
        row = loaded.series.at(visible_ns, self.settings.tolerance_ns)
        return None if row is None else _as_dict(loaded.series, row.index, visible_ns - row.at_ns)

    async def get_signal_for_timestamp(self, timestamp: Moment) -> dict[str, Any] | None:
        """The newest row at or before ``timestamp``, within the tolerance: ``timestamp`` (UTC), ``time_diff_minutes``
        (its age, 0 or more), and every column but the label. ``side`` is long, short or hold; not known is None.

        ``timestamp``: a datetime (without a zone: UTC), nanoseconds, or ISO text. Raises UsageError for anything else.
        """
        at_ns = _moment_ns(timestamp)
        now_ns = self._clock.now_ns()
        if self._checked_ns is None or abs(now_ns - self._checked_ns) >= self._check_ns:
            await asyncio.to_thread(self.refresh)
        return self.signal_at(at_ns)

    def get_latest_signal(self) -> dict[str, Any] | None:
        """The row that applies now, by the injected clock; None when even the newest one is too old."""
        return self.signal_at(self._clock.now_ns())

    def get_signals_in_range(self, start_time: Moment, end_time: Moment) -> pd.DataFrame:
        """All rows from start to end, both included, as the host wants them: a pandas frame indexed by ``timestamp``,
        without the label. Rows that could not be known yet by the clock are left out.
        """
        try:
            import pandas as pd
        except ImportError:
            raise ConfigError("a pandas frame needs pandas", hint="pip install 'pumpswap[data]'") from None

        loaded = self._loaded
        if loaded is None:
            return pd.DataFrame()
        end_ns = min(_moment_ns(end_time), self._visible(self._clock.now_ns()))
        places = loaded.series.between(_moment_ns(start_time), end_ns)
        rows = [loaded.series.values(place) for place in places]
        times = [_datetime(loaded.series.times_ns[place]) for place in places]
        index = pd.DatetimeIndex(times, tz="UTC", name="timestamp")
        return pd.DataFrame(rows, index=index, columns=list(loaded.series.column_names))

    def validate_signal_columns(self, df: Any) -> bool:
        """Whether a pandas or polars frame has all of REQUIRED_COLUMNS."""
        return not self.missing_columns(df)

    def missing_columns(self, df: Any) -> list[str]:
        """Which of REQUIRED_COLUMNS a frame lacks."""
        present = {str(name) for name in df.columns}
        return [name for name in self.REQUIRED_COLUMNS if name not in present]

    # ------------------------------------------------------------------------------------------------ reporting

    def get_signal_statistics(self) -> dict[str, Any]:
        """The host's figures about the whole file, its future included: for people, never for a decision."""
        loaded = self._loaded
        if loaded is None:
            return {"status": "no_signals_loaded"}
        series = loaded.series
        q50, vol_risk = list(series.column("q50")), sorted(series.column("vol_risk"))
        return {
            "total_signals": len(series),
            "date_range": {
                "start": _datetime(series.times_ns[0]).isoformat(),
                "end": _datetime(series.times_ns[-1]).isoformat(),
            },
            "tradeable_signals": sum(series.column("tradeable")),
            "economically_significant": sum(series.column("economically_significant")),
            "high_quality": sum(series.column("high_quality")),
            "last_loaded": format_utc(loaded.at_ns),
            "cache_size": 0,
            "q50_stats": {
                **_spread(q50),
                "min": min(q50),
                "max": max(q50),
                "positive_signals": sum(value > 0 for value in q50),
                "negative_signals": sum(value < 0 for value in q50),
            },
            "vol_risk_stats": {
                **_spread(vol_risk),
                "percentiles": {str(share): _nearest(vol_risk, share) for share in (30, 70, 90)},
            },
        }

    def health_check(self) -> dict[str, Any]:
        """What is loaded, and why not more: ``failure`` is the reason why the file as it is now is not in use."""
        loaded, stamp = self._loaded, _stamp_of(self.path)
        return {
            "signals_loaded": loaded is not None,
            "features_file_exists": stamp is not None,
            "is_current": loaded is not None and loaded.stamp == stamp,
            "failure": self._failure,
            "last_loaded": format_utc(loaded.at_ns) if loaded else None,
            "signal_count": len(loaded.series) if loaded else 0,
            "newest_row": format_utc(loaded.series.times_ns[-1]) if loaded else None,
            "digest": loaded.reading.digest if loaded else None,
            "reloads": self._reloads,
            "has_signal_now": self.row_at(self._clock.now_ns()) is not None,
        }

    def clear_cache(self) -> None:
        """There is no cache of answers to clear; the next ``refresh`` looks at the file anew."""
        with self._lock:
            self._checked_ns = self._failed_stamp = None

    def close(self) -> None:
        """Let the frame go."""
        with self._lock:
            self._loaded = None

    def _visible(self, at_ns: int) -> int:
        return at_ns - self.settings.visible_after_seconds * NS_PER_SECOND


def _settings_of(config: Q50Config) -> Q50Settings:
    if isinstance(config, Q50Settings):
        return config
    if isinstance(config, Settings):
        return config.q50
    if isinstance(config, str | Path):
        return Q50Settings(path=Path(config))
    section = config.get("q50")
    if not isinstance(section, Mapping) or not section.get("features_path"):
        raise ConfigError("the configuration has no q50.features_path", hint="name the frame's file there")
    minutes = section.get("signal_tolerance_minutes")
    if minutes is not None and (
        isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 <= minutes < math.inf
    ):
        raise ConfigError(f"q50.signal_tolerance_minutes is {minutes!r}", hint="minutes, 0 or more; or leave it out")
    return Q50Settings(
        path=Path(str(section["features_path"])), tolerance_seconds=None if minutes is None else round(minutes * 60)
    )


def _stamp_of(path: Path) -> _Stamp | None:
    """What changes when the file is written or replaced."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _moment_ns(moment: Moment) -> int:
    if isinstance(moment, datetime):
        return datetime_ns(moment)
    if isinstance(moment, int) and not isinstance(moment, bool):
        return moment
    try:
        return parse_utc(str(moment))
    except ValueError:
        raise UsageError(
            f"{str(moment)[:40]!r} is no time", hint="a datetime, nanoseconds, or text such as 2024-09-01 12:00:00"
        ) from None


def _datetime(at_ns: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at_ns // 1_000)


def _as_dict(series: Q50Series, place: int, age_ns: int) -> dict[str, Any]:
    return {
        "timestamp": _datetime(series.times_ns[place]),
        "time_diff_minutes": age_ns / (60 * NS_PER_SECOND),
        **series.values(place),
    }


def _spread(values: list[float]) -> dict[str, float]:
    mean = math.fsum(values) / len(values)
    squares = math.fsum((value - mean) ** 2 for value in values)
    return {"mean": mean, "std": math.sqrt(squares / (len(values) - 1)) if len(values) > 1 else 0.0}


def _nearest(ordered: list[float], share: int) -> float:
    place = share / 100 * (len(ordered) - 1)
    low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
    return low + (high - low) * (place - math.floor(place))
