"""The page of a tear sheet: the figures of ``--json``, right for every size of account, harmless whatever a coin is
called.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from pumpswap.analytics.charts import PALETTES
from pumpswap.analytics.tear_sheet import TearSheet, sheet_json
from pumpswap.analytics.tear_sheet.page import MOST_ROWS, MOST_SLICES, render_tear_sheet, write_tear_sheet
from pumpswap.analytics.tear_sheet.words import headline
from pumpswap.model import TradeSide
from pumpswap.storage.fills import UnfilledRow
from tests.analytics.tear_sheet.accounts import SOL, START, Trip, account, random_trips
from tests.analytics.test_report import EVIL, Page

LOSING = [Trip(back=SOL - (number + 2) * SOL // 20, name=f"COIN{number}") for number in range(6)]
ACCOUNTS: dict[str, Callable[[], TearSheet]] = {
    "empty": lambda: account([]),
    "one open": lambda: account([Trip(back=None, value=SOL + SOL // 10)], usd="150"),
    "one loss": lambda: account([Trip(back=SOL // 2)]),
    "losing": lambda: account(LOSING, usd="150", kind="live"),
    "many": lambda: account(random_trips(300), usd="150"),
}


@cache
def sheet_of(name: str) -> TearSheet:
    return ACCOUNTS[name]()


@cache
def page_of(name: str) -> Page:
    """Its page, which is drawn and read once: most of it is the library of its charts."""
    return Page(render_tear_sheet(sheet_of(name)))


def plain(value: Any, prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, each in value.items():
        found |= plain(each, f"{prefix}{name}.") if isinstance(each, dict) else {f"{prefix}{name}": each}
    return found


@pytest.mark.parametrize("name", ACCOUNTS)
def test_every_figure_of_the_page_is_one_of_the_json(name: str) -> None:
    sheet, page = sheet_of(name), page_of(name)
    figures = plain(sheet_json(sheet))
    assert len(page.figures) >= 20
    for path, value, text in page.figures:
        assert value == ("" if figures[path] is None else str(figures[path])), path
        assert text
    embedded = page.json("summary")
    assert embedded["money"] == sheet_json(sheet)["money"]


@pytest.mark.parametrize("name", ACCOUNTS)
def test_the_page_needs_nothing_from_outside_and_runs_only_its_own_scripts(name: str) -> None:
    page = page_of(name)
    for tag, attrs in page.tags:
        assert not ({"src", "srcset", "action"} & set(attrs)), tag
        assert all(not attribute.startswith("on") for attribute in attrs), tag
        assert not str(attrs.get("href", "#")).startswith(("http", "//", "javascript")), tag
    policy = next(str(attrs["content"]) for tag, attrs in page.tags if attrs.get("http-equiv"))
    assert "default-src 'none'" in policy
    for attrs, text in page.scripts:
        if attrs.get("type") != "application/json":
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy


@pytest.mark.parametrize("name", ACCOUNTS)
def test_every_chart_that_the_page_shows_is_a_plotly_figure(name: str) -> None:
    page = page_of(name)
    shown = [attrs["data-chart"] for _, attrs in page.tags if "data-chart" in attrs]
    made = [str(attrs["id"])[7:] for attrs, _ in page.scripts if str(attrs.get("id")).startswith("figure-")]
    assert sorted(map(str, shown)) == sorted(made)
    for chart in made:
        text = json.dumps(page.json(f"figure-{chart}"))
        for role, colour in PALETTES["light"].items():
            text = text.replace(f'"${role}"', f'"{colour}"')
        assert '"$' not in text
        go.Figure(json.loads(text))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("empty", "Nothing was traded, and nothing was held."),
        ("one open", "Gained 0.099995 SOL (+0.20 %) after every cost: 1 fill, no round closed yet, 1 still open."),
        ("one loss", "Lost 0.50001 SOL (−1.00 %) after every cost: 2 fills, 1 round closed, 0 won."),
        ("losing", "Lost 1.35006 SOL (−2.70 %) after every cost: 12 fills, 6 rounds closed, 0 won."),
    ],
)
def test_the_result_is_one_true_sentence(name: str, said: str) -> None:
    assert headline(sheet_of(name)).replace("\u00a0", " ") == said


def test_an_empty_account_has_no_charts_no_tables_of_costs_and_says_why_there_are_no_ratios() -> None:
    page = page_of("empty")
    assert not [attrs for _, attrs in page.tags if "data-chart" in attrs]
    assert len(render_tear_sheet(sheet_of("empty"))) < 100_000  # nor a library to draw them with
    for said in ("Nothing was traded, so nothing was paid.", "No order was filled.", "no round was closed"):
        assert said in page.plain()
    assert "Costs by kind" not in page.plain()
    assert "nan" not in page.plain().lower().split()


def test_dollars_stand_beside_sol_or_it_says_why_not() -> None:
    known, unknown = page_of("losing"), page_of("one loss")
    assert "−$202.51" in known.plain()  # 1.35006 SOL
    assert "one SOL is taken as $150.00, by the test" in known.plain()
    assert "$" not in unknown.plain().replace("$(", "")
    assert "No dollars: the test." in unknown.plain()


def test_only_real_money_is_called_so() -> None:
    assert "None of this was real money." not in page_of("losing").plain()
    assert "None of this was real money." in page_of("many").plain()
    practice = account(LOSING, kind="live")
    on_localnet = TearSheet(
        **{name: getattr(practice, name) for name in TearSheet.__slots__}
        | {"account": type(practice.account)(3, "live", "localnet", None)}
    )
    assert "they have no price" in Page(render_tear_sheet(on_localnet)).plain()


def test_a_long_account_shows_the_weightiest_and_says_what_it_leaves_out() -> None:
    sheet = account(random_trips(MOST_ROWS + 41, seed=3))
    page = Page(render_tear_sheet(sheet))
    assert "41 more rounds are not shown here" in page.plain()
    assert f"{MOST_ROWS + 41 - MOST_SLICES} more between the best 10 and the worst 10" in page.plain()
    gains = sorted((abs(one.gain_lamports) for one in sheet.performance.by_position), reverse=True)
    shown = [row for row in page.rows if len(row) == 9 and "follow-signals" in row]
    assert len(shown) == MOST_ROWS
    assert len(gains) == MOST_ROWS + 41


def test_a_page_does_not_grow_with_its_account() -> None:
    small, large = (len(render_tear_sheet(account(random_trips(count)))) for count in (500, 15_000))
    assert large < small + 400_000


def test_a_name_of_a_stranger_is_text_wherever_it_stands() -> None:
    sheet = account([Trip(name=EVIL, back=SOL // 2), Trip(name=EVIL, back=None), Trip(name="", back=2 * SOL)])
    html = render_tear_sheet(sheet)
    page = Page(html)
    assert "<script>alert" not in html
    assert "<img" not in html
    assert escape("<script>alert(1)</script>", quote=False) in html
    assert not [tag for tag, _ in page.tags if tag == "img"]
    names = [attrs for tag, attrs in page.tags if tag == "bdi"]
    assert names and all(attrs["class"] == "coin" for attrs in names)
    for chart in (attrs for attrs, _ in page.scripts if str(attrs.get("id")).startswith("figure-")):
        assert "alert(" not in json.dumps(page.json(str(chart["id"])))


def test_orders_that_traded_nothing_are_counted_by_reason() -> None:
    failed = [
        UnfilledRow(f"o{n}", TradeSide.SELL, "p", START, START + 1, "rejected", "ExceededSlippage") for n in (1, 2)
    ]
    sheet = account([Trip()], unfilled=[*failed, UnfilledRow("o3", TradeSide.BUY, "p", START, None, "pending", "")])
    page = Page(render_tear_sheet(sheet))
    assert ["ExceededSlippage", "sell", "rejected by the program", "2"] in page.rows
    assert ["–", "buy", "on its way", "1"] in page.rows
    assert sheet.execution.fill_rate == 0.5  # two of four that have ended; the one on its way has not


def test_the_same_account_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "deep" / "first.html", tmp_path / "second.html"
    for path in (first, second):
        assert write_tear_sheet(path, account(random_trips(20), usd="150")) == path
    assert first.read_bytes() == second.read_bytes()
    assert [path.name for path in first.parent.iterdir()] == ["first.html"]


def test_each_price_says_what_its_line_is() -> None:
    sheet = sheet_of("one loss")
    (path,) = sheet.prices
    both = replace(sheet, prices=[replace(path, name="SPOT"), replace(path, name="MARKED", is_spot=False)])
    plain = " ".join(Page(render_tear_sheet(both)).plain().split())
    spot, marked = plain.index("SPOT"), plain.index("MARKED")
    assert spot < plain.index("— price of the pool") < marked
    assert marked < plain.index("— what a sale of ours would have brought")
