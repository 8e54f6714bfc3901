"""Topics: the words under which alerts are told, listed, muted and sent: one table for pages, commands and docs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pumpswap.errors import NotFound
from pumpswap.model import AlertLevel

__all__ = ["TOPICS", "Topic", "is_exact", "matter_of", "topic_called"]


@dataclass(frozen=True, slots=True)
class Topic:
    """``level`` is the usual one: a single alert may be louder or quieter. ``about`` is a line of help, ``subject``
    what an alert of this topic names, and ``setting`` the key of ``alert_rules`` that sets it or switches it off
    (empty: it is always told).
    """

    name: str
    level: AlertLevel
    about: str
    subject: str = ""
    setting: str = ""


_INFO, _WARNING, _ERROR, _CRITICAL = AlertLevel.INFO, AlertLevel.WARNING, AlertLevel.ERROR, AlertLevel.CRITICAL

_ALL = (
    # What was traded.
    Topic("entry", _INFO, "a buy was filled: amount, price against its quote, all costs, why", "pool"),
    Topic("exit", _INFO, "a sale was filled: proceeds, result after all costs, how long it was held, why", "pool"),
    Topic("proposal", _WARNING, "a buy waits for your approval", "pool"),
    Topic("stop-loss", _WARNING, "the stop-loss of a position was reached: its sale has begun", "pool"),
    Topic("take-profit", _INFO, "the target of a position was reached: its sale has begun", "pool"),
    Topic("ladder", _INFO, "a step of the ladder was reached: a part is being sold", "pool"),
    Topic("trailing stop", _INFO, "a position fell from its highest value: its sale has begun", "pool"),
    Topic("time-out", _INFO, "a position was held for as long as it may be: its sale has begun", "pool"),
    Topic("rug", _CRITICAL, "liquidity was pulled, or the mint was used: everything is being sold", "pool"),
    Topic("liquidity flight", _WARNING, "much of the money of a pool that we are in has left it", "pool"),
    Topic("exit failed", _WARNING, "a sale did not get through; it is tried again", "pool"),
    Topic("exit refused", _WARNING, "the gate refused a sale; it is tried again", "pool"),
    Topic("exit blocked", _ERROR, "a position could not be sold or valued for long; info: it can again", "pool"),
    Topic("order", _WARNING, "an order was accepted, and then not made, or ended without a trade", "pool"),
    Topic("unknown outcome", _CRITICAL, "nobody knows yet whether an order has traded", "mint", "unknown_seconds"),
    # What it is worth.
    Topic("large move", _WARNING, "a position or the price of its pool has moved far", "pool", "large_move_bps"),
    Topic("milestone", _INFO, "equity has risen by another step above what was put in", "", "milestone_bps"),
    Topic("drawdown", _WARNING, "equity is far below its highest; critical: entries are locked", "", "drawdown_bps"),
    Topic("daily loss", _WARNING, "the day has lost much; critical: entries are locked", "", "daily_loss_bps"),
    Topic("losing streak", _WARNING, "so many rounds in a row have lost that entries pause"),
    Topic("wallet low", _WARNING, "free SOL does not cover what trading needs", "", "wallet_low_sol"),
    Topic("daily summary", _INFO, "the day that is over: trades, result, costs, health", "", "daily_summary_at"),
    # What keeps it safe.
    Topic("refused burst", _WARNING, "one policy has refused unusually often", "policy", "refused_burst"),
    Topic("circuit breaker", _CRITICAL, "orders failed in a row: entries stop until trials get through"),
    Topic("reconcile", _WARNING, "the wallet and the books differ, or somebody else has moved something", "asset"),
    Topic("protocol drift", _CRITICAL, "the program has changed in a way that this version does not know"),
    Topic("state", _INFO, "trading was lowered or raised: active, exits-only, halted"),
    # How it runs.
    Topic("start", _INFO, "an engine has begun: mode, books, what it holds"),
    Topic("stop", _INFO, "an engine ends in order, and why; warning: it leaves positions or orders"),
    Topic("engine", _CRITICAL, "an engine was ended by an error", "error"),
    Topic("feed stale", _WARNING, "a feed is silent or failing for long; info: it is back", "feed", "stale_seconds"),
    Topic("feed", _WARNING, "a feed has failed and was begun again", "feed"),
    Topic("fault", _ERROR, "something that entries need does not work; info: it works again", "part"),
    Topic("collector", _WARNING, "no new row from the collector", "database"),
    Topic("signals", _ERROR, "a score could not be made", "pool"),
    Topic("strategy", _ERROR, "a strategy has failed: it wishes nothing any more", "strategy"),
    Topic("database", _ERROR, "the database does not take what is to be stored; info: it does again"),
    Topic("settings", _INFO, "the settings file has changed: what is in force, what needs a restart"),
    Topic("control", _INFO, "somebody at another terminal, page or chat has asked for something", "command"),
    Topic("executor", _ERROR, "a call of the trading executor has failed", "mint"),
    Topic("nautilus", _CRITICAL, "NautilusTrader did not take an event, or begins without a held pool", "part"),
    Topic("delivery", _ERROR, "messages were given up, or a file or table takes none; info: it does again", "channel"),
    Topic("test", _INFO, "a message that somebody asked for to try a channel", "channel"),
)  # fmt: skip

TOPICS: Mapping[str, Topic] = MappingProxyType({topic.name: topic for topic in _ALL})

# Each of these is news, however alike two of them look but for their numbers.
_EXACT = frozenset(
    {
        "proposal", "stop-loss", "liquidity flight", "large move", "drawdown", "daily loss", "losing streak",
        "reconcile", "control",
    }
)  # fmt: skip
# Several topics tell of one thing: what any of them says last is how it is now.
_THINGS = {
    "entry": "position", "exit": "position", "exit failed": "position", "exit refused": "position",
    "exit blocked": "position", "control": "trading", "state": "trading", "start": "engine", "stop": "engine",
    "engine": "engine",
}  # fmt: skip
_SINGLE = frozenset({"trading", "engine"})  # there is one of it, whatever the subject


def is_exact(topic: str) -> bool:
    """Whether alerts of this topic say something else as soon as a number in them differs."""
    return topic in _EXACT


def matter_of(topic: str, subject: str) -> tuple[str, str]:
    """What an alert is about: of alerts about the same the last one holds."""
    thing = _THINGS.get(topic, topic)
    return thing, "" if thing in _SINGLE else subject


def topic_called(name: str) -> Topic:
    """The topic of this name. Raises NotFound."""
    found = TOPICS.get(name)
    if found is None:
        raise NotFound("there is no such topic", hint=f"one of: {', '.join(TOPICS)}")
    return found
