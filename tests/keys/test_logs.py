"""The loudest log of a run whose settings are full of secrets, and whose services all fail, tells none of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pumpswap.cli import pumpswap
from tests.app.chat.bot_api import bot_api

SECRETS = {
    "an endpoint": "S3CR3T-ENDP01NT-T0K3N",
    "the block engine": "S3CR3T-J1T0",
    "a bot": "123456789:AAS3CR3T-B0T",
    "the PIN": "739155739155",
    "a channel": "S3CR3T-CHANNEL",
    "a password": "S3CR3T-PASSW0RD",
    "the dashboard": "S3CR3T-DASHB0ARD-T0K3N",
}


def settings(folder: Path, bot_url: str, form: str) -> Path:
    document: dict[str, Any] = {
        "data_dir": str(folder / "data"),
        "chain": {"endpoints": [{"url": f"http://127.0.0.1:9/{SECRETS['an endpoint']}"}]},
        "sending": {"jito_url": f"http://127.0.0.1:9/{SECRETS['the block engine']}"},
        "telegram": {"token": SECRETS["a bot"], "chats": [7], "allow_actions": True, "pin": SECRETS["the PIN"]},
        "alerts": {
            "channels": [
                {"name": "hook", "url": f"json://me:{SECRETS['a password']}@127.0.0.1:9/{SECRETS['a channel']}"}
            ]
        },
        "dashboard": {"token": SECRETS["the dashboard"]},
        "logs": {"file": "run.log", "format": form, "level": "debug"},
        "run": {"control_ms": 20},
    }
    document["telegram"]["api_url"] = bot_url
    path = folder / "pumpswap.yaml"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("form", ["console", "json"])
def test_p40_no_secret_of_the_settings_is_in_the_log_of_a_run(tmp_path: Path, form: str) -> None:
    with bot_api() as api:  # that knows another bot, and refuses this one
        path = settings(tmp_path, api.url, form)
        typed = ["--config", str(path), "-v", "-v", "run", "--market", "simulated:3", "--duration", "3s"]
        result = CliRunner().invoke(pumpswap, typed)
    assert result.exit_code == 0, result.output
    log = (tmp_path / "data" / "run.log").read_text()
    assert "telegram" in log
    assert "Unauthorized" in log
    said = {"stdout": result.stdout, "stderr": result.stderr, "the log": log}
    said |= {
        file.name: file.read_bytes().decode("latin-1") for file in (tmp_path / "data").rglob("*") if file.is_file()
    }
    for where, text in said.items():
        for whose, secret in SECRETS.items():
            assert secret not in text, f"the secret of {whose} is in {where}"
