"""All companions of a run, in one table: a new one is a line in it. Their nouns are in ``companion``."""

from __future__ import annotations

from collections.abc import Callable

from pumpswap.app.alert_delivery import alert_delivery
from pumpswap.app.alerting import alert_rules
from pumpswap.app.chat.maker import chatting
from pumpswap.app.companion import Companions, RunPlace
from pumpswap.app.logs.run_log import run_log
from pumpswap.app.metering.maker import metering
from pumpswap.app.pool_points import pool_points
from pumpswap.app.reporting import reporting
from pumpswap.app.what_ifs import what_ifs

__all__ = ["Companions", "RunPlace", "companions_of"]

_MAKERS: tuple[Callable[[RunPlace], Companions], ...] = (
    alert_delivery,  # before those who tell something
    alert_rules,
    run_log,
    metering,
    chatting,
    pool_points,
    what_ifs,
    reporting,
)  # fmt: skip


def companions_of(place: RunPlace) -> Companions:
    """All of them."""
    made = [make(place) for make in _MAKERS]
    return Companions(
        observers=[one for each in made for one in each.observers],
        helpers=[one for each in made for one in each.helpers],
        on_beats=[one for each in made for one in each.on_beats],
        on_ends=[one for each in made for one in each.on_ends],
        on_stops=[one for each in made for one in each.on_stops],
        on_untold=[one for each in made for one in each.on_untold],
    )
