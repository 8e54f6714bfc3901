"""A program that uses the SDK and logs everything does not log the token of its endpoint or the key."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from pydantic import SecretStr

from pumpswap.errors import ChainError
from pumpswap.sdk import PumpSwapSDK
from pumpswap.settings import EndpointSettings, Settings
from tests.sdk.world import world
from tests.support.material import requires_material

pytestmark = [requires_material("chain", "programs"), pytest.mark.asyncio]

TOKEN = "an-endpoint-token-0123456789"


def with_token(settings: Settings, http_url: str) -> Settings:
    endpoint = EndpointSettings(url=SecretStr(f"{http_url}/?api-key={TOKEN}"), requests_per_second=1_000)
    return settings.model_copy(update={"chain": settings.chain.model_copy(update={"endpoints": (endpoint,)})})


async def test_p41_neither_logs_nor_errors_nor_books_hold_the_token_or_the_key(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    async with world(tmp_path) as here:
        settings = with_token(here.settings, here.settings.chain.endpoints[0].url.get_secret_value())
        async with PumpSwapSDK(settings, live=True, signer=here.signer()) as sdk:
            bought = await sdk.buy(here.mint(), "0.1")
            assert bought["status"] == "filled"
            said += [repr(bought), repr(sdk.settings), repr(sdk.trader), str(settings.model_dump(mode="json"))]
        dead = with_token(here.settings, "http://127.0.0.1:9")
        with pytest.raises(ChainError) as caught:
            await PumpSwapSDK(dead).open()
        said += [repr(caught.value), str(caught.getrepr(showlocals=False))]
    key = bytes(here.key)
    needles = (TOKEN.encode(), key[:32], key[:32].hex().encode(), str(here.key).encode())
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for content in (caplog.text.encode(), "\n".join(said).encode(), *files):
        assert [needle for needle in needles if needle in content] == []
