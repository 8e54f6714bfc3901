"""Progress of long commands: a bar on stderr where a person watches, nothing anywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pumpswap.cli.output import Output

__all__ = ["Tell", "progress"]

Tell = Callable[[str, int, int | None], None]  # what is going on, how much is done, of how much if that is known


@contextmanager
def progress(out: Output) -> Iterator[Tell]:
    """One line per kind of work that is told; gone when the block ends. Silent with --json, --quiet and in a pipe."""
    if out.json or out.options.quiet or not out.talk.is_terminal:
        yield lambda _what, _done, _of: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=out.talk, transient=True) as bars:
        tasks: dict[str, int] = {}

        def tell(what: str, done: int, of: int | None) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(Text(what).plain, total=of)
            bars.update(tasks[what], completed=done, total=of)  # type: ignore[arg-type]

        yield tell
