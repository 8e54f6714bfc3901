"""The settings that hold, read only: secrets are masked before anything else sees them."""

from __future__ import annotations

from dataclasses import dataclass

from pumpswap.app.config_file import effective_keys, plain_value
from pumpswap.settings import LoadedSettings

__all__ = ["EffectiveSettings", "SettingRow", "effective_settings"]


@dataclass(frozen=True, slots=True)
class SettingRow:
    """``value`` and ``default`` are plain: texts, numbers, lists, null; of URLs the host only, of secrets nothing.
    ``origin``: ``default``, a file, a profile, a variable's name, or ``option``.
    """

    key: str
    section: str
    value: object
    default: object
    origin: str
    is_default: bool
    help: str


@dataclass(frozen=True, slots=True)
class EffectiveSettings:
    """``file`` is the settings file, None where there is none."""

    file: str | None
    profile: str | None
    changed: int
    rows: tuple[SettingRow, ...]


def effective_settings(loaded: LoadedSettings) -> EffectiveSettings:
    """Every key, in the order of the tree."""
    rows = tuple(
        SettingRow(
            row.key.name, row.key.path[0], plain_value(row.value, row.key), plain_value(row.key.default),
            row.origin, row.is_default, row.key.help,
        )
        for row in effective_keys(loaded)
    )  # fmt: skip
    file = None if loaded.file is None else str(loaded.file)
    return EffectiveSettings(file, loaded.profile, sum(not row.is_default for row in rows), rows)
