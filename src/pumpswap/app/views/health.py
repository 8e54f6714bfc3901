"""Health: the engine and its parts, endpoints, reconciliation, the database, versions, and who commanded what."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from pumpswap import __version__
from pumpswap.app.config_file import place_of_books, plain_value
from pumpswap.app.views.overview import DAY_NS, Trading, trading
from pumpswap.app.views.sight import RunFacts, Sight
from pumpswap.model import Command, Heartbeat, Reconciliation, RiskState, Spell
from pumpswap.settings import Settings
from pumpswap.storage.migrate import HEAD

__all__ = ["Health", "StoreFacts", "health", "store_facts", "versions"]

_LIBRARIES = ("SQLAlchemy", "fastapi", "starlette", "uvicorn", "pydantic", "solders")
_COMMANDS = 20


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """Where the books are (without any password), how large the file is, and the room beside it; None of a server."""

    location: str
    revision: str
    bytes: int | None
    free_bytes: int | None


@dataclass(frozen=True, slots=True)
class Health:
    """``endpoints`` are hosts only. ``able_share``: of the last day, as far as an engine ran in it, how much of the
    time entries could have been executed; None where none ran. ``commands`` are the newest, with origin and answer.
    """

    run: RunFacts
    as_of_ns: int
    trading: Trading
    heartbeat: Heartbeat | None
    risk: RiskState
    endpoints: tuple[str, ...]
    reconciliation: Reconciliation | None
    spells: tuple[Spell, ...]
    able_share: float | None
    commands: tuple[Command, ...]
    store: StoreFacts
    versions: Mapping[str, str]


def health(sight: Sight) -> Health:
    """Of the run and of what it stands on."""
    run, settings = sight.books.run, sight.settings
    spells = tuple(run.spells.since(sight.clock.now_ns() - DAY_NS))
    return Health(
        run=sight.facts,
        as_of_ns=sight.as_of_ns,
        trading=trading(sight),
        heartbeat=sight.heartbeat,
        risk=run.states.risk() or RiskState(),
        endpoints=tuple(map(str, plain_value(settings.chain.endpoints))),
        reconciliation=run.reconciliations.latest(),
        spells=spells,
        able_share=_able_share(spells),
        commands=run.commands.newest(_COMMANDS),
        store=store_facts(settings),
        versions=versions(),
    )


def store_facts(settings: Settings) -> StoreFacts:
    """Of the settings' database."""
    target = settings.database_target
    if not isinstance(target, Path) or not target.exists():
        return StoreFacts(place_of_books(settings), HEAD, None, None)
    beside = (target, target.with_name(f"{target.name}-wal"))
    size = sum(one.stat().st_size for one in beside if one.exists())
    return StoreFacts(place_of_books(settings), HEAD, size, shutil.disk_usage(target.parent).free)


def versions() -> dict[str, str]:
    """Ours, Python's, and those of the libraries that matter here; a library that is missing is left out."""
    found = {"pumpswap": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _able_share(spells: tuple[Spell, ...]) -> float | None:
    total = sum(spell.ended_ns - spell.began_ns for spell in spells)
    able = sum(spell.ended_ns - spell.began_ns for spell in spells if spell.is_able)
    return able / total if total else None
