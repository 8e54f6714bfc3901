"""What it stands on, and what was told: reports, alerts, health, settings; and the questions before actions."""

from __future__ import annotations

import os
from importlib import resources

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from pumpswap.app.views.alerts import alerts
from pumpswap.app.views.effective import effective_settings
from pumpswap.app.views.health import health
from pumpswap.app.views.reports import report_file, report_files, reports_folder
from pumpswap.web.pages.rendering import CHARTS_VERSION
from pumpswap.web.pages.sheet import Sheet, links_of
from pumpswap.web.security.headers import REPORT_POLICY

__all__ = ["router"]

_PLOTLY = str(resources.files("plotly") / "package_data" / "plotly.min.js")
_LIBRARY = StaticFiles(directory=os.path.dirname(_PLOTLY))


def router(sheet: Sheet) -> APIRouter:
    """The pages."""
    made = APIRouter(include_in_schema=False)
    parts = sheet.parts

    @made.get("/reports")
    def reports_page(request: Request) -> HTMLResponse:
        files, folder = report_files(parts.settings), str(reports_folder(parts.settings))
        return sheet.show(request, "reports.html", sheet.sight(request), files=files, folder=folder)

    @made.get("/reports/{name}")
    def report_page(name: str) -> Response:
        path = report_file(parts.settings, name)
        return FileResponse(path, media_type="text/html", headers={"Content-Security-Policy": REPORT_POLICY})

    @made.get("/static/plotly.min.js")
    def plotly(request: Request) -> Response:
        """The chart library for browsers, out of the installed plotly package: megabytes, sent once to each."""
        answer = _LIBRARY.file_response(_PLOTLY, os.stat(_PLOTLY), request.scope)
        is_named = request.query_params.get("v") == CHARTS_VERSION
        answer.headers["Cache-Control"] = "private, max-age=31536000, immutable" if is_named else "no-cache"
        return answer

    @made.get("/alerts")
    def alerts_page(request: Request) -> HTMLResponse:
        sight = sheet.sight(request)
        unseen = "unseen" in request.query_params
        view = alerts(sight.books.database, parts.clock.now_ns(), sheet.wish(request), unseen=unseen)
        return sheet.show(request, "alerts.html", sight, view=view, links=links_of(request, view.rows))

    @made.get("/health")
    def health_page(request: Request) -> HTMLResponse:
        sight = sheet.sight(request)
        return sheet.show(request, "health.html", sight, view=health(sight))

    @made.get("/settings")
    def settings_page(request: Request) -> HTMLResponse:
        view = effective_settings(parts.loaded)
        changed_only = "changed" in request.query_params
        return sheet.show(request, "settings.html", sheet.sight(request), view=view, changed_only=changed_only)

    @made.get("/ask/{name}")
    def ask_page(request: Request, name: str) -> HTMLResponse:
        return sheet.ask(request, name, sheet.sight(request))

    return made
