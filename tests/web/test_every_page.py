"""Every page over books with something of everything in them, and over a run with nothing: none may break on a kind of
row that a paper session never makes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pumpswap.analytics.wording import duration_text
from pumpswap.app.views.reports import reports_folder
from pumpswap.clock import ManualClock
from pumpswap.model import Denied, ExitState, Heartbeat, Proposal, Rejected, RiskState, Unknown, WhatIf
from pumpswap.settings import Settings
from pumpswap.storage import Database, Run, open_database
from pumpswap.web.pages.rendering import environment
from tests.storage import samples
from tests.storage.maintenance import full_books
from tests.web.serving import served

NOW_NS = samples.NS + 26 * 3_600 * 10**9  # no sum of that day holds the largest numbers that there are
CLOCK = ManualClock(NOW_NS)
EMPTY = 2
Shown = Callable[..., Any]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = Settings(
        data_dir=tmp_path_factory.mktemp("full"), exits={"take_profit_ladder": [{"gain_bps": 2_000, "sell_bps": 2_500}]}
    )
    target = made.database_target
    assert isinstance(target, Path)
    with open_database(target) as database:
        fill(database, target)
    reports_folder(made).mkdir()
    (reports_folder(made) / "daily-1.html").write_text("<p>a report</p>")
    return made


@pytest.fixture(scope="module")
def shown(settings: Settings) -> Iterator[Shown]:
    """Asks for a page about a run."""
    with served(settings, clock=CLOCK) as client:
        yield lambda path, run_id=1: client.get(f"{path}{'&' if '?' in path else '?'}run={run_id}")


def fill(database: Database, target: Path) -> None:
    run = full_books.fill(database, target)
    ended(run, 3, Unknown("o000003", samples.NS + 5, "signature-unknown", 400_000_150))
    costs = samples.filled().costs
    ended(run, 4, Rejected("o000004", samples.NS + 5, 9, 6_004, "ExceededSlippage", "too little", costs, "s4"))
    ended(run, 5, Denied("o000005", samples.NS + 5, "expired", "its time was over"))
    ended(run, 6, None)
    enhanced = replace(samples.SIGNAL, source="q50+score", score=91.25, base_score=64.5)
    wish = replace(samples.decision(7).intent, signal=enhanced)
    run.save_decision(samples.decision(7, intent=wish, sizing=(), verdicts=()))
    run.proposals.save(Proposal("d000007", samples.POOL, samples.MINT, "TEST", 10**9, samples.NS, NOW_NS + 10**12))
    run.states.save_risk(RiskState(faults=(("feed", "it is silent"),)), samples.NS)
    run.states.save_exits(ExitState(samples.POOL, 1, entry_product=2**120, rungs=0), samples.NS)
    run.states.beat(Heartbeat(NOW_NS, samples.NS, 4711, "approve", parts={"ws": "ok, 0.4 s ago"}))
    for number, value in ((2, 12 * 10**8), (3, 9 * 10**8), (4, None)):
        measured = None if number == 4 else NOW_NS
        refused = WhatIf(f"d{number:06d}", f"Pool{number}", "M", "impact", samples.NS, 3_600, samples.NS + 9, 10**9, 5)
        run.what_ifs.save(replace(refused, measured_ns=measured, value_lamports=value))
    assert database.start_run("paper", samples.NS).run_id == EMPTY


def ended(run: Run, number: int, outcome: Unknown | Rejected | Denied | None) -> None:
    run.save_decision(samples.decision(number))
    run.save_order(samples.order(number))
    if outcome is not None:
        run.save_outcome(outcome)


PAGES = ("/", "/?period=day", "/positions", "/positions?closed=1", "/decisions", "/decisions?accepted=false", "/orders",
         "/orders?status=unknown", "/orders?status=pending", "/orders?status=rejected", "/orders?status=denied",
         "/decisions/refused",
         "/pools", "/signals", "/reports", "/alerts", "/alerts?unseen=1", "/health", "/settings", "/ledger",
         "/ledger?asset=SOL", "/ledger?kind=deposit", "/ask/exits-only", "/ask/resume", "/ask/close-all")  # fmt: skip
OF_FULL = (f"/pools/{samples.POOL}", "/ask/approve?decision=d000007", "/ask/decline?decision=d000007",
           "/ledger?asset=M", *(f"/decisions/d{number:06d}" for number in range(1, 8)))  # fmt: skip


@pytest.mark.parametrize("path", [*PAGES, *OF_FULL])
def test_every_page_of_books_with_everything(shown: Shown, path: str) -> None:
    answer = shown(path)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_a_run_in_which_nothing_has_happened(shown: Shown, path: str) -> None:
    answer = shown(path, EMPTY)
    assert answer.status_code == 200, answer.text


API = ("overview", "positions", "positions?closed=true", "decisions", "orders", "execution", "ledger", "proposals",
       "refused",
       "pools", "signals", "alerts", "health", "reports", "runs")  # fmt: skip


@pytest.mark.parametrize("path", [*API, f"pools/{samples.POOL}", *(f"decisions/d{n:06d}" for n in range(1, 8))])
def test_every_route_of_the_api_likewise(shown: Shown, path: str) -> None:
    assert shown(f"/api/v1/{path}").status_code == 200


def test_an_order_whose_outcome_is_unknown_says_until_when_it_may_land(shown: Shown) -> None:
    page = shown("/decisions/d000003").text
    assert "may land until height 400,000,150" in page and "signature-unknown" in page
    (row,) = shown("/api/v1/orders?status=unknown").json()["rows"]["items"]
    assert (row["status"], row["took_ns"], row["signature"]) == ("unknown", None, "signature-unknown")


def test_an_entry_leads_to_the_decision_of_its_order_and_of_upkeep_to_its_own_entries() -> None:
    made = environment().from_string("{{ 'w000001' is chore }} {{ 'o000001' is chore }} {{ 'l000001' is chore }}")
    assert made.render() == "True False False"


def test_a_fill_says_when_it_was_seen(shown: Shown) -> None:
    (row,) = (one for one in shown("/api/v1/orders?status=filled").json()["rows"]["items"] if one["took_ns"])
    page = shown(f"/decisions/{row['decision_id']}").text
    assert f"seen {duration_text(int(row['took_ns']))} after the decision" in page


def test_a_difference_that_nothing_explains_is_shown_with_its_asset(shown: Shown) -> None:
    page = shown("/health").text
    assert "-1,180,591,620,717,411,303,424 raw units" in page and "pumpswap reconcile" in page
    told = shown("/api/v1/health").json()["reconciliation"]["differences"]
    assert told == {"M": str(-(2**70))}


def test_what_refused_buys_would_have_earned_is_told_by_rule(shown: Shown) -> None:
    whole, rule = shown("/api/v1/refused").json()["rows"]
    assert (whole["rule"], rule["rule"]) == ("", "impact")
    for one in (whole, rule):
        assert (one["followed"], one["measured"], one["waiting"], one["gain_lamports"]) == (3, 2, 1, "100000000")
        assert one["mean_return"]["value"] == pytest.approx(0.05)
    page = shown("/decisions/refused").text
    assert 'href="/decisions?policy=impact&amp;run=1"' in page and '<data value="100000000"' in page


def test_base_and_enhanced_score_stand_side_by_side(shown: Shown) -> None:
    told = shown("/api/v1/signals").json()
    both, other = told["by_source"]["q50+score"], told["by_source"]["base"]
    assert (both["mean_score"], both["mean_base_score"], other["mean_base_score"]) == (91.25, 64.5, None)
    assert told["pools"][0]["base_score"] == 64.5
    page = shown("/signals").text
    assert "Mean base score" in page and '<th scope="col" class="num">Base score</th>' in page and "base 64.5" in page
    assert "Base score</th>" not in shown("/signals", EMPTY).text


def test_a_report_is_listed_with_the_command_that_writes_one_there(settings: Settings, shown: Shown) -> None:
    page = shown("/reports").text
    assert "daily-1" in page and str(reports_folder(settings)) in page
    for file in reports_folder(settings).iterdir():
        file.rename(file.with_suffix(".kept"))
    empty = shown("/reports").text
    assert "<code>pumpswap report --html</code> (without a name)" in empty
    for file in reports_folder(settings).iterdir():
        file.rename(file.with_suffix(".html"))


def test_everybody_can_leave_where_a_token_is_asked_for(tmp_path: Path) -> None:
    guarded = Settings(data_dir=tmp_path, dashboard={"token": "sesame-open-sesame-open"})
    target = guarded.database_target
    assert isinstance(target, Path)
    with open_database(target) as database:
        full_books.fill(database, target)
    with served(guarded, clock=CLOCK) as client:
        client.post("/login", data={"token": "sesame-open-sesame-open"})
        page = client.get("/health").text
        left = client.post("/logout", data={"csrf": form_word(page)}, follow_redirects=False)
        assert (left.status_code, left.headers["location"]) == (303, "/login")
        assert client.get("/health", follow_redirects=False).status_code == 303


def form_word(page: str) -> str:
    form = re.search(r'<form[^>]*action="/logout">.*?name="csrf" value="([^"]+)"', page, re.S)
    assert form is not None
    return form[1]


def test_nobody_need_leave_where_nobody_is_asked(shown: Shown) -> None:
    assert "/logout" not in shown("/health").text
