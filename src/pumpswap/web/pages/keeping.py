"""What it stands on, and what was told: reports, alerts, health, settings; and the questions before actions."""

from __future__ import annotations

from importlib import resources

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, Response

from pumpswap.app.views.alerts import alerts
from pumpswap.app.views.effective import effective_settings
from pumpswap.app.views.health import health
from pumpswap.app.views.reports import report_file, report_files
from pumpswap.web.pages.sheet import Sheet, links_of
from pumpswap.web.security.headers import REPORT_POLICY

__all__ = ["router"]

_PLOTLY = resources.files("plotly") / "package_data" / "plotly.min.js"


def router(sheet: Sheet) -> APIRouter:
    """The pages."""
    made = APIRouter(include_in_schema=False)
    parts = sheet.parts

    @made.get("/reports")
    def reports_page(request: Request) -> HTMLResponse:
        return sheet.show(request, "reports.html", sheet.sight(), files=report_files(parts.settings))

    @made.get("/reports/{name}")
    def report_page(name: str) -> Response:
        path = report_file(parts.settings, name)
        return FileResponse(path, media_type="text/html", headers={"Content-Security-Policy": REPORT_POLICY})

    @made.get("/static/plotly.min.js")
    def plotly() -> Response:
        """The chart library for browsers, out of the installed plotly package; kept as long as it is the same."""
        headers = {"Cache-Control": "private, max-age=86400"}
        return FileResponse(str(_PLOTLY), media_type="text/javascript", headers=headers)

    @made.get("/alerts")
    def alerts_page(request: Request) -> HTMLResponse:
        sight = sheet.sight()
        unseen = "unseen" in request.query_params
        view = alerts(sight.books.database, parts.clock.now_ns(), sheet.wish(request), unseen=unseen)
        return sheet.show(request, "alerts.html", sight, view=view, links=links_of(request, view.rows))

    @made.get("/health")
    def health_page(request: Request) -> HTMLResponse:
        sight = sheet.sight()
        return sheet.show(request, "health.html", sight, view=health(sight))

    @made.get("/settings")
    def settings_page(request: Request) -> HTMLResponse:
        view = effective_settings(parts.loaded)
        changed_only = "changed" in request.query_params
        return sheet.show(request, "settings.html", sheet.sight(), view=view, changed_only=changed_only)

    @made.get("/ask/{name}")
    def ask_page(request: Request, name: str) -> HTMLResponse:
        return sheet.ask(request, name, sheet.sight())

    return made
