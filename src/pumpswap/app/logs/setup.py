"""The log of one process, from the settings: to stderr, and to a file where one is named."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TextIO

import structlog

from pumpswap.app.logs.lines import console_line, json_line
from pumpswap.app.logs.log_file import LogFile
from pumpswap.app.logs.redaction import LogRedactor
from pumpswap.chain.redact import silence_request_lines
from pumpswap.execution.correlation import ORDER
from pumpswap.settings import LogSettings, Settings

__all__ = ["RUN_LOGGER", "begun_logging", "log_path"]

RUN_LOGGER = "pumpswap.run"  # what the engine tells, which a terminal shows by itself
_OURS = "pumpswap"

Format = Literal["console", "json"]


@contextmanager
def begun_logging(settings: Settings, *, verbose: int = 0, quiet: bool = False) -> Iterator[None]:
    """Everything that is logged meanwhile is written as the settings say, without secrets; afterwards all is as before.

    ``logs.file`` gets what ``logs.level`` lets pass, and so does stderr with ``logs.format: json``. For people stderr
    has warnings and errors only, since the terminal shows the run itself; with ``verbose`` it has all of it, with
    ``quiet`` errors only. Raises ConfigError for a file that cannot be written.
    """
    logs = settings.logs
    level = logging.DEBUG if verbose > 1 else logging.getLevelNamesMapping()[logs.level.upper()]
    redactor = LogRedactor(settings)
    handlers = [_stderr(logs, level, verbose, quiet=quiet)]
    path = log_path(settings)
    if path is not None:
        file = LogFile(path, logs.max_bytes, logs.keep)
        file.setLevel(level)
        handlers.append(file)
    for handler in handlers:
        handler.setFormatter(_formatter(logs.format, redactor))
        handler.addFilter(_is_worth_it)
    silence_request_lines()
    root, ours = logging.getLogger(), logging.getLogger(_OURS)
    before = ours.level
    ours.setLevel(min(ours.getEffectiveLevel(), *(handler.level for handler in handlers)))
    for handler in handlers:
        root.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
        ours.setLevel(before)


def log_path(settings: Settings) -> Path | None:
    """Where the file is; a relative name is below ``data_dir``."""
    return None if settings.logs.file is None else settings.data_dir / settings.logs.file


class _Stderr(logging.StreamHandler[TextIO]):
    """Asks for stderr with every line: a live screen takes its place while it is shown."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _: TextIO) -> None:
        """It is always the current one."""

    def handleError(self, record: logging.LogRecord) -> None:  # logging's own name
        """Nobody reads stderr any more: there is nobody to tell."""


def _stderr(logs: LogSettings, level: int, verbose: int, *, quiet: bool) -> logging.Handler:
    handler = _Stderr()
    tells_all = logs.format == "json" or verbose > 0
    handler.setLevel(level if tells_all else logging.ERROR if quiet else max(level, logging.WARNING))
    if not tells_all:
        handler.addFilter(lambda record: record.name != RUN_LOGGER)
    return handler


def _is_worth_it(record: logging.LogRecord) -> bool:
    """Of other libraries only what they complain about."""
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] == _OURS


def _formatter(form: Format, redactor: LogRedactor) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
        ],
        processors=[
            _stamped,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redactor,
            json_line if form == "json" else console_line,
        ],
    )


def _stamped(_logger: object, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """When it was said, and about which order where the code at work knows one."""
    record: logging.LogRecord = event["_record"]
    event["at"] = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    for name in ("message", "asctime", "taskName"):  # left in the record by whoever has formatted it before
        event.pop(name, None)
    if "order" not in event and (order := ORDER.get()):
        event["order"] = order
    return event
