"""Alerts: what somebody must know, and who has seen it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pumpswap.app.views.page import Page, PageWish, page_of
from pumpswap.app.views.sight import shown_name
from pumpswap.model import Alert, Mute
from pumpswap.storage.browse import Place
from pumpswap.storage.database import Database

__all__ = ["Alerts", "alerts"]

_LONGEST_TEXT = 600


@dataclass(frozen=True, slots=True)
class Alerts:
    """Of the whole database, the newest first. ``mutes`` are those that hold."""

    as_of_ns: int
    unseen_only: bool
    rows: Page[Alert]
    mutes: tuple[Mute, ...]


def alerts(database: Database, now_ns: int, wish: PageWish | None = None, *, unseen: bool = False) -> Alerts:
    """One page."""
    wish = wish or PageWish()
    before = None if wish.before is None else wish.before.number
    found: Sequence[Alert] = database.alerts.newest(wish.size + 1, unseen=unseen, before=before)
    rows = page_of(found, wish, lambda one: Place(max(one.at_ns, 0), one.number), _shown)
    return Alerts(now_ns, unseen, rows, tuple(database.mutes.holding(now_ns)))


def _shown(alert: Alert) -> Alert:
    text = alert.text if len(alert.text) <= _LONGEST_TEXT else alert.text[: _LONGEST_TEXT - 1] + "…"
    return replace(alert, subject=shown_name(alert.subject), text=_one_line(text))


def _one_line(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)
