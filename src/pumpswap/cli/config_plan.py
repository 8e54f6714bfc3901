"""``pumpswap config import`` and ``pumpswap config host-copy``."""

from __future__ import annotations

from pathlib import Path

import click

from pumpswap.cli.lazy import Example, command, option
from pumpswap.cli.output import Output, pass_output
from pumpswap.cli.params import PATH

__all__ = ["host_copy", "import_"]

_BOTH = "a file with the plan's sections"


@command(
    "import",
    help=(
        "Translate the plan's own sections (pumpswap, signal_analysis, q50_pumpswap_strategy, nautilus_trader, "
        "nautilus_poc) into a pumpswap.yaml. FILE is a file with them, or the host's config.yaml with them in it.\n\n"
        "Every line of the result says which key it comes from; keys that became nothing are listed below with the "
        "reason. Two keys that contradict each other are refused. Environments become profiles: see --profile."
    ),
    examples=[
        Example("pumpswap config import plan_config.yaml", "look at the result", needs=_BOTH),
        Example("pumpswap config import config.yaml --output pumpswap.yaml", "keep it", needs=_BOTH),
    ],
)
@click.argument("file", type=PATH)
@option("--output", "target", type=PATH, metavar="FILE", help="Write the result there.")
@option("--force", is_flag=True, help="Write over a file that is there.")
@pass_output
def import_(out: Output, file: Path, target: Path | None, force: bool) -> None:
    from collections import Counter

    from pumpswap.app.config_file import plain_value, plan_of_file
    from pumpswap.app.plan_text import plan_text
    from pumpswap.errors import NotFound
    from pumpswap.settings.write import write_settings_file

    if not file.is_file():
        raise NotFound(f"there is no file {file}", hint="name the file with the plan's sections")
    result = plan_of_file(file)
    text = plan_text(result, file.name)
    if target is not None:
        write_settings_file(target, text, replace=force)
    if out.json:
        rows = [
            {"plan": row.plan, "fate": row.fate.value, "keys": list(row.keys), "note": row.note} for row in result.rows
        ]
        document = plain_value(result.document)
        out.emit("config_import", {"file": str(target) if target else None, "settings": document, "keys": rows})
        return
    counts = Counter(row.fate.value for row in result.rows)
    if target is None:
        click.echo(text, nl=False)
    else:
        out.show(str(target), keep_lines=True)
    out.say(f"{len(result.rows)} keys: " + ", ".join(f"{count} {fate}" for fate, count in counts.items()))


@command(
    "host-copy",
    help=(
        "Write a copy of one file for both, IN, without our sections and the plan's: the host's rules refuse every "
        "section that they do not know. Comments and layout of the rest stay, and IN is not touched.\n\n"
        "Start the host with OUT, and pumpswap with --config IN. An OUT that is there is written over when it is an "
        "earlier copy, else only with --force."
    ),
    examples=[
        Example("pumpswap config host-copy both.yaml config.yaml", "after each change of both.yaml", needs=_BOTH),
        Example("pumpswap config host-copy both.yaml config.yaml --json", needs=_BOTH),
    ],
)
@click.argument("source", type=PATH, metavar="IN")
@click.argument("target", type=PATH, metavar="OUT")
@option("--force", is_flag=True, help="Write over a file that is no earlier copy.")
@pass_output
def host_copy(out: Output, source: Path, target: Path, force: bool) -> None:
    from pumpswap.app.config_file import host_copy as make_copy
    from pumpswap.errors import NotFound

    if not source.is_file():
        raise NotFound(f"there is no file {source}", hint="name the file that both use")
    done = make_copy(source, target, replace=force)
    for name in done.unknown:
        out.warn(f"{name}: is no section of ours, and the host's rules refuse it")
    if out.json:
        out.emit("config_host_copy", {"file": str(target), "left_out": list(done.left_out)})
        return
    left = ", ".join(done.left_out) or "nothing: all of it is the host's"
    out.show(f"{target}: without {left}" if done.left_out else f"{target}: {left}", keep_lines=True)
