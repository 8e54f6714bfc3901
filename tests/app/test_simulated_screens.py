"""A simulated market's coins are screened by the real rules; the preset for newcomers trades there."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from pumpswap.app.run import RunResult, run_paper
from pumpswap.app.run_order import RunOrder
from pumpswap.app.run_parts import RunOptions
from pumpswap.app.setup import Answers, settings_text
from pumpswap.app.simulated_screens import SimulatedScreens
from pumpswap.clock import NS_PER_SECOND
from pumpswap.market.book import PoolBook
from pumpswap.market.simulated_cast import PoolKind, Story
from pumpswap.market.simulator import MarketSimulator
from pumpswap.model import ScreenReport, ScreenVerdict
from pumpswap.settings import ScreenSettings, Settings, load_settings
from tests.support.market import START_NS


def reports(seed: int) -> dict[tuple[Story, PoolKind], ScreenReport]:
    """Of every coin, after the first half of a market."""
    book, half = PoolBook(), START_NS + 900 * NS_PER_SECOND
    market = MarketSimulator(book, seed=seed, start_ns=START_NS)
    screens = SimulatedScreens(market, book, ScreenSettings(), lambda: half)
    for update in screens.hearing(market.updates()):
        if update.at_ns > half:
            break
        book.apply(update)
    found = {}
    for listing in market.listings:
        report = screens.report(str(listing.floor.opening.pool.base_mint))
        assert report is not None
        found[listing.story, listing.kind] = report
    return found


def test_bait_and_rugs_are_objected_to_and_others_are_safe() -> None:
    found = reports(8)
    verdicts = {story: report.verdict for (story, _), report in found.items()}
    assert verdicts[Story.BAIT] is verdicts[Story.RUG] is ScreenVerdict.UNSAFE
    assert ScreenVerdict.SAFE in verdicts.values()
    bait = next(report for (story, _), report in found.items() if story is Story.BAIT)
    assert "not the coin's canonical pool" in bait.objections[0]


def test_a_coin_of_another_market_has_no_report() -> None:
    book = PoolBook()
    market = MarketSimulator(book, seed=1, start_ns=START_NS)
    assert SimulatedScreens(market, book, ScreenSettings(), lambda: START_NS).report("somebody else's") is None


def test_the_preset_for_newcomers_trades_and_refuses_by_its_screens(tmp_path: Path) -> None:
    file = tmp_path / "pumpswap.yaml"
    file.write_text(settings_text("careful", Answers()))
    settings: Settings = load_settings(file, data_dir=tmp_path)
    assert settings.risk.require_screen

    async def go() -> RunResult:
        order = RunOrder("simulated", is_fast=True)
        return await run_paper(settings, order, RunOptions(random=random.Random(1)), lambda _: None)

    tally = asyncio.run(go()).tally
    assert tally.buys >= 2
    assert tally.sells >= 1
    assert tally.refused_by["screen"] > 0
