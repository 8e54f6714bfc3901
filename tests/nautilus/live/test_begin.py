"""A node that cannot begin ends with the reason; two on the same books refuse each other."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pumpswap.errors import ConfigError, KeyLocked
from pumpswap.nautilus import PumpSwapDataClientConfig, PumpSwapExecClientConfig, PumpSwapSession
from tests.nautilus.live.nodes import only_whole, stage
from tests.support.material import requires_material


@only_whole
@requires_material("chain", "programs")
def test_a_second_node_on_the_same_books_ends_and_says_why(tmp_path: Path) -> None:
    async def go() -> None:
        async with stage(tmp_path, "paper", nautilus={"start_seconds": 10}) as here:
            first = await here.start()
            second = await here.start(is_ready=False)
            await second.until(lambda line: line["kind"] == "disposed")
            await second.ended()
            told = " ".join(second.errors)
            assert "pumpswap cannot begin: " in told and "another process" in told, second.story()
            assert not [line for line in second.lines if line["kind"] == "ready"]
            await here.check(await first.stop())

    asyncio.run(go())


def written(folder: Path, text: str) -> str:
    folder.mkdir(exist_ok=True)
    file = folder / "pumpswap.yaml"
    file.write_text(f"data_dir: {folder}\n{text}", encoding="utf-8")
    return str(file)


CHAIN = "chain:\n  network: localnet\n  endpoints:\n    - url: http://127.0.0.1:9\n"


def asked(settings: str, **fields: Any) -> PumpSwapSession:
    loop = asyncio.new_event_loop()
    try:
        return PumpSwapSession.of(loop, PumpSwapExecClientConfig(settings_path=settings, **fields))
    finally:
        loop.close()


def test_what_is_missing_is_named_before_the_node_begins(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no endpoint"):
        asked(written(tmp_path, ""))
    with pytest.raises(ConfigError, match="the mode paper orders nothing live"):
        asked(written(tmp_path, CHAIN), mode="live")
    with pytest.raises(ConfigError, match="there is no wallet"):
        asked(written(tmp_path, f"{CHAIN}run:\n  mode: auto\n"), mode="live")


def test_on_paper_a_file_for_live_trading_is_tried_as_it_stands(tmp_path: Path) -> None:
    session = asked(written(tmp_path, f"{CHAIN}run:\n  mode: auto\n"))
    assert (session.settings.run.mode, session.account, session.is_running) == ("paper", "paper", False)
    analysis = asked(written(tmp_path, f"{CHAIN}run:\n  mode: analysis\n"))
    assert analysis.settings.run.mode == "analysis"


def test_both_clients_of_a_node_share_one_session_or_are_refused(tmp_path: Path) -> None:
    loop = asyncio.new_event_loop()
    one, other = written(tmp_path / "one", CHAIN), written(tmp_path / "other", CHAIN)
    made = PumpSwapSession.of(loop, PumpSwapDataClientConfig(settings_path=one))
    assert PumpSwapSession.of(loop, PumpSwapExecClientConfig(settings_path=one)) is made
    with pytest.raises(ConfigError, match="contradict each other"):
        PumpSwapSession.of(loop, PumpSwapExecClientConfig(settings_path=other))
    loop.close()


@requires_material("chain", "programs")
def test_a_wallet_without_limits_is_refused(tmp_path: Path) -> None:
    from pumpswap.wallet.secret import Secret
    from pumpswap.wallet.signers import LocalSigner

    async def go() -> None:
        async with stage(tmp_path, "paper") as here:
            PumpSwapSession.offer_signer(LocalSigner(Secret(bytes(here.chain.key)[:32]), None))
            loop = asyncio.get_running_loop()
            config = PumpSwapExecClientConfig(settings_path=str(here.file), mode="live")
            session = PumpSwapSession.of(loop, config)
            with pytest.raises(KeyLocked, match="no limits"):
                await session.open()
            await session.aclose()
            assert session.is_over

    asyncio.run(go())
