"""The reports that were written, as files below ``data_dir``/reports: what there is, and where the next one goes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pumpswap.settings import Settings

__all__ = ["ReportKind", "WrittenReport", "report_folder", "report_path", "written_reports"]

_NAMED = re.compile(r"(?P<of>[0-9W-]{1,40}|all)-run-(?P<run>[0-9]{1,18})\.html")  # those of a schedule, and by request
_OF_A_RUN = re.compile(r"(?P<of>[a-z][a-z-]{0,30})-(?P<run>[0-9]{1,18})\.html")  # demos and replays name their market


class ReportKind(StrEnum):
    """What a report is about; the value is its folder. Those of one run that was played lie above these folders."""

    DAILY = "daily"
    WEEKLY = "weekly"
    ASKED = "asked"  # somebody has asked for it
    RUN = "run"  # a demo or a replay, when it was over


@dataclass(frozen=True, slots=True)
class WrittenReport:
    """A file. ``of`` is its day (``2026-11-25``), its week (``2026-W48``), or what was played (``demo``)."""

    kind: ReportKind
    of: str
    run_id: int
    path: Path
    size_bytes: int
    written_ns: int

    @property
    def name(self) -> str:
        """Its place below the folder of reports: ``daily/2026-11-25-run-3.html``."""
        return self.path.name if self.kind is ReportKind.RUN else f"{self.kind.value}/{self.path.name}"


def report_folder(settings: Settings, kind: ReportKind) -> Path:
    """Where the reports of a kind lie."""
    folder = settings.data_dir / "reports"
    return folder if kind is ReportKind.RUN else folder / kind.value


def report_path(settings: Settings, kind: ReportKind, of: str, run_id: int) -> Path:
    """Where a report is written."""
    return report_folder(settings, kind) / f"{of}-run-{run_id}.html"


def written_reports(settings: Settings, kind: ReportKind | None = None) -> list[WrittenReport]:
    """What there is, of a kind or of all, the newest first. Files of other names are not ours, nor are links."""
    kinds = tuple(ReportKind) if kind is None else (kind,)
    found = [report for each in kinds for report in _in_folder(report_folder(settings, each), each)]
    return sorted(found, key=lambda report: (report.written_ns, report.of, report.run_id), reverse=True)


def _in_folder(folder: Path, kind: ReportKind) -> Iterator[WrittenReport]:
    shape = _OF_A_RUN if kind is ReportKind.RUN else _NAMED
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        named = shape.fullmatch(path.name)
        if named is None or path.is_symlink():
            continue
        try:
            facts = path.stat()
        except FileNotFoundError:  # removed since the folder was listed: there may be a newer one in its place
            continue
        yield WrittenReport(kind, named["of"], int(named["run"]), path, facts.st_size, facts.st_mtime_ns)
