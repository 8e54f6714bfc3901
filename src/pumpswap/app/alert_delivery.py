"""Alerts of a running engine get to people: the companion that sends what is stored."""

from __future__ import annotations

from pumpswap.alerts.delivery.dispatcher import TURN_SECONDS, open_dispatcher
from pumpswap.app.companion import Companions, RunPlace
from pumpswap.engine.feed import FeedTools
from pumpswap.engine.feeds.errand import Errand

__all__ = ["alert_delivery"]


def alert_delivery(place: RunPlace) -> Companions:
    """Where nothing is to be told to anybody, nobody. Raises ConfigError for a channel that cannot be used."""
    dispatcher = open_dispatcher(place.settings, place.database, place.wall)
    if not dispatcher:
        return Companions()
    errand = Errand("alerts", TURN_SECONDS, dispatcher.turn, FeedTools(clock=place.wall))
    return Companions(helpers=(errand,), on_ends=(dispatcher.finish,))
