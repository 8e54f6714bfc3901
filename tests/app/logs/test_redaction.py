"""No secret in a line of the log, in whatever form, under whatever name, in whatever value."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.keypair import Keypair

from pumpswap.app.logs.redaction import LogRedactor
from pumpswap.settings import ChannelSettings, Settings, TelegramSettings

SEED = bytes(range(201, 233))
KEY = Keypair.from_seed(SEED)
TOKEN = "S3CR3T-ENDP01NT-T0K3N"
BOT = "123456789:AAFakeBotTokenOfSomebody"
SETTINGS = Settings.model_validate(
    {
        "chain": {"endpoints": [{"url": f"https://rpc.example.org/v1/{TOKEN}?api-key={TOKEN}2"}]},
        "database": {"url": f"postgresql://me:{TOKEN}3@db.example.org/books"},
        "alerts": {"channels": [{"name": "slack", "url": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"}]},
        "telegram": {"token": BOT, "pin": "739155", "chats": [77]},
    }
)
CLEAN = LogRedactor(SETTINGS)
KEY_FORMS = {
    "base58": str(KEY),
    "hex of the seed": SEED.hex(),
    "hex of both": bytes(KEY).hex(),
    "a key file": json.dumps(list(bytes(KEY))),
    "numbers alone": ", ".join(map(str, SEED)),
    "base64 of the seed": base64.b64encode(SEED).decode(),
    "base64 of both": base64.b64encode(bytes(KEY)).decode(),
    "bytes": repr(SEED),
}


@pytest.mark.parametrize("form", KEY_FORMS.values(), ids=KEY_FORMS)
@pytest.mark.parametrize("frame", ["{}", "key {} was read", "x={},", "'{}'"])
def test_a_key_is_taken_out_in_every_form(form: str, frame: str) -> None:
    assert form.strip("[]") not in CLEAN.clean(frame.format(form))


def test_a_signature_and_an_address_stay_readable() -> None:
    signature, address = str(KEY.sign_message(b"anything")), str(KEY.pubkey())
    line = f"order o000001 of {address} landed as {signature}"
    assert CLEAN.clean(line) == line


@pytest.mark.parametrize(
    "secret", [TOKEN, f"{TOKEN}2", f"{TOKEN}3", BOT, "739155", "T1JJ3T3L2", "TIiajkdnlazkcOXrIdevi7FQ"]
)
def test_secrets_of_the_settings_are_known_wherever_they_stand(secret: str) -> None:
    event = {
        "event": f"failed with {secret}",
        "nested": {"list": [f"x{secret}x", {"deep": secret}]},
        "exception": f"Traceback\n  File\nValueError: {secret}",
        "odd": ValueError(secret),
    }
    assert secret not in json.dumps(CLEAN(None, "", event), default=str)


def test_a_masked_number_does_not_tell_the_pin_between_its_neighbours() -> None:
    """``o001233``, ``o00…``, ``o001235``: whoever reads that knows the PIN."""
    for pin in ("1234", "001234"):
        clean = LogRedactor(Settings.model_validate({"telegram": {"token": BOT, "pin": pin}})).clean
        for counted in ("order o001234", "decision d001234.", "slot 9001234567", "1,001,234 lamports", "0.001234 SOL"):
            assert clean(counted) == counted
        assert pin not in clean(f"typed {pin}") + clean(f"({pin})") + clean(f"pin={pin},") + clean(f"x{pin}x")


def test_urls_of_others_are_cut_to_their_host() -> None:
    assert CLEAN.clean("GET https://you:pw@rpc.other.org/abc/def?key=1 failed") == "GET https://rpc.other.org/… failed"


@pytest.mark.parametrize(
    "name", ["password", "wallet_password", "bot_token", "api_key", "Authorization", "pin", "seed"]
)
def test_what_has_a_secret_name_is_never_written(name: str) -> None:
    assert CLEAN(None, "", {name: "abc", "other": {name: 5}}) == {name: "…", "other": {name: "…"}}


def test_numbers_of_a_key_in_a_list_and_bytes_are_taken_out() -> None:
    found = CLEAN(None, "", {"data": list(bytes(KEY)), "raw": bytes(KEY), "few": [1, 2, 3], "on": True, "none": None})
    assert found == {"data": "…", "raw": "64 bytes", "few": [1, 2, 3], "on": True, "none": None}


class _Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_what_cannot_be_shown_does_not_stop_the_log() -> None:
    assert CLEAN(None, "", {"x": _Unspeakable()}) == {"x": "<_Unspeakable that cannot be shown>"}


@given(st.text(max_size=200))
def test_any_text_is_cleaned_without_an_error(text: str) -> None:
    assert isinstance(CLEAN.clean(text), str)


def test_the_redactor_itself_shows_nothing() -> None:
    shown = repr(CLEAN)
    assert TOKEN not in shown
    assert BOT not in shown


def test_settings_without_any_secret_hide_nothing_that_is_none() -> None:
    plain = LogRedactor(Settings(telegram=TelegramSettings(chats=(1,))))
    assert plain.clean("one two https://host/") == "one two https://host/"
    assert ChannelSettings(name="a", url="json://x").least == "info"
