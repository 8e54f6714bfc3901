"""The report: the same figures as ``--json``, nothing from outside, and names of strangers stay text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from pumpswap.analytics import report as report_module
from pumpswap.analytics.charts import MOST_POINTS, PALETTES, equity_figure, slippage_figure, thinned
from pumpswap.analytics.record import RunRecord
from pumpswap.analytics.report import MOST_ROWS, ReportInput, render_report, write_report
from pumpswap.analytics.summary import summarise
from pumpswap.model import EquityPoint, MarketUpdate
from pumpswap.units import format_units
from tests.support.market import SOL, START_NS, always, engine, feed, graduate, moved, seen, settings

EVIL = '<script>alert(1)</script><img src=x onerror="alert(2)">\u202e\x00\ud800' + "long " * 100
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """What a reader of the page gets: figures by path, visible text, scripts, tags with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.figures: list[tuple[str, str, str]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.rows: list[list[str]] = []
        self.text = self.style = ""
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()
        assert self._open == []  # every element is closed, in order

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in VOID:
            return
        self._open.append((tag, dict(attrs)))
        if tag == "data" and "data-figure" in dict(attrs):
            self.figures.append((str(dict(attrs)["data-figure"]), str(dict(attrs)["value"]), ""))
        elif tag == "script":
            self.scripts.append((dict(attrs), ""))
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag
        if tag in ("td", "th", "dt", "dd", "p", "h3"):
            self.text += " "

    def handle_data(self, data: str) -> None:
        inside, attrs = self._open[-1] if self._open else ("", {})
        if inside == "script":
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
            return
        if inside == "style":
            self.style += data
            return
        self.text += data
        if "data-figure" in attrs:
            path, value, text = self.figures[-1]
            self.figures[-1] = (path, value, text + data)
        if any(tag in ("td", "th") for tag, _ in self._open):
            self.rows[-1][-1] += data

    def json(self, identifier: str) -> Any:
        return json.loads(next(text for attrs, text in self.scripts if attrs.get("id") == identifier))

    def plain(self) -> str:
        return " ".join(self.text.split())


def ran(*updates: MarketUpdate, signaller: Any = None, **sections: Any) -> ReportInput:
    """A small run through the real engine, ready to be reported."""
    record = RunRecord()
    made = engine(signaller, settings(**sections), [record])
    made.run(feed(*updates), START_NS, 50 * SOL)
    summary = summarise(record, made.portfolio, made.parts.venue.wallet.balances())
    return ReportInput(
        title="A run",
        subtitle="three pools",
        record=record,
        summary=summary,
        assumptions=("Fees: the `newest` schedule.",),
        next_steps=("pumpswap demo", "read `docs/`"),
        command="pumpswap demo --seed 7",
    )


def eventful(name: str = "COIN / SOL") -> ReportInput:
    """A gain, a loss, an order that slipped too far, refusals, and a position whose pool was not seen for a day."""
    winner, loser, jumper, silent = (graduate(number) for number in (1, 2, 3, 4))
    return ran(
        seen(winner, 0, scored=True, name=name),
        seen(winner, 2, scored=True, name=name),
        seen(loser, 3, scored=True, name="LOSER / SOL"),
        seen(loser, 5),
        seen(jumper, 6, scored=True, name="JUMPER / SOL"),
        seen(moved(jumper, 30), 6.5),
        seen(silent, 9, scored=True, name="SILENT / SOL"),
        seen(moved(winner, 150), 30),
        seen(moved(winner, 149), 32),
        seen(moved(loser, -60), 40),
        seen(moved(loser, -62), 41),
        seen(graduate(5), 97_240),
    )


@pytest.fixture(scope="module")
def busy() -> ReportInput:
    return eventful()


@pytest.fixture(scope="module")
def page(busy: ReportInput) -> Page:
    return Page(render_report(busy))


def flat(figures: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in figures.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return found


def shown(path: str, value: Any) -> set[str]:
    """The ways in which a figure may be written."""
    if "lamports" in path:
        units = int(value)
        ways = {format_units(units, 9), format_units(units, 9, signed=True), f"{units / 10**9:.9f}"}
        ways |= {f"{sign * units / 10**9:+.9f}" for sign in (1, -1)}
        return {way.replace("-", "−") for way in ways}
    if isinstance(value, float):
        return {f"{100 * value:.2f}\u00a0%".replace("-", "−"), f"{100 * value:+.2f}\u00a0%".replace("-", "−")}
    return {f"{value:,}"} if isinstance(value, int) and not isinstance(value, bool) else {str(value), ""}


def test_every_figure_of_the_page_is_the_figure_of_json(busy: ReportInput, page: Page) -> None:
    figures = flat(busy.summary.to_json())
    assert busy.summary.fills == 5
    for path, value, text in page.figures:
        expected = figures[path]
        assert value == (str(expected).lower() if isinstance(expected, bool) else str(expected)), path
        assert text in shown(path, expected), path
    missing = {path for path in figures if not path.startswith("balances.")} - {path for path, _, _ in page.figures}
    assert missing == {"started_ns", "finished_ns"}  # these are shown as times
    assert page.json("summary") == busy.summary.to_json()


def test_the_headline_says_what_happened_in_one_sentence(busy: ReportInput, page: Page) -> None:
    change = busy.summary.equity_change_lamports
    share = f"{100 * change / busy.summary.start_lamports:+.2f} %"
    assert change > 0
    assert f"Gained {format_units(change, 9)} SOL ({share}) " in page.plain()
    assert "on 50 SOL of play money: 5 trades, 2 rounds closed, 1 won, 1 still open." in page.plain()
    assert "None of this was real money." in page.plain()


def test_the_sum_is_shown_with_all_digits_and_adds_up(page: Page) -> None:
    text = page.plain()
    happened = re.search(
        r"What happened Start (\S+) .*? sales (\S+) .*? held (\S+) .*? orders (\S+) End, SOL (\S+)", text
    )
    there = re.search(r"What is there Cash (\S+) Positions, if sold (\S+) Rent deposits (\S+) End, SOL (\S+)", text)
    assert happened
    assert there
    for found in (happened, there):
        *parts, end = (int(part.replace("−", "-").replace(".", "").replace(",", "")) for part in found.groups())
        assert sum(parts) == end


def test_the_worst_loss_and_the_best_gain_are_explained(page: Page) -> None:
    text = page.plain()
    assert "LOSER / SOL lost" in text
    assert "COIN / SOL earned" in text
    assert text.count("Sold because: stop-loss") == 1
    for row in (row for row in page.rows if row[0].startswith(("The price", "Venue fees", "Network signatures"))):
        assert re.fullmatch(r"[+−]?[\d.]+", row[-1])


def test_an_old_mark_is_called_old(page: Page) -> None:
    assert "1 d 3 h old: not a price you could get now" in page.plain()
    assert "Part of this is an estimate." in page.plain()
    assert "Marked at an old state: 1 of 1." in page.plain()


def test_a_rejected_order_names_the_code_of_the_program(busy: ReportInput, page: Page) -> None:
    ((_, rejected),) = busy.record.rejections
    assert f"{rejected.code} {rejected.name}" in page.plain()


def test_every_fill_is_shown_with_what_was_quoted_and_how_long_it_took(busy: ReportInput, page: Page) -> None:
    fills = [row for row in page.rows if len(row) == 8 and row[3] == "1.2\u00a0s"]
    assert [row[1] for row in fills] == [trade.order.side.value for trade in busy.record.trades]
    assert [row[5] == row[6] for row in fills] == [True, True, True, True, False]


def test_refusals_and_sizing_are_told_with_their_numbers(busy: ReportInput, page: Page) -> None:
    text = page.plain()
    assert busy.summary.refused_by_policy == {"one position": 1}
    assert "one position this pool is held already" in text
    assert all(step.rule.capitalize() in text for step in busy.record.accepted[0].sizing)
    assert all(verdict.text in text for verdict in busy.record.accepted[0].verdicts)


def test_nothing_is_loaded_from_anywhere(page: Page) -> None:
    for tag, attrs in page.tags:
        for name in ("src", "srcset", "href", "action", "data", "poster", "background", "ping"):
            assert attrs.get(name) is None or str(attrs[name]).startswith(("#", "data:")), (tag, attrs)
        assert not any(name.startswith("on") for name in attrs), (tag, attrs)
    assert "://" not in page.text + page.style
    assert "url(" not in page.style
    assert "@import" not in page.style
    assert not {"iframe", "object", "embed", "form", "base"} & {tag for tag, _ in page.tags}


def test_only_the_two_scripts_of_the_page_may_run(page: Page) -> None:
    policy = next(str(a["content"]) for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    running = [text for attrs, text in page.scripts if "type" not in attrs]
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in running]
    assert len(running) == 2
    assert "default-src 'none'" in policy
    assert re.findall(r"sha256-([\w+/=]+)", policy) == hashes
    assert sum("Plotly" in text and len(text) > 1_000_000 for _, text in page.scripts) == 1


def test_names_of_strangers_stay_text() -> None:
    html = render_report(eventful(name=EVIL))
    evil = Page(html)
    assert "<script>alert" not in html
    assert not any(tag == "img" for tag, _ in evil.tags)
    assert len([text for attrs, text in evil.scripts if "type" not in attrs]) == 2
    assert "<script>alert(1)</script><img src=x" in evil.text
    assert "\x00" not in html
    assert max(len(str(attrs.get("title", ""))) for tag, attrs in evil.tags if tag == "bdi") <= 120
    told = json.dumps(evil.json("figure-equity"))
    assert "<script" not in told  # plotly reads some HTML in its texts
    assert "&lt;script&gt;" in told


def test_a_run_without_trades_has_a_report_too() -> None:
    page = Page(render_report(ran(seen(graduate(), 0, scored=True), seen(graduate(), 90), signaller=always(20.0))))
    text = page.plain()
    assert "Made no trade: 1 decision, 1 refusal, and 50 SOL of play money stayed untouched." in text
    assert "No order was filled." in text
    assert "No round was closed." in text
    assert "Nothing was held at the end." in text
    assert "signal score 20.0 is below 75" in text


def test_a_run_of_a_single_moment_draws_nothing() -> None:
    page = Page(render_report(ran()))
    assert "there is no curve to draw" in page.plain()
    assert not any(str(attrs.get("id", "")).startswith("figure-") for attrs, _ in page.scripts)


def test_a_run_without_a_loss_says_so() -> None:
    start = graduate()
    page = Page(
        render_report(
            ran(seen(start, 0, scored=True), seen(start, 2), seen(moved(start, 150), 30), seen(moved(start, 150), 40))
        )
    )
    assert "No round ended with a loss." in page.plain()
    assert "The best gain, explained" in page.plain()


def test_long_tables_are_capped_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_module, "MOST_ROWS", 5)
    updates: list[MarketUpdate] = []
    for number in range(1, 21):
        updates.append(seen(graduate(number), 3 * number, scored=True, name=f"COIN{number}"))
        updates.append(seen(graduate(number), 3 * number + 2))
    page = Page(render_report(ran(*updates, risk={"max_open_positions": 100, "max_trades_per_minute": 100})))
    assert MOST_ROWS == 200
    assert "15 more positions are not shown here: these are the 5 with the highest cost" in page.plain()
    assert "15 more fills are not shown here" in page.plain()


def test_the_same_run_gives_the_same_bytes_in_a_single_file(tmp_path: Path, busy: ReportInput) -> None:
    first, second = tmp_path / "new" / "first.html", tmp_path / "second.html"
    assert write_report(first, busy) == first
    write_report(second, eventful())
    assert first.read_bytes() == second.read_bytes()
    assert [path.name for path in first.parent.iterdir()] == ["first.html"]


def test_a_report_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, busy: ReportInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "report.html"
    path.write_text("before")

    def full(self: Path, _: bytes) -> int:
        self.touch()
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="no space left"):
        write_report(path, busy)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


# ---------------------------------------------------------------------------------------------------- charts


def painted(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("$"):
        return PALETTES["light"][value[1:]]
    if isinstance(value, dict):
        return {name: painted(one) for name, one in value.items()}
    return [painted(one) for one in value] if isinstance(value, list) else value


def test_charts_are_figures_that_plotly_accepts(busy: ReportInput) -> None:
    record = busy.record
    equity = go.Figure(painted(equity_figure(record.equity, record.trades, record.names)))
    slippage = go.Figure(painted(slippage_figure(record.equity, record.trades, record.names)))
    assert [len(trace.x) for trace in equity.data if trace.mode == "markers"] == [3, 1, 1]
    assert [len(trace.x) for trace in slippage.data] == [3, 2]


def walk(points: int) -> Sequence[EquityPoint]:
    worth = 50 * SOL
    made = []
    for index in range(points):
        worth += (index * 7_919 % 2_003 - 1_001) * 10_000
        made.append(EquityPoint(START_NS + index * SOL, worth, 0, 0))
    return made


def test_a_long_curve_is_thinned_and_keeps_its_extremes() -> None:
    points = list(walk(100_000))
    points[43_210] = EquityPoint(points[43_210].at_ns, 3 * SOL, 0, 0)
    points[77_777] = EquityPoint(points[77_777].at_ns, 300 * SOL, 0, 0)
    equity, *_, fall = equity_figure(points, [], {})["data"]
    assert len(equity["x"]) <= MOST_POINTS
    assert (min(equity["y"]), max(equity["y"])) == (3.0, 300.0)
    assert (equity["y"][0], equity["y"][-1]) == (points[0].equity_lamports / SOL, points[-1].equity_lamports / SOL)
    assert min(fall["y"]) < -90
    assert equity["x"] == sorted(equity["x"])


def test_thinning_keeps_the_ends() -> None:
    assert thinned([1, 2, 3], 3) == [1, 2, 3]
    assert thinned(range(1_000), 10)[0] == 0
    assert thinned(range(1_000), 10)[-1] == 999
    assert len(thinned(range(1_000), 10)) == 10


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("role", ["ink", "muted", "accent", "gain", "loss"])
def test_text_can_be_read_on_its_background(theme: str, role: str) -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lights = sorted(luminance(PALETTES[theme][name]) for name in (role, "page"))
    assert (lights[1] + 0.05) / (lights[0] + 0.05) >= 4.5
