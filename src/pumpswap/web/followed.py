"""FollowedSettings: what holds now. An engine takes some changes of its file over, and the pages must say the same."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

from pumpswap.clock import Clock
from pumpswap.settings import LoadedSettings
from pumpswap.settings.reload import SettingsReload

__all__ = ["FollowedSettings"]

_log = logging.getLogger(__name__)


class FollowedSettings:
    """``load`` reads everything again as at the start; without it the settings stay as they are. Only what an engine
    takes over is taken over here: who may look, and where, is settled at the start.
    """

    def __init__(self, loaded: LoadedSettings, load: Callable[[], LoadedSettings] | None, clock: Clock) -> None:
        self._loaded = loaded
        self._reload = None if load is None else SettingsReload(loaded, load, clock)
        self._lock = threading.Lock()

    @property
    def loaded(self) -> LoadedSettings:
        """As they hold now; looks at the file once a second at most."""
        if self._reload is None:
            return self._loaded
        with self._lock:
            found = self._reload.poll()
            if found is not None and found.error:
                _log.warning("the settings file is wrong, and nothing was changed: %s", found.error)
            elif found is not None and found.applied:
                file = str(self._loaded.file)
                origins = {**self._loaded.origins, **dict.fromkeys((one.key for one in found.applied), file)}
                self._loaded = replace(self._loaded, settings=found.settings, origins=origins)
            return self._loaded
