"""SettingsWatch: a running engine takes a changed settings file over, as far as that is safe, and says what it did."""

from __future__ import annotations

from pumpswap.engine.engine import Engine
from pumpswap.model import AlertLevel
from pumpswap.settings.reload import Reloaded, SettingsReload

__all__ = ["SettingsWatch"]

_TOPIC = "settings"


class SettingsWatch:
    """A ``Control`` of the supervisor. Every change is an alert: which keys, from what to what."""

    def __init__(self, engine: Engine, reload: SettingsReload) -> None:
        self._engine = engine
        self._reload = reload

    def poll(self) -> None:
        """Look at the file; cheap when nothing has changed."""
        found = self._reload.poll()
        if found is not None:
            self._take(found)

    def _take(self, found: Reloaded) -> None:
        desk = self._engine.desk
        if found.error:
            desk.alert(AlertLevel.ERROR, _TOPIC, "", f"the file is wrong, and nothing was changed: {found.error}")
            return
        if found.applied:
            desk.use(found.settings)
            desk.alert(AlertLevel.INFO, _TOPIC, "", "taken over: " + "; ".join(map(str, found.applied)))
        if found.restart:
            keys = "; ".join(map(str, found.restart))
            desk.alert(AlertLevel.WARNING, _TOPIC, "", f"needs a restart, and is not in force: {keys}")
