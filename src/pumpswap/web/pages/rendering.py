"""Rendering: the templates of the pages, everything escaped, a missing value an error."""

from __future__ import annotations

import re
from functools import cache
from importlib import metadata, resources

from jinja2 import Environment, PackageLoader, StrictUndefined

from pumpswap.analytics.page import with_code
from pumpswap.analytics.wording import change_text, counted, duration_text, percent_text, sol_digits
from pumpswap.clock import format_utc
from pumpswap.model import is_chore
from pumpswap.web.pages import words

__all__ = ["CHARTS_VERSION", "environment", "render"]

CHARTS_VERSION = metadata.version("plotly")  # in the address of its code: what a browser has kept of it is never old

_MARK = re.compile(r'document\.getElementById\("([0-9a-f]{64})"\)')


@cache
def chart_marks() -> tuple[str, ...]:
    """The ids under which the chart library looks for styles of its parts: it writes none that it finds."""
    library = resources.files("plotly") / "package_data" / "plotly.min.js"
    return tuple(dict.fromkeys(_MARK.findall(library.read_text(encoding="utf-8"))))


@cache
def environment() -> Environment:
    """Templates are compiled once for all pages."""
    made = Environment(
        loader=PackageLoader("pumpswap.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "age": words.age_text,
        "change": change_text,
        "coin": words.coin,
        "digits": sol_digits,
        "duration": duration_text,
        "numbers": words.numbers,
        "percent": percent_text,
        "setting": words.setting_text,
        "signed": words.short_signed,
        "size": words.size_text,
        "sol": words.short_sol,
        "tokens": words.tokens,
        "utc": format_utc,
        "with_code": with_code,
        "words": words.words,
    }
    made.tests |= {"chore": is_chore}
    made.globals |= {
        "chart_library": f"/static/plotly.min.js?v={CHARTS_VERSION}",
        "chart_marks": chart_marks,
        "counted": counted,
    }
    return made


def render(name: str, **values: object) -> str:
    """A page as text."""
    return environment().get_template(name).render(values)
