"""FollowedSettings: the pages say what a running engine goes by, and nobody is let in by a change of the file."""

from __future__ import annotations

from pathlib import Path

from starlette.testclient import TestClient

from pumpswap.clock import ManualClock
from pumpswap.settings import read_settings
from pumpswap.web.app import create_app
from tests.support.market import at
from tests.web.serving import HOST, NOW, lived


def test_a_changed_limit_is_shown_as_the_engine_takes_it_and_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    file, clock = tmp_path / "pumpswap.yaml", ManualClock(at(NOW))
    file.write_text(f"data_dir: {tmp_path}\nexits:\n  stop_loss_bps: 2000\n")
    loaded = read_settings(file)
    lived(loaded.settings)
    app = create_app(loaded, load=lambda: read_settings(file), clock=clock)
    with TestClient(app, base_url=f"http://{HOST}") as client:

        def told() -> tuple[object, float]:
            """The key as the settings show it, and the distance that the exits of a position have."""
            for _ in range(3):  # a file counts when it has stayed the same for a look
                clock.advance_to(clock.now_ns() + 2 * 10**9)
                rows = {row["key"]: row["value"] for row in client.get("/api/v1/settings").json()["rows"]}
            (held,) = client.get("/api/v1/positions").json()["rows"]["items"]
            return rows["exits.stop_loss_bps"], held["exits"]["stop_loss"]

        before = told()
        file.write_text(
            f"data_dir: {tmp_path}\nexits:\n  stop_loss_bps: 1000\ndashboard:\n  allowed_hosts: [evil.example]\n"
        )
        after = told()
        file.write_text("exits: [")
        broken = told()
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 421
    assert (before[0], after[0], broken) == (2_000, 1_000, after)
    assert after[1] > before[1]  # nearer
