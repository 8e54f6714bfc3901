"""Every page beside an engine that trades: what it shows, how it stays new, and what can be done from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Route, expect

from pumpswap.app.views.decisions import decisions
from pumpswap.app.views.orders import execution, orders
from pumpswap.app.views.overview import Overview, overview
from pumpswap.model import TradingState
from tests.web.browser.session import DESK, NIGHT, PHONE, Session, Watched, until

Opened = Callable[..., Watched]

PAGES = ("/", "/positions", "/positions?closed=1", "/decisions", "/decisions?accepted=false", "/decisions/refused",
         "/orders", "/ledger",
         "/ledger?asset=SOL", "/ledger?kind=lp_fee", "/pools",
         "/signals", "/reports", "/alerts", "/alerts?unseen=1", "/health", "/settings", "/settings?changed=1",
         "/ask/exits-only", "/ask/close-all")  # fmt: skip


def held(session: Session) -> None:
    """Wait for the first purchases: then every page has something to show."""
    until(lambda: session.holds() > 0, "something is held")


def test_night_is_dark_and_a_choice_is_kept(session: Session, opened: Opened) -> None:
    def ground(watched: Watched) -> str:
        return str(watched.page.evaluate("getComputedStyle(document.body).backgroundColor"))

    watched = opened(session.url, **NIGHT)
    watched.open("/health")
    assert ground(watched) == "rgb(20, 23, 26)"
    watched.page.get_by_role("button", name="Light: auto").click()
    assert ground(watched) == "rgb(251, 250, 247)"
    watched.open("/health")
    assert ground(watched) == "rgb(251, 250, 247)"
    expect(watched.page.get_by_role("button", name="Light: light")).to_be_visible()


def test_a_page_stays_new_by_itself_and_disturbs_nobody(session: Session, opened: Opened) -> None:
    watched = opened(session.url)
    page = watched.open("/decisions")
    page.get_by_label("Pool or coin").fill("abc")
    page = watched.open("/health")
    page.evaluate("window.isThis = 'the same page'")
    page.locator("#commands").focus()
    before = watched.value("events")
    until(lambda: watched.value("events") > before, "the engine's count of events goes on in the page")
    assert page.evaluate("window.isThis") == "the same page"
    assert before < watched.value("events") <= session.sight().heartbeat.events  # type: ignore[union-attr]


def test_what_is_focused_stays_focused_when_rows_come(session: Session, opened: Opened) -> None:
    page = opened(session.url).open("/settings")
    added = "<li><a href='/new'>new</a></li>"

    def with_a_row_more(route: Route) -> None:
        if "x-live" not in route.request.headers:
            route.continue_()
            return
        answer = route.fetch()
        head, mark, rest = answer.text().partition('<ul id="pages" data-live>')
        route.fulfill(response=answer, body=head + mark + added + rest)

    page.get_by_role("link", name="Orders").focus()
    page.route("**/settings", with_a_row_more)
    expect(page.get_by_role("link", name="new")).to_be_visible(timeout=60_000)
    assert page.evaluate("document.activeElement.textContent.trim()") == "Orders"
    page.unroute_all(behavior="ignoreErrors")  # an answer that is on its way would break the next test


def test_all_can_be_done_with_the_keyboard(session: Session, opened: Opened) -> None:
    page = opened(session.url).open("/positions")

    def focused() -> str:
        return str(page.evaluate("document.activeElement.textContent").strip())

    page.keyboard.press("Tab")
    assert focused() == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    exits = page.get_by_role("link", name="Exits only")
    exits.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Buy nothing more?")).to_be_visible()
    assert focused() == "Leave it as it is"  # the harmless answer comes first
    page.keyboard.press("Tab")
    assert focused() == "Exits only"
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert session.sight().books.run.states.switch().trading is TradingState.ACTIVE


def test_exits_only_asks_then_holds_and_is_recorded_until_somebody_resumes(session: Session, opened: Opened) -> None:
    page = opened(session.url).open("/positions")
    switch = session.sight().books.run.states.switch
    page.get_by_role("link", name="Exits only").click()
    page.get_by_role("button", name="Leave it as it is").click()
    assert switch().trading is TradingState.ACTIVE
    page.get_by_role("link", name="Exits only").click()
    page.get_by_role("dialog").get_by_role("button", name="Exits only").click()
    expect(page.locator("#told-notice")).to_contain_text("exits only")
    expect(page.locator("#state")).to_have_text("exits-only")
    expect(page).to_have_url(f"{session.url}positions")
    assert switch().trading is TradingState.EXITS_ONLY
    command = session.sight().books.run.commands.newest(1)[0]
    assert command.verb.value == "exits-only" and command.origin.startswith("dashboard 127.0.0.1")
    page.get_by_role("link", name="Resume").click()
    page.get_by_role("dialog").get_by_role("button", name="Resume").click()
    expect(page.locator("#told-notice")).to_contain_text("resumed")
    assert switch().trading is TradingState.ACTIVE


def test_every_page_by_day_by_night_and_on_a_phone(session: Session, opened: Opened, pictures: Path | None) -> None:
    held(session)
    row = orders(session.sight()).rows.items[0]
    paths = (*PAGES, f"/pools/{row.pool}", f"/decisions/{row.decision_id}")
    with_charts = ("/", paths[-2])
    for name, light, shown in (("day", DESK, paths), ("phone", PHONE, paths), ("night", NIGHT, with_charts)):
        watched = opened(session.url, **light)
        for path in shown:
            page = watched.open(path)
            assert page.title().endswith("· pumpswap"), path
            expect(page.locator("main h1")).to_have_count(1)
            expect(page.locator("nav[aria-label=Pages] [aria-current=page]")).to_have_count(
                0 if path.startswith("/ask/") else 1
            )
            expect(page.locator(".actions a")).to_have_text(["Exits only", "Close all"])
            assert not watched.is_wider_than_its_window(), (name, path)
            for chart in page.locator("[data-chart]").all():
                expect(chart.locator(".main-svg").first).to_be_visible()
            if pictures is not None:
                page.screenshot(path=pictures / f"{name}{path.replace('/', '-').replace('?', '-')[:24]}.png")
        watched.page.context.close()  # an open page asks on, and the next ones wait for their answers


def test_the_figures_of_the_overview_are_those_of_the_books(session: Session, opened: Opened) -> None:
    held(session)
    watched = opened(session.url)

    def shown() -> tuple[int, ...]:
        watched.open("/")
        names = ("equity", "pnl", "day_pnl", "day_costs", "open", "value", "unrealised", "realised", "cash")
        return tuple(map(watched.value, names))

    def known(view: Overview) -> tuple[int | None, ...]:
        money, sums = view.money, view.positions
        costs = sum(money.day_costs.values())
        earned = (money.equity_lamports, money.pnl_lamports, money.day_pnl_lamports, costs)
        return (*earned, sums.open, sums.value_lamports, money.unrealised_lamports, money.realised_lamports,
                money.cash_lamports)  # fmt: skip

    def agree() -> bool:
        """What is compared must not have changed between two looks."""
        before, told, after = known(overview(session.sight())), shown(), known(overview(session.sight()))
        return before == told == after

    until(agree, "page and books agree")


def test_lists_have_the_rows_of_the_books(session: Session, opened: Opened) -> None:
    held(session)
    watched = opened(session.url)
    watched.open("/orders")

    def counted() -> bool:
        before = len(orders(session.sight()).rows.items)
        watched.open("/orders")
        rows = watched.page.locator("#list tbody tr").count()
        return before == rows == len(orders(session.sight()).rows.items)

    until(counted, "the list has every order")
    watched.page.locator("#list a.behind").first.click()
    expect(watched.page.locator("main h1")).to_have_text("Ledger")
    shown = [int(str(one.get_attribute("value"))) for one in watched.page.locator("#list td.num data").all()]
    order = watched.page.get_by_label("Order").input_value()
    assert shown == [entry.units for entry in session.sight().books.run.books.of_order(order)][::-1] and shown
    costs = execution(session.sight()).costs
    until(lambda: watched.open("/orders") and watched.value("costs") >= sum(costs.values()) > 0, "costs are shown")
    accepted = next(row for row in decisions(session.sight()).rows.items if row.accepted)
    page = watched.open(f"/decisions/{accepted.decision_id}")
    expect(page.locator("h1")).to_contain_text(accepted.name.removesuffix(" / SOL"))
    expect(page.locator(".verdicts").first).to_contain_text("trading is active")


def test_without_javascript_everything_but_the_charts_is_there(session: Session, opened: Opened) -> None:
    held(session)
    watched = opened(session.url, java_script_enabled=False)
    page = watched.open("/")
    assert watched.value("equity") > 0
    expect(page.get_by_text("This chart needs JavaScript")).to_be_visible()
    page.get_by_role("link", name="Exits only").click()
    expect(page.get_by_role("heading", name="Buy nothing more?")).to_be_visible()
    page.get_by_role("button", name="Exits only").click()
    assert session.sight().books.run.states.switch().trading is TradingState.EXITS_ONLY
    page.get_by_role("link", name="Resume").click()
    page.get_by_role("button", name="Resume").click()
    assert session.sight().books.run.states.switch().trading is TradingState.ACTIVE


def test_close_all_sells_everything_and_an_alert_about_it_can_be_seen_to(session: Session, opened: Opened) -> None:
    held(session)
    page = opened(session.url).open("/positions")
    page.get_by_role("link", name="Close all").click()
    expect(page.get_by_role("dialog", name="Sell everything now?")).to_contain_text("play money")
    page.get_by_role("button", name="Sell all and buy nothing").click()
    expect(page.locator("#told-notice")).to_be_visible()
    until(lambda: session.holds() == 0, "everything is sold")
    expect(page.locator("#list")).to_have_text("Nothing is held.")
    page.goto(f"{session.url}alerts?unseen=1")
    row = page.locator("#list tbody tr").first
    number = int(str(row.get_attribute("id")).removeprefix("alert-"))
    row.get_by_role("button").click()
    expect(page.locator("#told-notice")).to_contain_text("acknowledged")
    page.goto(f"{session.url}alerts")
    page.get_by_role("button", name="I have seen all of these").click()
    expect(page.locator("#told-notice")).to_contain_text("acknowledged")
    found = [one for one in session.sight().books.database.alerts.newest(500) if one.number == number]
    assert found[0].acknowledged_ns is not None and found[0].acknowledged_by.startswith("dashboard 127.0.0.1")
