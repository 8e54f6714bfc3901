"""The first settings file: a preset with the answers of its new owner in it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pumpswap.app.config_file import checked_text
from pumpswap.errors import ConfigError
from pumpswap.settings.keys import all_keys
from pumpswap.settings.nearest import shown_path
from pumpswap.settings.plan_rows import without_password
from pumpswap.settings.presets import preset_text
from pumpswap.settings.yaml_edit import with_value

__all__ = ["Answers", "check_data_dir", "settings_text"]

_PRACTICE_URL = "http://127.0.0.1:8899"


@dataclass(frozen=True, slots=True)
class Answers:
    """What was answered; empty: not answered. ``database``: of the user's collector, a path or a URL."""

    network: str = ""
    url: str = ""
    database: str = ""


def settings_text(preset: str, answers: Answers) -> str:
    """A whole ``pumpswap.yaml``. Mainnet's own switch stays off whatever was answered. Raises ConfigError."""
    text, keys = preset_text(preset), all_keys()
    if answers.network:
        text = with_value(text, keys["chain.network"], answers.network)
    url = answers.url or (_PRACTICE_URL if answers.network == "localnet" else "")
    if url:
        text = with_value(text, keys["chain.endpoints"], [{"url": url}])
    if answers.database:
        text = with_value(text, keys["database.url"], _database_url(answers.database))
    checked_text(text, "pumpswap.yaml")
    return text


def _database_url(answer: str) -> str:
    try:
        url = without_password(answer)
    except ValueError as wrong:
        raise ConfigError(
            f"the URL of the database {wrong}", hint="leave the question empty, and set the variable"
        ) from None
    return url if "://" in url else f"sqlite:///{url}"


def check_data_dir(folder: Path) -> None:
    """Raises ConfigError where the data folder can be neither used nor made. Nothing is made yet."""
    place = folder.expanduser().absolute()
    there = next(each for each in (place, *place.parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        why = f"{shown_path(there)} {'may not be written' if there.is_dir() else 'is no folder'}"
        raise ConfigError(
            f"the data folder {shown_path(folder)} cannot be used: {why}", hint="name another one with --data-dir"
        )
