"""Whoever reads the log of a run finds every order from its decision to what it cost."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from pumpswap.app.logs.run_log import RunLog
from pumpswap.app.logs.setup import begun_logging
from pumpswap.model import Alert, AlertLevel
from pumpswap.settings import Settings
from pumpswap.storage.database import open_database
from tests.app.test_run import SIMULATED, ran


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_every_order_of_a_run_can_be_followed_by_its_number(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {"data_dir": tmp_path, "logs": {"format": "json", "file": "a.log", "level": "debug"}}
    )
    with begun_logging(settings):
        ran(tmp_path, SIMULATED)
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    lines = lines_of(tmp_path / "a.log")
    for line in lines:
        told[line.get("order", "")].append(line)
    accepted = {line["decision"] for line in lines if line["event"] == "accepted"}
    with open_database(tmp_path / "pumpswap.sqlite") as database:
        run = database.run(1)
        orders = {order.order_id: order for order in run.orders()}
        costs = {filled.order_id: filled.costs.spent for filled in run.trades()}
        assert accepted == {decision.decision_id for decision in run.decisions(accepted=True)}
    assert orders
    for order_id, order in orders.items():
        about = told[order_id]
        assert about[0]["event"] == "ordered"
        assert about[0]["decision"] == order.decision_id
        assert {line["event"] for line in about} <= {"ordered", "booked", "filled", "rejected", "denied", "alert"}
        ends = [line for line in about if line["event"] == "filled"]
        assert [line["costs_lamports"] for line in ends] == ([costs[order_id]] if order_id in costs else [])
    assert {line["run"] for line in lines if line["logger"] == "pumpswap.run"} == {1}


def test_an_alert_about_an_order_carries_its_number(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path, "logs": {"format": "json", "file": "a.log"}})
    with begun_logging(settings):
        RunLog(3).on_alert(Alert(1, AlertLevel.CRITICAL, "unknown outcome", "mint", "order o000012 may still land"))
        RunLog(3).on_alert(Alert(1, AlertLevel.INFO, "state", "", "paused"))
    first, second = lines_of(tmp_path / "a.log")
    assert (first["order"], first["level"], first["topic"]) == ("o000012", "critical", "unknown outcome")
    assert "order" not in second
    assert "subject" not in second
