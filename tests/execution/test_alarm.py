"""What reconciliation tells people, and what it does not."""

from __future__ import annotations

from pumpswap.execution.alarm import alert_of_difference, alert_of_event, event_text
from pumpswap.model import SOL, AlertLevel, EntryKind, ForeignEvent, ForeignKind

STRANGER = "7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU"
MOVES = ((SOL, -5 * 10**9, EntryKind.WITHDRAWAL),)


def test_an_alert_names_no_strangers_wallet_in_full_and_the_owners_own_terminal_does() -> None:
    event = ForeignEvent(ForeignKind.WITHDRAWAL, "s", 1, 1, MOVES, counterparty=STRANGER)
    alert = alert_of_event(event, (), 1)
    assert alert is not None
    assert (alert.level, alert.text) == (AlertLevel.WARNING, "withdrawal: -5 SOL, to 7xKX…gAsU (s)")
    assert STRANGER in event_text(event)


def test_without_another_side_nothing_is_named() -> None:
    alert = alert_of_event(ForeignEvent(ForeignKind.WITHDRAWAL, "s", 1, 1, MOVES), (), 1)
    assert alert is not None
    assert alert.text == "withdrawal: -5 SOL (s)"


def test_a_difference_that_nothing_explains_is_critical_and_says_what_to_do() -> None:
    alert = alert_of_difference(SOL, -7, 1)
    assert (alert.level, alert.topic, alert.subject) == (AlertLevel.CRITICAL, "reconcile", SOL)
    assert "`pumpswap reconcile --repair`" in alert.text
