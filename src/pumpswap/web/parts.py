"""WebParts: what the pages, the API and the actions share."""

from __future__ import annotations

from dataclasses import dataclass

from pumpswap.app.views.sight import Sight
from pumpswap.clock import Clock
from pumpswap.settings import LoadedSettings, Settings
from pumpswap.web.followed import FollowedSettings
from pumpswap.web.live.hub import Hub
from pumpswap.web.security.access import Access
from pumpswap.web.store import Store

__all__ = ["WebParts"]


@dataclass(frozen=True, slots=True)
class WebParts:
    """One of each for the whole application."""

    followed: FollowedSettings
    clock: Clock
    store: Store
    access: Access
    hub: Hub

    @property
    def loaded(self) -> LoadedSettings:
        """The settings that hold, with where each comes from."""
        return self.followed.loaded

    @property
    def settings(self) -> Settings:
        """The settings that hold."""
        return self.loaded.settings

    @property
    def csrf(self) -> str:
        """What every form repeats in ``csrf``, and every program without a token in ``X-CSRF-Token``."""
        return self.access.csrf

    def sight(self, run_id: int | None = None) -> Sight:
        """What views are made from; reads the database, so in a thread. Raises NotFound."""
        return Sight(self.store.books(run_id), self.settings, self.clock)
