"""``pumpswap version``."""

from __future__ import annotations

import platform
from importlib import metadata

from pumpswap import __version__
from pumpswap.cli.lazy import Example, command
from pumpswap.cli.output import Output, pass_output

__all__ = ["version"]

_LIBRARIES = ("SQLAlchemy", "alembic", "click", "msgspec", "plotly", "pydantic", "rich", "solders")


@command(
    "version",
    help="Show the version of pumpswap; with -v also of the libraries below it, for a bug report.",
    examples=[
        Example("pumpswap version"),
        Example("pumpswap version -v", "for a bug report"),
    ],
)
@pass_output
def version(out: Output) -> None:
    system = f"{platform.system()} {platform.machine()}"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    libraries = {name: _installed(name) for name in _LIBRARIES}
    if out.json:
        facts = {"pumpswap_version": __version__, "python": python, "system": system, "libraries": libraries}
        out.emit("version", facts)
        return
    out.show(f"pumpswap {__version__} ({python}, {system})")
    if out.options.verbose:
        out.show("\n".join(f"  {name:<18} {found or 'not installed'}" for name, found in libraries.items()))


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
