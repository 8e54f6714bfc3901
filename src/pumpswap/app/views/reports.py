"""The reports that were written, and one of them by its name: never a file of another folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pumpswap.errors import NotFound
from pumpswap.settings import Settings

__all__ = ["ReportFile", "report_file", "report_files", "reports_folder"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.html", re.ASCII)
_MOST = 500


@dataclass(frozen=True, slots=True)
class ReportFile:
    """``name`` is what ``report_file`` takes."""

    name: str
    written_ns: int
    bytes: int


def reports_folder(settings: Settings) -> Path:
    """Where reports are written."""
    return settings.data_dir / "reports"


def report_files(settings: Settings) -> tuple[ReportFile, ...]:
    """The newest first."""
    folder = reports_folder(settings)
    if not folder.is_dir():
        return ()
    found = []
    for path in folder.iterdir():
        if _NAME.fullmatch(path.name) and path.is_file() and not path.is_symlink():
            about = path.stat()
            found.append(ReportFile(path.name, about.st_mtime_ns, about.st_size))
    return tuple(sorted(found, key=lambda one: (one.written_ns, one.name), reverse=True)[:_MOST])


def report_file(settings: Settings, name: str) -> Path:
    """The file of a report. Raises NotFound for every name that is none of ``report_files``."""
    folder = reports_folder(settings)
    path = folder / name if _NAME.fullmatch(name) else None
    if path is None or path.is_symlink() or not path.is_file() or path.resolve().parent != folder.resolve():
        raise NotFound("there is no such report", hint="the list of reports has their names")
    return path
