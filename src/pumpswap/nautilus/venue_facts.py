"""VenueFacts: what a strategy may know of the engine behind the venue, told through Nautilus' own message bus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pumpswap.errors import ConfigError
from pumpswap.model import Intent
from pumpswap.settings import Settings

__all__ = ["VenueFacts", "offer_venue", "require_same", "venue_of"]

_ENDPOINT = "PumpSwap.venue"
_BY_THE_RUN = ("signals", "mode")  # of the section run: a session sets them for itself


@dataclass(frozen=True, slots=True)
class VenueFacts:
    """``settings`` are those that decide about orders; ``save`` stores a document under a name in the run's states, and
    ``load`` gives it back, None where there is none. ``fault`` takes a strategy's name and its error: nothing is bought
    until a person resumes, and until then it ``is_faulty``. ``hinder`` takes a strategy's name and what keeps it from
    deciding, in a sentence: nothing is bought until it is told to be empty. ``analyse`` takes a wish and why it is not
    ordered: it is decided on and stored, refused for that.
    """

    settings: Settings
    save: Callable[[str, Mapping[str, object]], None]
    load: Callable[[str], Mapping[str, object] | None]
    fault: Callable[[str, str], None]
    is_faulty: Callable[[str], bool]
    hinder: Callable[[str, str], None]
    analyse: Callable[[Intent, str], None]


def offer_venue(msgbus: Any, facts: VenueFacts) -> None:
    """Answer ``venue_of`` on this bus. Called by the execution client, once it has its engine."""

    def answer(asked: dict[str, VenueFacts]) -> None:
        asked["facts"] = facts

    if _ENDPOINT in msgbus.endpoints():
        return
    msgbus.register(endpoint=_ENDPOINT, handler=answer)


def venue_of(msgbus: Any) -> VenueFacts | None:
    """The facts of the venue on this bus; None where no client of ours is there."""
    if _ENDPOINT not in msgbus.endpoints():
        return None
    asked: dict[str, VenueFacts] = {}
    msgbus.send(endpoint=_ENDPOINT, msg=asked)
    return asked["facts"]


def require_same(ours: Settings, venue: Settings) -> None:
    """Raises ConfigError naming the sections that differ: one file drives both systems."""
    differ = [name for name in Settings.model_fields if _section(ours, name) != _section(venue, name)]
    if differ:
        raise ConfigError(
            f"the strategy and the engine behind the venue have different settings: {', '.join(differ)}",
            hint="give both the same pumpswap.yaml: settings_path of the strategy and of the clients, or settings=",
        )


def _section(settings: Settings, name: str) -> object:
    section = getattr(settings, name)
    return section.model_copy(update=dict.fromkeys(_BY_THE_RUN, "")) if name == "run" else section
