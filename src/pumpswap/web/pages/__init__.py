"""The pages for people: server-rendered, live, useful without JavaScript but for the charts.

``rendering`` has the templates and how amounts are said, ``frame`` what stands around every page, ``sheet`` puts both
together; the other modules are the pages themselves.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from pumpswap.web.failures import Failure
from pumpswap.web.pages import keeping, market, trading
from pumpswap.web.pages.sheet import Sheet
from pumpswap.web.parts import WebParts

__all__ = ["failure", "login", "routers"]


def routers(parts: WebParts) -> list[APIRouter]:
    """All pages."""
    sheet = Sheet(parts)
    return [trading.router(sheet), market.router(sheet), keeping.router(sheet)]


def failure(parts: WebParts, request: Request, failure: Failure) -> Response:
    """What went wrong, for people; somebody who may not look sees nothing of the books."""
    return Sheet(parts).failure(request, failure)


def login(parts: WebParts, request: Request, message: str) -> Response:
    """The form that asks for the token; ``message``: what was wrong with the last one."""
    return Sheet(parts).login(request, message)
