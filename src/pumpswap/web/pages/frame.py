"""Frame: what every page says around its own content: the state of trading, equity, the age of what is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pumpswap.analytics.wording import duration_text
from pumpswap.app.control import Waiting
from pumpswap.app.views.overview import FrameView, Money, Overview, Pulse, Trading
from pumpswap.app.views.sight import RunFacts, shown_name
from pumpswap.clock import NS_PER_SECOND
from pumpswap.model import TradingState
from pumpswap.storage.browse import PositionSums
from pumpswap.web.pages.words import short_sol

__all__ = ["Ask", "Entry", "Frame", "Heard", "answer_asks", "asks_of", "frame_of", "menu_of"]

_PAGES = (
    ("/", "Overview"),
    ("/positions", "Positions"),
    ("/decisions", "Decisions"),
    ("/orders", "Orders"),
    ("/ledger", "Ledger"),
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
    """``now_ns`` is the machine's time, ``heard`` the first feed of the engine. ``others`` are runs that other engines
    keep now, ``choices`` all that can be chosen, ``proposals`` how many wait for a person.
    """

    now_ns: int
    as_of_ns: int
    run: RunFacts
    others: Sequence[RunFacts]
    choices: Sequence[RunFacts]
    trading: Trading
    money: Money | Pulse
    positions: PositionSums
    beat_ns: int | None
    heard: Heard | None
    in_the_way: str
    proposals: int
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
    """A question before the action ``name``, about the run that is shown, or about a proposal of it. ``tone`` is the
    colour of the button that does it; without a ``label`` there is none: it cannot be done now.
    """

    name: str
    title: str
    lines: Sequence[str]
    label: str
    tone: str
    back: str
    run_id: int
    decision_id: str = ""


def frame_of(view: FrameView | Overview, now_ns: int, choices: Sequence[RunFacts]) -> Frame:
    """From what a page asks for, or from the overview, which has all of that too."""
    told = view.trading
    heard = next((Heard(name, _short(text)) for name, text in told.feeds.items() if name not in _OWN_PARTS), None)
    age = told.heartbeat_age_seconds
    way = "; ".join(verdict.text for verdict in told.obstacles)
    return Frame(
        now_ns=now_ns,
        as_of_ns=view.as_of_ns,
        run=view.run,
        others=view.others,
        choices=choices,
        trading=told,
        money=view.money,
        positions=view.positions,
        beat_ns=None if age is None else now_ns - age * NS_PER_SECOND,
        heard=heard,
        in_the_way=way,
        proposals=view.proposals,
        unseen_alerts=view.unseen_alerts,
    )


def menu_of(frame: Frame) -> list[Entry]:
    """The pages, with how much waits on each."""
    alerts = sum(frame.unseen_alerts.get(level, 0) for level in _WAITING)
    alarming = sum(frame.unseen_alerts.get(level, 0) for level in _ALARMING)
    counts = {
        "/positions": (frame.positions.open, False),
        "/decisions": (frame.proposals, frame.proposals > 0),
        "/alerts": (alerts, alarming > 0),
    }
    return [Entry(path, label, *counts.get(path, (0, False))) for path, label in _PAGES]


def asks_of(frame: Frame, back: str) -> list[Ask]:
    """What can be done from any page; ``back`` is the page that is shown afterwards. Nothing of a run that is over."""
    if frame.run.finished_ns is not None:
        return []
    holds, money = _holdings(frame), _money(frame)
    run_id, beside = frame.run.run_id, _beside(frame)
    nobody = () if frame.run.is_running else ("No engine runs: the word is stored, and the next start honours it.",)
    return [
        Ask(
            "exits-only",
            "Buy nothing more?",
            (
                f"Entries stop at once. What is held ({holds}, {money}) is sold by its rules, as before.",
                *nobody,
                *beside,
            ),
            "Exits only",
            "caution",
            back,
            run_id,
        ),
        Ask(
            "resume",
            "Let it buy again?",
            (
                "Entries go on, and every lock of the risk rules is lifted: losses so far are forgiven.",
                *nobody,
                *beside,
            ),
            "Resume",
            "go",
            back,
            run_id,
        ),
        _close_all(frame, back),
    ]


def _close_all(frame: Frame, back: str) -> Ask:
    worth = f"{_holdings(frame)}, {short_sol(frame.positions.value_lamports)} SOL"
    lines: tuple[str, ...] = (
        f"All that is held is sold at once, whatever it brings: {worth} at the last quotes ({_money(frame)}).",
        "Nothing is bought afterwards, until you resume. A sale cannot be taken back.",
    )
    label = "Sell all and buy nothing"
    if not frame.run.is_running:
        start = "Start the engine (`pumpswap run`) and ask again"
        by_hand = ", or sell each position by hand: `pumpswap positions close POOL --live`."
        lines = (
            "Nobody can sell now: no engine keeps this run, and such a word is not stored for later.",
            f"{start}{by_hand if _is_real(frame) else '; play money that nobody trades is not at risk.'}",
        )
        label = ""
    ask = Ask("close-all", "Sell everything now?", (*lines, *_beside(frame)), label, "danger", back, frame.run.run_id)
    return ask if label else replace(ask, title="Nothing can be sold from here")


def answer_asks(frame: Frame, waiting: Waiting, back: str) -> list[Ask]:
    """The two answers to a proposal."""
    about, run_id = waiting.proposal, frame.run.run_id
    name = shown_name(about.name)
    coin = f"{name}, pool {about.pool}" if name else about.pool
    what = f"{short_sol(about.quote_lamports)} SOL ({_money(frame)}) for {coin}."
    said = () if waiting.decision is None else (waiting.decision.intent.reason,)
    if not waiting.seconds_left:
        gone = ("Its time is over: an approval would do nothing any more.",)
        return [
            Ask(name, "Too late", gone, "", "caution", back, run_id, about.decision_id)
            for name in ("approve", "decline")
        ]
    left = duration_text(waiting.seconds_left * NS_PER_SECOND)
    again = f"It waits for {left} more. The rules judge it again: the market has moved since."
    return [
        Ask("approve", "Buy this?", (what, *said, again), "Approve", "go", back, run_id, about.decision_id),
        Ask("decline", "Not buy this?", (what, *said), "Decline", "caution", back, run_id, about.decision_id),
    ]


def _holdings(frame: Frame) -> str:
    held = frame.positions.open
    return f"{held} position{'' if held == 1 else 's'}" if held else "nothing"


def _is_real(frame: Frame) -> bool:
    return frame.run.kind == "live"


def _money(frame: Frame) -> str:
    return "real money" if _is_real(frame) else "play money"


def _beside(frame: Frame) -> tuple[str, ...]:
    """What is not meant, where somebody could think so."""
    others = ", ".join(f"run {each.run_id} ({each.kind})" for each in frame.others)
    return (
        (f"This is about run {frame.run.run_id} ({frame.run.kind}) only; {others} goes on as it is.",) if others else ()
    )


def _short(text: str) -> str:
    """``ok, 0.4 s ago`` of ``ok, 0.4 s ago, 82 updates``."""
    return ", ".join(text.split(", ")[:2])
