"""The reports that were written, as files below ``data_dir``/reports: what there is, and where the next one goes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pumpswap.settings import Settings

__all__ = ["ReportKind", "WrittenReport", "report_path", "reports_folder", "written_reports"]


class ReportKind(StrEnum):
    """Why a report was written."""

    DAILY = "daily"
    WEEKLY = "weekly"
    ASKED = "asked"  # somebody has asked for it
    RUN = "run"  # a demo or a replay was over


# What ``of`` looks like. Those of a schedule begin with their kind; a demo names what was played, and its run.
_NAMES = {
    ReportKind.DAILY: re.compile(r"daily-(?P<of>\d{4}-\d\d-\d\d)-run-(?P<run>\d{1,18})\.html", re.ASCII),
    ReportKind.WEEKLY: re.compile(r"weekly-(?P<of>\d{4}-W\d\d)-run-(?P<run>\d{1,18})\.html", re.ASCII),
    ReportKind.ASKED: re.compile(r"report-(?P<of>[0-9W-]{4,10}|all)-run-(?P<run>\d{1,18})\.html", re.ASCII),
    ReportKind.RUN: re.compile(r"(?P<of>[a-z]{1,30})-(?P<run>\d{1,18})\.html", re.ASCII),
}
_PREFIXES = {ReportKind.DAILY: "daily", ReportKind.WEEKLY: "weekly", ReportKind.ASKED: "report"}


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """A file. ``of`` is its day (``2026-11-25``), week (``2026-W48``) or month, ``all``, or what was played."""

    kind: ReportKind
    of: str
    run_id: int
    path: Path
    size_bytes: int
    written_ns: int


def reports_folder(settings: Settings) -> Path:
    """Where reports lie."""
    return settings.data_dir / "reports"


def report_path(settings: Settings, kind: ReportKind, of: str, run_id: int) -> Path:
    """Where one of a schedule, or one that somebody asked for, is written."""
    return reports_folder(settings) / f"{_PREFIXES[kind]}-{of}-run-{run_id}.html"


def written_reports(settings: Settings, kind: ReportKind | None = None) -> list[WrittenReport]:
    """What there is, of a kind or of all, the newest first. Files of other names are not ours, nor are links."""
    folder = reports_folder(settings)
    found = list(_in_folder(folder)) if folder.is_dir() else []
    wanted = [report for report in found if kind is None or report.kind is kind]
    return sorted(wanted, key=lambda report: (report.written_ns, report.of, report.run_id), reverse=True)


def _in_folder(folder: Path) -> Iterator[WrittenReport]:
    for path in folder.iterdir():
        named = next(((kind, found) for kind, shape in _NAMES.items() if (found := shape.fullmatch(path.name))), None)
        if named is None or path.is_symlink():
            continue
        try:
            facts = path.stat()
        except FileNotFoundError:  # removed since the folder was listed
            continue
        kind, parts = named
        yield WrittenReport(kind, parts["of"], int(parts["run"]), path, facts.st_size, facts.st_mtime_ns)
