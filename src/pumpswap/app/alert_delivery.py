"""Alerts of a running engine get to people: the companion that sends what is stored."""

from __future__ import annotations

from contextlib import ExitStack

from pumpswap.alerts.delivery.dispatcher import TURN_SECONDS, open_dispatcher
from pumpswap.app.companion import Companions, RunPlace
from pumpswap.engine.feed import FeedTools
from pumpswap.engine.feeds.errand import Errand
from pumpswap.model import Alert, AlertLevel

__all__ = ["alert_delivery"]

_BUSY_MS = 5_000  # so long somebody's lock on the database is waited for; then it is tried again


def alert_delivery(place: RunPlace) -> Companions:
    """Where nothing is to be told to anybody, nobody. Raises ConfigError for a channel that cannot be used."""
    run_id, kind = place.run.run_id, place.run.header().kind
    with ExitStack() as opened:
        # Connections of its own: within a process, writers of the same ones wait for each other, and whoever decides
        # must not wait for whoever tells.
        database = opened.enter_context(place.database.another(busy_ms=_BUSY_MS))
        dispatcher = open_dispatcher(place.settings, database, place.wall, place.alerts_before)
        if not dispatcher:
            return Companions()
        closing = opened.pop_all()

    async def tell_directly(text: str) -> None:
        now_ns = place.wall.now_ns()
        await dispatcher.tell_directly(
            Alert(now_ns, AlertLevel.CRITICAL, "engine", "", text, run_id=run_id, run_kind=kind)
        )

    async def finish() -> None:
        with closing:
            await dispatcher.finish()

    errand = Errand("alerts", TURN_SECONDS, dispatcher.turn, FeedTools(clock=place.wall))
    return Companions(helpers=(errand,), on_ends=(finish,), on_untold=(tell_directly,))
