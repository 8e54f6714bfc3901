"""What it does with the money: overview, positions, decisions, orders."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from pumpswap.app.sol_price import sol_price
from pumpswap.app.views.alerts import alerts
from pumpswap.app.views.decisions import DecisionFilter, decision, decisions
from pumpswap.app.views.ledger import LedgerFilter, ledger
from pumpswap.app.views.orders import OrderRow, execution, order_row, orders
from pumpswap.app.views.overview import Period, overview
from pumpswap.app.views.page import PageWish
from pumpswap.app.views.positions import positions
from pumpswap.app.views.proposals import proposals
from pumpswap.app.views.refused import refused_buys
from pumpswap.app.views.sight import Sight
from pumpswap.app.why import Tale
from pumpswap.errors import UsageError
from pumpswap.model import EntryKind, TradeSide
from pumpswap.storage.browse import STATUSES, ListedOrder, Place
from pumpswap.web.pages.figures import equity_figure
from pumpswap.web.pages.sheet import Sheet, links_of
from pumpswap.web.pages.words import usd_text

__all__ = ["router"]

_NEWEST = 6


@dataclass(frozen=True, slots=True)
class Dollars:
    """What a SOL is worth, and who says so."""

    usd: Decimal
    source: str

    def of(self, lamports: int) -> str:
        """Lamports in dollars."""
        return usd_text(lamports, self.usd)


def router(sheet: Sheet) -> APIRouter:
    """The pages."""
    made = APIRouter(include_in_schema=False)

    @made.get("/")
    def overview_page(request: Request) -> HTMLResponse:
        sight = sheet.sight(request)
        view = overview(sight, _period(request))
        newest = PageWish(_NEWEST)
        return sheet.show(
            request,
            "overview.html",
            sight,
            around=view,
            view=view,
            periods=list(Period),
            usd=_dollars(sight),
            curve=equity_figure(view.curve) if len(view.curve) > 1 else None,
            orders=orders(sight, wish=newest).rows.items,
            alerts=alerts(sight.books.database, sheet.parts.clock.now_ns(), newest).rows.items,
        )

    @made.get("/positions")
    def positions_page(request: Request) -> HTMLResponse:
        sight = sheet.sight(request)
        view = positions(sight, sheet.wish(request), closed="closed" in request.query_params)
        return sheet.show(request, "positions.html", sight, view=view, links=links_of(request, view.rows))

    @made.get("/decisions")
    def decisions_page(request: Request) -> HTMLResponse:
        sight, chosen = sheet.sight(request), _filter(request)
        view = decisions(sight, chosen, sheet.wish(request))
        return sheet.show(
            request,
            "decisions.html",
            sight,
            view=view,
            waiting=proposals(sight),
            links=links_of(request, view.rows),
            policies=sorted({*view.refused_by, *((chosen.policy,) if chosen.policy else ())}),
            is_filtered=chosen != DecisionFilter(),
        )

    @made.get("/decisions/refused")
    def refused_page(request: Request) -> HTMLResponse:
        sight = sheet.sight(request)
        return sheet.show(request, "refused.html", sight, view=refused_buys(sight))

    @made.get("/decisions/{name}")
    def decision_page(request: Request, name: str) -> HTMLResponse:
        sight = sheet.sight(request)
        tale = decision(sight, name)
        return sheet.show(request, "decision.html", sight, tale=tale, row=_order_of(tale))

    @made.get("/orders")
    def orders_page(request: Request) -> HTMLResponse:
        sight, wish = sheet.sight(request), sheet.wish(request)
        status = request.query_params.get("status", "")
        view = orders(sight, (status,) if status else (), wish)
        return sheet.show(
            request,
            "orders.html",
            sight,
            view=view,
            links=links_of(request, view.rows),
            statuses=STATUSES,
            quality=execution(sight) if wish.before is None else None,
        )

    @made.get("/ledger")
    def ledger_page(request: Request) -> HTMLResponse:
        sight, chosen = sheet.sight(request), _ledger_filter(request)
        view = ledger(sight, chosen, sheet.wish(request))
        return sheet.show(
            request,
            "ledger.html",
            sight,
            view=view,
            links=links_of(request, view.rows),
            kinds=[kind.value for kind in EntryKind],
            is_filtered=chosen != LedgerFilter(),
        )

    return made


def _order_of(tale: Tale) -> OrderRow | None:
    """The order of a decision as the list of orders shows it."""
    fate = tale.fate
    if fate is None:
        return None
    listed = ListedOrder(Place(fate.order.created_ns, 0), fate.order, "", fate.outcome, fate.decimals)
    return order_row(listed, tale.name)


def _period(request: Request) -> Period:
    text = request.query_params.get("period", Period.ALL.value)
    try:
        return Period(text)
    except ValueError:
        words = ", ".join(period.value for period in Period)
        raise UsageError("there is no such period", hint=f"one of: {words}") from None


def _filter(request: Request) -> DecisionFilter:
    """Raises UsageError for words that the lists do not know."""
    asked = request.query_params
    side, accepted = asked.get("side", ""), asked.get("accepted", "")
    try:
        chosen_side = TradeSide(side) if side else None
    except ValueError:
        raise UsageError("there is no such side", hint="buy or sell") from None
    if accepted not in ("", "true", "false"):
        raise UsageError("`accepted` is true or false", hint="leave it out for both")
    chosen = None if not accepted else accepted == "true"
    return DecisionFilter(chosen, chosen_side, asked.get("address", "").strip(), asked.get("policy", ""))


def _ledger_filter(request: Request) -> LedgerFilter:
    """Raises UsageError for words that the ledger does not know."""
    asked = request.query_params
    kind, since = asked.get("kind", ""), asked.get("since", "")
    try:
        chosen = EntryKind(kind) if kind else None
    except ValueError:
        raise UsageError(
            "there is no such kind", hint=f"one of: {', '.join(each.value for each in EntryKind)}"
        ) from None
    if since and not (since.isascii() and since.isdecimal() and len(since) < 20):
        raise UsageError("that is no moment", hint="`since` is a time in nanoseconds")
    return LedgerFilter(chosen, asked.get("asset", "").strip(), asked.get("order", "").strip(), int(since or 0))


def _dollars(sight: Sight) -> Dollars | None:
    price = sol_price(sight.settings, sight.books.database, sight.as_of_ns)
    return None if price.usd is None else Dollars(price.usd, price.source)
