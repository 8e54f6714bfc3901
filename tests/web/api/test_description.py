"""The description: every route with its words, complete enough that a program can be made of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pumpswap.app.views.overview import Overview
from pumpswap.app.views.positions import Positions
from pumpswap.settings import Settings
from pumpswap.web.api.schemas import schema_of
from tests.web.serving import served

ROUTES = {
    "overview", "positions", "decisions", "decisions/{decision_id}", "orders", "execution", "pools", "pools/{address}",
    "signals", "alerts", "ledger", "proposals", "refused",
     "health", "settings", "reports", "runs", "csrf", "actions/{name}",
}  # fmt: skip


def test_every_route_is_described_with_its_answer_and_its_refusals(tmp_path: Path) -> None:
    with served(Settings(data_dir=tmp_path)) as client:
        document = client.get("/api/v1/openapi.json").json()
    assert {path.removeprefix("/api/v1/") for path in document["paths"]} == ROUTES
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["description"], path
            shown = operation["responses"]["200"]["content"]["application/json"]["schema"]
            assert {"schema", "version"} <= set(shown["required"]), path
            for status in ("400", "401", "403", "404", "422"):
                assert "hint" in operation["responses"][status]["content"]["application/json"]["schema"]["required"]


def test_the_page_tells_every_route_without_a_script(tmp_path: Path) -> None:
    with served(Settings(data_dir=tmp_path)) as client:
        page = client.get("/docs").text
    assert set(re.findall(r"<code>(?:GET|POST) /api/v1/([^<]*)</code>", page)) == ROUTES
    assert "<script" not in page and "style=" not in page
    assert "integer from 1 to 200" in page and "buy or sell" in page


def test_a_schema_follows_the_fields_of_its_view() -> None:
    told = schema_of(Overview)
    assert set(told["required"]) == set(Overview.__dataclass_fields__)
    money = told["properties"]["money"]["properties"]
    assert money["equity_lamports"] == {"anyOf": [{"type": "string", "pattern": "^-?[0-9]+$"}, {"type": "null"}]}
    assert told["properties"]["period"]["enum"] == ["day", "week", "month", "all"]
    row = schema_of(Positions)["properties"]["rows"]["properties"]["items"]["items"]
    assert row["properties"]["position"]["properties"]["buys"] == {"type": "integer"}


def test_what_no_json_can_say_is_an_error_here_and_not_there() -> None:
    class Strange:
        pass

    with pytest.raises((TypeError, AttributeError)):
        schema_of(Strange)
