"""A running engine takes changed limits over: the next decision is judged by them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from pumpswap.clock import NS_PER_SECOND, ManualClock
from pumpswap.engine.feed import Sink
from pumpswap.engine.settings_watch import SettingsWatch
from pumpswap.model import Alert, AlertLevel, Decision, RunObserver
from pumpswap.settings import read_settings
from pumpswap.settings.reload import SettingsReload
from tests.engine.supervised import ScriptedFeed, opened, world
from tests.support.market import always, at, engine, feed, graduate, seen
from tests.support.virtual_time import LoopClock, run_virtually


class Told(RunObserver):
    def __init__(self) -> None:
        self.decisions: list[Decision] = []
        self.alerts: list[Alert] = []

    def on_decision(self, decision: Decision) -> None:
        self.decisions.append(decision)

    def on_alert(self, alert: Alert) -> None:
        self.alerts.append(alert)


def write(file: Path, text: str, seconds: int) -> None:
    file.write_text(text)
    os.utime(file, ns=(seconds * NS_PER_SECOND, seconds * NS_PER_SECOND))


def test_a_lowered_limit_counts_for_the_next_decision_and_is_told(tmp_path: Path) -> None:
    file, clock, told = tmp_path / "pumpswap.yaml", ManualClock(), Told()
    write(file, "risk: {max_position_sol: 0.5, kelly_fraction: 0}\n", 1)

    def load():  # type: ignore[no-untyped-def]
        return read_settings(file, environment={})

    running = engine(always(90), load().settings, [told])
    watch = SettingsWatch(running, SettingsReload(load(), load, clock))

    def look() -> None:
        for _ in range(2):
            clock.advance_to(clock.now_ns() + NS_PER_SECOND)
            watch.poll()

    first, second, third = (graduate(number) for number in (1, 2, 3))
    running.run(feed(seen(first, 1, scored=True)), at(0), 100 * 10**9)
    write(file, "risk: {max_position_sol: 0.2, kelly_fraction: 0}\nrun: {strategy: plan-loop}\n", 2)
    look()
    running.step(seen(second, 2, scored=True))
    write(file, "risk: {max_position_sol: -1}\n", 3)
    look()
    running.step(seen(third, 3, scored=True))

    sizes = [decision.quote_lamports for decision in told.decisions if decision]
    assert sizes == [500_000_000, 200_000_000, 200_000_000]
    texts = [(alert.level, alert.text) for alert in told.alerts if alert.topic == "settings"]
    assert texts[0] == (AlertLevel.INFO, "taken over: risk.max_position_sol: 0.5 → 0.2")
    assert texts[1][0] is AlertLevel.WARNING
    assert "run.strategy: follow-signals → plan-loop" in texts[1][1]
    assert texts[2][0] is AlertLevel.ERROR
    assert "nothing was changed" in texts[2][1]


def test_a_supervised_engine_looks_at_its_file_while_it_runs(tmp_path: Path) -> None:
    file = tmp_path / "pumpswap.yaml"
    write(file, "risk: {max_open_positions: 9}\n", 1)

    def load():  # type: ignore[no-untyped-def]
        return read_settings(file, environment={})

    async def story() -> None:
        watches: list[SettingsWatch] = []

        async def quiet(_: Sink) -> None:
            await asyncio.Event().wait()

        with opened(tmp_path) as database:
            made = world(database, [ScriptedFeed(quiet)], look=lambda: [one.poll() for one in watches])
            watches.append(SettingsWatch(made.engine, SettingsReload(load(), load, LoopClock(at(0)))))
            async with made.going():
                await asyncio.sleep(5)
                write(file, "risk: {max_open_positions: 3}\n", 2)
                await asyncio.sleep(5)
                assert made.engine.desk.parts.settings.risk.max_open_positions == 3
            (alert,) = [one for one in made.heard.alerts if one.topic == "settings"]
            assert alert.text == "taken over: risk.max_open_positions: 9 → 3"

    run_virtually(story())
