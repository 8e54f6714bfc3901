"""Standing: how a pool stands now: what is held, what its exits wait for, and what speaks against buying."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pumpswap.app.books import Books, Held, held_in
from pumpswap.app.control import beat_is_fresh
from pumpswap.clock import NS_PER_SECOND, Clock
from pumpswap.model import ExitState, Intent, RiskState, TradeSide, Verdict
from pumpswap.risk.caps import Caps
from pumpswap.risk.policies import BookView, Candidate, Policy
from pumpswap.risk.policies.reason import cooldown, declined, one_position, open_order
from pumpswap.risk.policies.trading import (
    circuit_breaker,
    daily_loss,
    drawdown,
    loss_streak,
    mode,
    trade_rate,
    trading_state,
)
from pumpswap.risk.tracker import RiskFigures, RiskTracker
from pumpswap.settings import RiskLimits, Settings

__all__ = ["Standing", "general_obstacles", "standing_of"]

# The policies that need no market: what they say holds for any buy at this moment.
_GENERAL = (trading_state, mode, circuit_breaker, daily_loss, drawdown, loss_streak, trade_rate)
_POLICIES = (
    *_GENERAL,
    *(one_position, open_order, cooldown, declined),
)


@dataclass(frozen=True, slots=True)
class Standing:
    """``obstacles`` are refusals that any buy in the pool would meet now, before its signal and its size are looked at.
    ``is_running`` is None for a run that no engine keeps.
    """

    pool: str
    mint: str
    as_of_ns: int
    held: Held | None
    exits: ExitState | None
    obstacles: tuple[Verdict, ...]
    is_running: bool | None


def standing_of(books: Books, pool: str, mint: str, settings: Settings, clock: Clock) -> Standing:
    """How ``pool`` stands at ``books.as_of_ns``."""
    as_of_ns, run = books.as_of_ns(clock), books.run
    is_running = _is_running(books, settings, clock)
    held = held_in(books, pool, books.exit_rules(settings), as_of_ns)
    exits = next(iter(run.states.exits_of([pool])), None)
    latest = run.latest_position(pool)
    limits = limits_of(books, settings)
    view = replace(
        _view_of(books, limits, as_of_ns, is_running=is_running),
        position=None if held is None else held.position,
        has_open_order=any(order.mint == mint for order in run.orders(unresolved=True)),
        is_proposed=any(proposal.mint == mint for proposal in run.proposals.waiting()),
        closed_ns=None if latest is None else latest.closed_ns,
        declined_ns=_declined_ns(books, mint, as_of_ns - limits.cooldown_seconds * NS_PER_SECOND),
    )
    wish = Intent(TradeSide.BUY, pool, mint, as_of_ns, "")
    ask = Candidate(wish, view, limits, Caps.of(limits), settings.signals, None, None, "")
    return Standing(pool, mint, as_of_ns, held, exits, _refusals(_POLICIES, ask), is_running)


def general_obstacles(books: Books, settings: Settings, clock: Clock) -> tuple[Verdict, ...]:
    """Refusals that any buy would meet at ``books.as_of_ns``, whatever its pool."""
    as_of_ns, limits = books.as_of_ns(clock), limits_of(books, settings)
    view = _view_of(books, limits, as_of_ns, is_running=_is_running(books, settings, clock))
    wish = Intent(TradeSide.BUY, "", "", as_of_ns, "")
    return _refusals(_GENERAL, Candidate(wish, view, limits, Caps.of(limits), settings.signals, None, None, ""))


def limits_of(books: Books, settings: Settings) -> RiskLimits:
    """The limits in force: the settings' for books that an engine keeps, those that it was run with for any other."""
    stored = books.header.settings.get("risk")
    if _is_kept(books) or not isinstance(stored, dict):
        return settings.risk
    return RiskLimits(**{name: value for name, value in stored.items() if name in RiskLimits.model_fields})


def risk_figures(books: Books, limits: RiskLimits, as_of_ns: int, *, with_faults: bool = True) -> RiskFigures:
    """What risk remembers of a run, seen from ``as_of_ns``, by its latest equity. Faults are those of the process that
    has them.
    """
    remembered = books.run.states.risk() or RiskState()
    tracker = RiskTracker(limits, remembered)
    for name, reason in remembered.faults if with_faults else ():
        tracker.fault(name, reason)
    point = books.run.equity.latest()
    if point is not None:
        tracker.measured(point.equity_lamports, as_of_ns)
    return tracker.figures(as_of_ns)


def _view_of(books: Books, limits: RiskLimits, as_of_ns: int, *, is_running: bool | None) -> BookView:
    """What holds for every pool. No policy here looks at the money: it is not counted."""
    return BookView(
        balance=0,
        equity=0,
        exposure=0,
        open_positions=0,
        position=None,
        has_open_order=False,
        closed_ns=None,
        risk=risk_figures(books, limits, as_of_ns, with_faults=is_running is not False),
        mode_obstacle=_mode_obstacle(books, is_running=is_running),
    )


def _refusals(policies: Sequence[Policy], ask: Candidate) -> tuple[Verdict, ...]:
    verdicts = (policy(ask) for policy in policies)
    return tuple(verdict for verdict in verdicts if verdict is not None and not verdict.passed)


def _is_running(books: Books, settings: Settings, clock: Clock) -> bool | None:
    """Whether an engine keeps the run just now; None for a run that none keeps."""
    return beat_is_fresh(books.run.states.heartbeat(), settings, clock.now_ns()) if _is_kept(books) else None


def _declined_ns(books: Books, mint: str, since_ns: int) -> int | None:
    declined = books.run.proposals.declined_since(since_ns)
    return max((one.decided_ns or 0 for one in declined if one.mint == mint), default=None)


def _is_kept(books: Books) -> bool:
    """Whether an engine keeps the run, or would at its next start. Demos and replays have no heart."""
    return books.header.finished_ns is None and (books.is_of_now or books.run.states.heartbeat() is not None)


def _mode_obstacle(books: Books, *, is_running: bool | None) -> str:
    if is_running is None:
        return f"the {books.header.kind} run is over"
    beat = books.run.states.heartbeat()
    if not is_running:
        return "no engine runs"
    return "analysis mode: nothing is ordered" if beat is not None and beat.mode == "analysis" else ""
