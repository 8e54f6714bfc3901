"""The companion that listens to a chat: made where `telegram.token` is set."""

from __future__ import annotations

from pumpswap.app.companion import Companions, RunPlace
from pumpswap.clock import Clock, SystemClock
from pumpswap.engine.feed import FeedTools
from pumpswap.storage.database import Database

__all__ = ["StoredBookmark", "chatting"]

_MEMORY = "telegram offset"


def chatting(place: RunPlace) -> Companions:
    """Answer the chats of the settings. Raises ConfigError for what cannot be used."""
    if place.settings.telegram.token is None:
        return Companions()
    from pumpswap.app.chat.desk import ChatDesk
    from pumpswap.app.chat.telegram import TelegramBot

    desk = ChatDesk(place.settings, place.database, place.run.run_id, place.wall)
    bookmark = StoredBookmark(place.database, place.wall, place.settings.telegram.token.get_secret_value())
    return Companions(
        # Messages are dated by Telegram: their age is judged by the machine's own clock, not by one without its steps.
        helpers=(TelegramBot(place.settings.telegram, desk, bookmark, SystemClock(), FeedTools(place.wall)),)
    )


class StoredBookmark:
    """In the database: one for all runs, since all of them hear the same messages; one for each bot, since each counts
    its own. Of ``token`` only the part that names the bot is kept.
    """

    def __init__(self, database: Database, clock: Clock, token: str) -> None:
        self._database, self._clock = database, clock
        self._name = f"{_MEMORY} {token.partition(':')[0]}" if ":" in token else _MEMORY

    def load(self) -> int:
        """0 before the first message."""
        return int(str((self._database.memory.load(self._name) or {}).get("offset", 0)))

    def save(self, offset: int) -> None:
        """Everything before it has been taken."""
        self._database.memory.save(self._name, {"offset": str(offset)}, self._clock.now_ns())
