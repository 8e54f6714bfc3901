"""What it sees: pools and signals."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from pumpswap.app.views.pools import pool, pools
from pumpswap.app.views.signals import signals
from pumpswap.web.pages.figures import pool_figure
from pumpswap.web.pages.sheet import Sheet, links_of

__all__ = ["router"]


def router(sheet: Sheet) -> APIRouter:
    """The pages."""
    made = APIRouter(include_in_schema=False)

    @made.get("/pools")
    def pools_page(request: Request) -> Response:
        address = request.query_params.get("address", "").strip()
        if address:
            return RedirectResponse(f"/pools/{quote(address[:64], safe='')}{sheet.same_run(request)}", 303)
        sight = sheet.sight(request)
        view = pools(sight, sheet.wish(request))
        return sheet.show(request, "pools.html", sight, view=view, links=links_of(request, view.rows))

    @made.get("/pools/{address}")
    def pool_page(request: Request, address: str) -> HTMLResponse:
        sight = sheet.sight(request)
        view = pool(sight, address)
        return sheet.show(request, "pool.html", sight, view=view, figure=pool_figure(view))

    @made.get("/signals")
    def signals_page(request: Request) -> HTMLResponse:
        sight = sheet.sight(request)
        view = signals(sight, sheet.wish(request))
        has_q50 = any(one.q50 is not None for one in view.pools)
        has_base = any(one.base_score is not None for one in view.pools)
        links = links_of(request, view.rows)
        return sheet.show(request, "signals.html", sight, view=view, has_q50=has_q50, has_base=has_base, links=links)

    return made
