"""Frame: what every page says around its own content: the state of trading, equity, the age of what is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pumpswap.app.views.overview import Money, Overview, Trading
from pumpswap.app.views.sight import RunFacts
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import TradingState
from pumpswap.storage.browse import PositionSums
from pumpswap.web.pages.words import short_sol

__all__ = ["Ask", "Entry", "Frame", "Heard", "asks_of", "frame_of", "menu_of"]

_PAGES = (
    ("/", "Overview"),
    ("/positions", "Positions"),
    ("/decisions", "Decisions"),
    ("/orders", "Orders"),
    ("/pools", "Pools"),
    ("/signals", "Signals"),
    ("/reports", "Reports"),
    ("/alerts", "Alerts"),
    ("/health", "Health"),
    ("/settings", "Settings"),
)
_ALARMING = ("error", "critical")
_WAITING = ("warning", *_ALARMING)
_OF_NOW = ("live", "paper")  # kinds of runs
_LAG_NS = 120 * NS_PER_SECOND  # a market that is played as fast as time goes
_OWN_PARTS = ("loop", "control")  # of the engine itself; the others are what it hears


@dataclass(frozen=True, slots=True)
class Heard:
    """A feed, and what the engine says of it: ``ok, 0.4 s ago, 82 updates``."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Frame:
    """``now_ns`` is the machine's time, ``heard`` the first feed of the engine."""

    now_ns: int
    as_of_ns: int
    run: RunFacts
    trading: Trading
    money: Money
    positions: PositionSums
    beat_ns: int | None
    heard: Heard | None
    in_the_way: str
    unseen_alerts: Mapping[str, int]

    @property
    def is_lowered(self) -> bool:
        """Whether a person has lowered the state: what a fault has lowered goes on by itself."""
        by_itself = "; ".join(f"{name}: {why}" for name, why in self.trading.faults)
        return self.trading.state is not TradingState.ACTIVE and self.trading.reason != by_itself

    @property
    def is_of_now(self) -> bool:
        """Whether the times of its market are ours: a simulation has a clock of its own."""
        return self.run.kind in _OF_NOW or (self.run.is_running and abs(self.now_ns - self.as_of_ns) < _LAG_NS)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the menu. ``count``: how many wait there; ``is_alarm``: they should not wait."""

    path: str
    label: str
    count: int = 0
    is_alarm: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """A question before the action ``name``. ``tone`` is the colour of the button that does it."""

    name: str
    title: str
    lines: Sequence[str]
    label: str
    tone: str
    back: str


def frame_of(view: Overview, now_ns: int) -> Frame:
    """From the overview, which has all of it."""
    told = view.trading
    heard = next((Heard(name, _short(text)) for name, text in told.feeds.items() if name not in _OWN_PARTS), None)
    age = told.heartbeat_age_seconds
    way = "; ".join(verdict.text for verdict in told.obstacles)
    return Frame(
        now_ns=now_ns,
        as_of_ns=view.as_of_ns,
        run=view.run,
        trading=told,
        money=view.money,
        positions=view.positions,
        beat_ns=None if age is None else now_ns - age * NS_PER_SECOND,
        heard=heard,
        in_the_way=way,
        unseen_alerts=view.unseen_alerts,
    )


def menu_of(frame: Frame) -> list[Entry]:
    """The pages, with how much waits on each."""
    alerts = sum(frame.unseen_alerts.get(level, 0) for level in _WAITING)
    alarming = sum(frame.unseen_alerts.get(level, 0) for level in _ALARMING)
    counts = {"/positions": (frame.positions.open, False), "/alerts": (alerts, alarming > 0)}
    return [Entry(path, label, *counts.get(path, (0, False))) for path, label in _PAGES]


def asks_of(frame: Frame, back: str) -> list[Ask]:
    """What can be done from any page; ``back`` is the page that is shown afterwards."""
    held, value = frame.positions.open, frame.positions.value_lamports
    money = "real money" if frame.run.kind == "live" else "play money"
    nobody = () if frame.run.is_running else ("No engine runs: the word is stored, and the next start honours it.",)
    holds = f"{held} position{'' if held == 1 else 's'}" if held else "nothing"
    worth = f"{holds}, {short_sol(value)} SOL"
    return [
        Ask(
            "exits-only",
            "Buy nothing more?",
            (f"Entries stop at once. What is held ({holds}, {money}) is sold by its rules, as before.", *nobody),
            "Exits only",
            "caution",
            back,
        ),
        Ask(
            "resume",
            "Let it buy again?",
            ("Entries go on, and every lock of the risk rules is lifted: losses so far are forgiven.", *nobody),
            "Resume",
            "go",
            back,
        ),
        Ask(
            "close-all",
            "Sell everything now?",
            (
                f"All that is held is sold at once, whatever it brings: {worth} at the last quotes ({money}).",
                "Nothing is bought afterwards, until you resume. A sale cannot be taken back.",
                *nobody,
            ),
            "Sell all and buy nothing",
            "danger",
            back,
        ),
    ]


def _short(text: str) -> str:
    """``ok, 0.4 s ago`` of ``ok, 0.4 s ago, 82 updates``."""
    return ", ".join(text.split(", ")[:2])
