"""Told: the answer to an action, shown on the page that comes next, and only if we have said it.

It travels in the address of that page, sealed: nobody can make the dashboard say something by a link.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request

from pumpswap.web.security.access import Access

__all__ = ["Told", "safe_path", "told_in", "told_path"]

_LONGEST = 300
_NAMES = ("told", "well", "seal")


@dataclass(frozen=True, slots=True)
class Told:
    """``well``: it was done as asked."""

    text: str
    well: bool


def told_path(access: Access, back: str, told: Told) -> str:
    """``back`` with the answer in it."""
    text, well = told.text[:_LONGEST], str(int(told.well))
    path, _, query = back.partition("?")
    kept = "&".join(part for part in query.split("&") if part and part.partition("=")[0] not in _NAMES)
    sealed = urlencode({"told": text, "well": well, "seal": access.seal(well + text)})
    return f"{path}?{kept}{'&' if kept else ''}{sealed}"


def told_in(access: Access, request: Request) -> Told | None:
    """The answer in an address; None where there is none of ours."""
    text, well, seal = (request.query_params.get(name, "") for name in _NAMES)
    return Told(text, well == "1") if text and access.is_seal(well + text, seal) else None


def safe_path(back: str) -> str:
    """``back`` where it is a page of ours; else the first page. Nobody is sent to another site from here."""
    found = urlsplit(back) if back.isascii() and back.isprintable() and len(back) <= 512 else None
    if found is None or found.scheme or found.netloc or not back.startswith("/") or back[1:2] in ("/", "\\"):
        return "/"
    return back
