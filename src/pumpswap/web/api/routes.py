"""The routes of the REST API: a GET for each page, a POST for each action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from pumpswap.app.views.alerts import Alerts, alerts
from pumpswap.app.views.decisions import DecisionFilter, Decisions, decision, decisions
from pumpswap.app.views.effective import EffectiveSettings, effective_settings
from pumpswap.app.views.health import Health, health
from pumpswap.app.views.ledger import Ledger, LedgerFilter, ledger
from pumpswap.app.views.orders import Execution, Orders, execution, orders
from pumpswap.app.views.overview import Overview, Period, overview
from pumpswap.app.views.page import LARGEST_PAGE, PAGE_SIZE, PageWish
from pumpswap.app.views.plain import plain
from pumpswap.app.views.pools import Pools, PoolView, pool, pools
from pumpswap.app.views.positions import Positions, positions
from pumpswap.app.views.proposals import Proposals, proposals
from pumpswap.app.views.refused import RefusedBuys, refused_buys
from pumpswap.app.views.reports import ReportFile, report_files
from pumpswap.app.views.runs import Runs, runs
from pumpswap.app.views.signals import Signals, signals
from pumpswap.app.why import Tale
from pumpswap.errors import GuardRefused
from pumpswap.model import EntryKind, TradeSide
from pumpswap.web.actions import ActionAsk, Done, act
from pumpswap.web.api.schemas import answer_of
from pumpswap.web.parts import WebParts
from pumpswap.web.security.access import TooManyTries
from pumpswap.web.security.gate import client_of, has_bearer

__all__ = ["API_PATH", "api_router"]

API_PATH = "/api/v1"
_LARGEST = 2**63 - 1

_RUN = "Number of the run; default: the one that runs, else the newest."
RunId = Annotated[int | None, Query(alias="run", ge=1, le=_LARGEST, description=_RUN)]
Size = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="Rows of a page.")]
Before = Annotated[str, Query(max_length=40, description="`next` of the page before; empty: the first page.")]
Name = Annotated[str, InPath(min_length=1, max_length=64)]
OrderStatus = Literal["pending", "filled", "rejected", "denied", "unknown"]


@dataclass(frozen=True, slots=True)
class ReportList:
    """Names for ``GET /reports/NAME`` of the pages."""

    rows: tuple[ReportFile, ...]


@dataclass(frozen=True, slots=True)
class Csrf:
    """Ends with the process."""

    csrf: str


class DecisionQuery:
    """Which decisions."""

    def __init__(
        self,
        accepted: bool | None = None,
        side: TradeSide | None = None,
        address: Annotated[str, Query(max_length=64, description="Of a pool or a coin.")] = "",
        policy: Annotated[str, Query(max_length=64, description="Refused by it.")] = "",
    ) -> None:
        self.filter = DecisionFilter(accepted, side, address, policy)


class LedgerQuery:
    """Which entries of the ledger."""

    def __init__(
        self,
        kind: EntryKind | None = None,
        asset: Annotated[str, Query(max_length=64, description="`SOL`, or a mint.")] = "",
        order: Annotated[str, Query(max_length=64, description="Moved by the order with this id.")] = "",
        since: Annotated[int, Query(ge=0, le=_LARGEST, description="Booked at this time or later, nanoseconds.")] = 0,
    ) -> None:
        self.filter = LedgerFilter(kind, asset, order, since)


class ActionBody(BaseModel):
    """What an action is asked with."""

    model_config = ConfigDict(extra="forbid")

    confirm: str = Field(max_length=40, description="The name of the action once more.")
    number: int | None = Field(None, ge=1, le=_LARGEST, description="Of the alert; for ack-all the last one seen.")
    run: int | None = Field(None, ge=1, le=_LARGEST, description="Number of the run; must be told where two run.")
    decision: str = Field("", max_length=64, description="Id of the decision that waits, for approve and decline.")


def api_router(parts: WebParts) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix=API_PATH, tags=["pumpswap"])
    _add_lists(router, parts)
    _add_singles(router, parts)
    _add_actions(router, parts)
    return router


def _add_lists(router: APIRouter, parts: WebParts) -> None:
    @router.get("/positions", responses=answer_of("positions", Positions))
    def list_positions(
        run: RunId = None, size: Size = PAGE_SIZE, before: Before = "", closed: bool = False
    ) -> Response:
        """Open rounds with their executable value and exit distances, or closed ones."""
        wish = PageWish.of(size, before)
        return answer("positions", positions(parts.sight(run), wish, closed=closed))

    @router.get("/decisions", responses=answer_of("decisions", Decisions))
    def list_decisions(
        chosen: Annotated[DecisionQuery, Depends()], run: RunId = None, size: Size = PAGE_SIZE, before: Before = ""
    ) -> Response:
        """Accepted and refused decisions with their reasons, the newest first."""
        return answer("decisions", decisions(parts.sight(run), chosen.filter, PageWish.of(size, before)))

    @router.get("/orders", responses=answer_of("orders", Orders))
    def list_orders(
        run: RunId = None,
        size: Size = PAGE_SIZE,
        before: Before = "",
        status: Annotated[list[OrderStatus] | None, Query(max_length=5)] = None,
    ) -> Response:
        """Orders with quote against fill, the newest first."""
        return answer("orders", orders(parts.sight(run), tuple(status or ()), PageWish.of(size, before)))

    @router.get("/ledger", responses=answer_of("ledger", Ledger))
    def list_ledger(
        chosen: Annotated[LedgerQuery, Depends()], run: RunId = None, size: Size = PAGE_SIZE, before: Before = ""
    ) -> Response:
        """What moved, the newest first; a page may have fewer rows than it could, and a `next` all the same."""
        return answer("ledger", ledger(parts.sight(run), chosen.filter, PageWish.of(size, before)))

    @router.get("/proposals", responses=answer_of("proposals", Proposals))
    def list_proposals(run: RunId = None) -> Response:
        """Accepted buys that wait for a person, the oldest first; all of them."""
        return answer("proposals", proposals(parts.sight(run)))

    @router.get("/pools", responses=answer_of("pools", Pools))
    def list_pools(run: RunId = None, size: Size = PAGE_SIZE, before: Before = "") -> Response:
        """Pools that were traded, the last traded first."""
        return answer("pools", pools(parts.sight(run), PageWish.of(size, before)))

    @router.get("/signals", responses=answer_of("signals", Signals))
    def list_signals(run: RunId = None, size: Size = PAGE_SIZE, before: Before = "") -> Response:
        """What the sources of signals said, and what came of it."""
        return answer("signals", signals(parts.sight(run), PageWish.of(size, before)))

    @router.get("/alerts", responses=answer_of("alerts", Alerts))
    def list_alerts(size: Size = PAGE_SIZE, before: Before = "", unseen: bool = False) -> Response:
        """Alerts of the whole database, the newest first."""
        wish = PageWish.of(size, before)
        return answer("alerts", alerts(parts.store.database(), parts.clock.now_ns(), wish, unseen=unseen))


def _add_singles(router: APIRouter, parts: WebParts) -> None:
    @router.get("/overview", responses=answer_of("overview", Overview))
    def show_overview(run: RunId = None, period: Period = Period.ALL) -> Response:
        """Equity, what was earned after all costs, the state of trading."""
        return answer("overview", overview(parts.sight(run), period))

    @router.get("/decisions/{decision_id}", responses=answer_of("decision", Tale))
    def show_decision(decision_id: Name, run: RunId = None) -> Response:
        """One decision by its id or that of its order: every verdict, the order, what came of it."""
        return answer("decision", decision(parts.sight(run), decision_id))

    @router.get("/refused", responses=answer_of("refused", RefusedBuys))
    def show_refused(run: RunId = None) -> Response:
        """What refused buys of the last 30 days would have earned, by rule and by time held."""
        return answer("refused", refused_buys(parts.sight(run)))

    @router.get("/execution", responses=answer_of("execution", Execution))
    def show_execution(run: RunId = None) -> Response:
        """Slippage, impact, landing times, failures and costs."""
        return answer("execution", execution(parts.sight(run)))

    @router.get("/pools/{address}", responses=answer_of("pool", PoolView))
    def show_pool(address: Name, run: RunId = None) -> Response:
        """One pool: price and liquidity, our trades, what was found of its token."""
        return answer("pool", pool(parts.sight(run), address))

    @router.get("/health", responses=answer_of("health", Health))
    def show_health(run: RunId = None) -> Response:
        """The engine and its parts, endpoints, the last reconciliation, the database, versions."""
        return answer("health", health(parts.sight(run)))

    @router.get("/settings", responses=answer_of("settings", EffectiveSettings))
    def show_settings() -> Response:
        """Every setting that holds and where it comes from; secrets are masked."""
        return answer("settings", effective_settings(parts.loaded))

    @router.get("/reports", responses=answer_of("reports", ReportList))
    def show_reports() -> Response:
        """The reports that were written, the newest first."""
        return answer("reports", ReportList(report_files(parts.settings)))

    @router.get("/runs", responses=answer_of("runs", Runs))
    def show_runs() -> Response:
        """The runs of the database."""
        return answer("runs", runs(parts.store.database(), parts.settings, parts.clock))


def _add_actions(router: APIRouter, parts: WebParts) -> None:
    @router.get("/csrf", responses=answer_of("csrf", Csrf))
    def show_csrf() -> Response:
        """What actions repeat in the header `X-CSRF-Token` where they come without a bearer token."""
        return answer("csrf", Csrf(parts.csrf))

    @router.post("/actions/{name}", responses=answer_of("action", Done))
    async def do_action(request: Request, name: Name, body: ActionBody) -> Response:
        """`exits-only`, `pause`, `resume`, `close-all` (sell everything), `approve` and `decline` (a proposal),
        `ack-alert`, `ack-all`; stored with who asked.
        """
        _check_origin(request, parts)
        ask = ActionAsk(name, body.confirm, client_of(request), body.number, body.run, body.decision)
        done = await run_in_threadpool(act, parts, ask)
        parts.hub.tell()
        return answer("action", done, 200 if done.is_done else 409)


def answer(schema: str, view: object, status: int = 200) -> JSONResponse:
    """A view as `--json` of the command line would have it."""
    return JSONResponse({"schema": f"pumpswap.{schema}", "version": 1, **plain(view)}, status)


def _check_origin(request: Request, parts: WebParts) -> None:
    """A bearer token is sent by programs only; everything else could be a page of a stranger. Raises GuardRefused."""
    try:
        if parts.access.is_guarded and has_bearer(request, parts.access):
            return
    except TooManyTries:
        pass
    if not parts.access.is_csrf(request.headers.get("x-csrf-token", "")):
        raise GuardRefused(
            "the action came without its word", hint=f"send `X-CSRF-Token` with what GET {API_PATH}/csrf says"
        )
