"""What reconciliation tells people: one alert for each movement of others, one for each difference that stays."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from pumpswap.model import SOL, Alert, AlertLevel, EntryKind, ForeignEvent, ForeignKind
from pumpswap.units import format_units

__all__ = ["alert_of_difference", "alert_of_event", "event_text", "units_text"]

TOPIC = "reconcile"
_QUIET = frozenset({ForeignKind.WRAP, ForeignKind.FAILED, ForeignKind.ACCOUNT_OPENED})


def units_text(asset: str, units: int) -> str:
    """A signed amount: SOL in SOL, tokens in raw units, since nobody has told their decimals here."""
    if asset == SOL:
        return f"{format_units(units, 9, signed=True)} SOL"
    return f"{units:+d} units of {asset}"


def event_text(event: ForeignEvent) -> str:
    """One line about a movement of others."""
    moved = ", ".join(units_text(asset, units) for asset in event.assets if (units := event.of(asset)))
    pool = f" in pool {event.pool}" if event.pool else ""
    who = f", {_preposition(event.kind)} {event.counterparty}" if event.counterparty else ""
    signature = f" ({event.signature})" if event.signature else ""
    return f"{event.kind.value}{pool}: {moved or 'nothing beside rent'}{who}{signature}"


def alert_of_event(event: ForeignEvent, ignored: Collection[str], at_ns: int) -> Alert | None:
    """None for a movement of ignored tokens only; fees and rent beside them do not count, other SOL that left does.

    Alerts go out to messengers: whose wallet the other one is stays in the books.
    """
    tokens = [asset for asset in event.assets if asset != SOL]
    heeded = [mint for mint in tokens if mint not in ignored]
    left = any(asset == SOL and kind is EntryKind.FOREIGN and units < 0 for asset, units, kind in event.moves)
    if tokens and not heeded and not left:
        return None
    level = AlertLevel.INFO if event.kind in _QUIET else AlertLevel.WARNING
    other = event.counterparty
    shown = replace(event, counterparty=f"{other[:4]}…{other[-4:]}" if other else "")
    return Alert(at_ns, level, TOPIC, heeded[0] if heeded else SOL, event_text(shown))


def alert_of_difference(asset: str, units: int, at_ns: int) -> Alert:
    """A difference that no transaction explains."""
    stopped = "all entries are stopped" if asset == SOL else "entries for it are stopped"
    text = (
        f"the wallet has {units_text(asset, units)} beyond the books, and no transaction explains it: {stopped} "
        "until `pumpswap reconcile` finds it, or `pumpswap reconcile --repair` books it"
    )
    return Alert(at_ns, AlertLevel.CRITICAL, TOPIC, asset, text)


def _preposition(kind: ForeignKind) -> str:
    return "to" if kind in (ForeignKind.WITHDRAWAL, ForeignKind.TRANSFER_OUT) else "from"
