"""The companion that serves figures: made where `metrics.port` is set."""

from __future__ import annotations

from importlib.util import find_spec

from pumpswap.app.companion import Companions, RunPlace
from pumpswap.errors import ConfigError

__all__ = ["metering"]


def metering(place: RunPlace) -> Companions:
    """Count what this run tells, and serve it. Raises ConfigError where an endpoint is wanted without its library."""
    port = place.settings.metrics.port
    if port is None:
        return Companions()
    if find_spec("prometheus_client") is None:
        raise ConfigError(
            f"metrics.port is {port}, and prometheus-client is not installed",
            hint="pip install 'pumpswap[metrics]', or set metrics.port to null",
        )
    from pumpswap.app.metering.endpoint import MetricsEndpoint
    from pumpswap.app.metering.meters import Meters
    from pumpswap.app.metering.stored import StoredFigures

    meters = Meters(place)
    endpoint = MetricsEndpoint(meters.registry, place.settings.metrics.host, port, meters.lag)
    return Companions(
        observers=(meters,),
        helpers=(endpoint, StoredFigures(place.database, place.run, meters)),
        on_beats=(meters.beat,),
    )
