"""A page: one HTML file that needs nothing else, no network and, but for its charts, no JavaScript."""

from __future__ import annotations

import base64
import hashlib
import os
from functools import cache
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from pumpswap.clock import format_utc

__all__ = ["csp_hash", "page_environment", "page_scripts", "with_code", "write_page"]


def write_page(path: Path, page: str) -> Path:
    """Put a page at ``path`` in one step: whoever opens the file sees all of it or the one before.

    Folders are made when missing. Returns ``path``. Raises OSError when it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_bytes(page.encode("utf-8", errors="replace"))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def page_environment() -> Environment:
    """Templates of the package, everything escaped, a missing value an error."""
    environment = Environment(
        loader=PackageLoader("pumpswap.analytics", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"utc": format_utc, "with_code": with_code}
    return environment


def page_scripts(environment: Environment) -> list[Markup]:
    """The chart library, and what draws the charts of a page with it."""
    return [Markup(_plotly()), Markup(environment.get_template("report.js").render())]


def csp_hash(script: str) -> str:
    """What a page's policy names a script by: no other script may run, whatever a coin is called."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def _plotly() -> str:
    """The chart library for browsers, out of the installed plotly package."""
    return (resources.files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


def with_code(text: str) -> Markup:
    """Text whose parts between backticks are code."""
    parts = [escape(part) for part in text.split("`")]
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(Markup("<code>{}</code>").format(p) if i % 2 else p for i, p in enumerate(parts))
