"""Rule: an observer that tells when something is worth an alert, and what all of them are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pumpswap.alerts.texts import coin_text
from pumpswap.model import AlertLevel, Heartbeat, RunObserver
from pumpswap.settings import AlertRules

__all__ = ["Rule", "RuleContext", "Tell"]

Tell = Callable[[AlertLevel, str, str, str], None]
Document = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RuleContext:
    """``tell`` raises an alert: level, topic, subject, text. ``now`` is the market's time in nanoseconds. ``name_of``
    is what signals call the coin of a pool, as strangers chose it: say it by ``coin``.

    ``recall`` gives what a rule has kept before a restart, ``keep`` keeps it: in the transaction that stores the alert,
    so that a crash leaves both or neither.
    """

    rules: AlertRules
    tell: Tell
    now: Callable[[], int]
    name_of: Callable[[str], str] = field(default=lambda _: "")
    recall: Callable[[str], Document | None] = field(default=lambda _: None)
    keep: Callable[[str, Document], None] = field(default=lambda *_: None)

    def coin(self, pool: str, mint: str, name: str = "") -> str:
        """A coin in words."""
        return coin_text(name or self.name_of(pool), mint)


class Rule(RunObserver):
    """Base of all rules: listens like every observer, and to heartbeats. It only looks, quickly, and never waits."""

    def on_beat(self, beat: Heartbeat) -> None:
        """The engine runs; in the machine's time."""

    def on_stop(self) -> None:
        """The engine has ended in order: nothing happens any more."""
