"""The JSON Schema has every key, with what the classes say about it."""

from __future__ import annotations

import json
from typing import Any

from pydantic import SecretStr

from pumpswap.settings import ChainSettings, DatabaseSettings, EndpointSettings, RunSettings, Settings
from pumpswap.settings.keys import all_keys
from pumpswap.settings.presets import PRESETS, preset_text
from pumpswap.settings.schema import settings_schema
from pumpswap.settings.yaml_file import parse_yaml

SCHEMA = settings_schema()


def section_schema(name: str) -> dict[str, Any]:
    reference = SCHEMA["properties"][name]["anyOf"][0]["$ref"]
    found = SCHEMA["$defs"][reference.rpartition("/")[2]]
    assert isinstance(found, dict)
    return found


def test_every_key_is_there_with_its_meaning_and_nothing_else_is_allowed() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["additionalProperties"] is False
    for key in all_keys().values():
        if len(key.path) == 1:
            assert SCHEMA["properties"][key.name]["description"] == key.help
            continue
        section = section_schema(key.path[0])
        assert section["additionalProperties"] is False
        assert section["properties"][key.path[1]]["description"] == key.help
    assert set(section_schema("risk")["properties"]) == {
        name.partition(".")[2] for name in all_keys() if name.startswith("risk.")
    }


def test_the_heading_of_a_group_is_no_meaning_of_its_first_key() -> None:
    keys = all_keys()
    assert keys["risk.base_position_fraction"].help == "what a size begins with, of the SOL balance"
    assert keys["exits.slippage_bps"].help.startswith("what a sale accepts")
    assert not [name for name, key in keys.items() if not key.help or key.help.endswith(".")]


def test_no_secret_is_stored_beside_a_run() -> None:
    url = "https://rpc.example/secret-token"
    settings = Settings(
        chain=ChainSettings(endpoints=(EndpointSettings(url=SecretStr(url)),)),
        database=DatabaseSettings(url=SecretStr("postgresql://a:secret-token@b/c")),
        run=RunSettings(collector=SecretStr("secret-token")),
    )
    stored = settings.to_store()
    assert "secret-token" not in json.dumps(stored)
    assert stored["risk"] == settings.risk.model_dump(mode="json")
    assert set(stored) == set(Settings.model_fields)


def test_types_and_ranges_are_those_of_the_classes() -> None:
    risk = section_schema("risk")["properties"]
    assert risk["slippage_bps"] | {"description": ""} == {
        "default": 300, "description": "", "maximum": 10_000, "minimum": 0, "type": "integer",
    }  # fmt: skip
    assert {"type": "string"} in [{"type": one.get("type")} for one in risk["max_position_sol"]["anyOf"]]
    assert section_schema("run")["properties"]["mode"]["enum"] == ["analysis", "paper", "approve", "auto"]
    assert section_schema("database")["properties"]["url"]["anyOf"][0]["writeOnly"] is True


def test_profiles_are_sections_again_and_the_document_is_json() -> None:
    profile = SCHEMA["properties"]["profiles"]["additionalProperties"]
    assert set(profile["properties"]) == set(SCHEMA["properties"]) - {"profile", "profiles"}
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    for name in PRESETS:
        assert set(parse_yaml(preset_text(name), name)) <= set(SCHEMA["properties"])
