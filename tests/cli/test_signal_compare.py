"""``signal compare``: a verdict first, tables that fit 80 columns, the same figures for scripts, clear refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.test_signal_compare import export
from tests.cli.running import answer, refusal, run
from tests.support.material import material, requires_material

EXPORT = ("real", "host_export")
REQUESTED = ("--horizon", "2m", "--horizon", "1h")


def told(*arguments: str) -> str:
    result = run("signal", "compare", *arguments)
    assert result.exit_code == 0, result.output
    assert max(len(line) for line in result.stdout.splitlines() if not line.startswith("Page  ")) <= 80
    return result.stdout


def test_a_newcomer_without_data_sees_a_whole_report() -> None:
    result = run("signal", "compare", "--simulated", "8")
    text = result.stdout
    first, *_ = lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert "The market is simulated" in result.stderr
    assert first.startswith(("Enhanced better: over ", "Base better: over ", "No difference shown: over ", "Not shown"))
    for part in ("at or above 75", "agreement", "moved furthest", "held 15 min", "enhanced − base", "Do higher scores"):
        assert part in text
    assert "40 of 40 pools were seen again with a price" in text
    assert "Overlapping: only " in text


def test_the_json_has_exact_amounts_and_every_snapshot(tmp_path: Path) -> None:
    found = answer("signal", "compare", str(export(tmp_path)), *REQUESTED)
    assert (found["schema"], found["size_lamports"]) == ("pumpswap.signal-compare", "1000000000")
    assert found["network_lamports_per_transaction"] == "35000"
    assert (found["all_snapshots"], found["snapshots"], found["pools_with_later_prices"]) == (1, 1, 1)
    assert found["verdict"]["kind"] == "not_shown"
    assert [each["horizon_ns"] for each in found["horizons"]] == ["120000000000", "3600000000000"]
    (one,) = found["observations"]
    outcome = one["outcomes"]["120000000000"]
    assert int(outcome["received_lamports"]) < int(outcome["paid_lamports"])
    assert one["outcomes"]["3600000000000"] is None
    assert found["assumptions"]
    assert found["html"] is None


def test_the_options_reach_the_comparison(tmp_path: Path) -> None:
    path = str(export(tmp_path))
    found = answer("signal", "compare", path, *REQUESTED, "--threshold", "99.5", "--size-sol", "0.25")
    assert (found["threshold"], found["size_lamports"], found["base"]["at_or_above"]) == (99.5, "250000000", 0)
    config = tmp_path / "pumpswap.yaml"
    config.write_text("signals:\n  min_score: 12\nfeasibility:\n  intended_sol: 2\npaper:\n  tip_lamports: 9\n")
    found = answer("signal", "compare", path, *REQUESTED, "--config", str(config))
    assert (found["threshold"], found["size_lamports"]) == (12, "2000000000")
    assert found["network_lamports_per_transaction"] == "35009"


def test_the_page_is_written_and_its_place_is_told(tmp_path: Path) -> None:
    page = tmp_path / "pages" / "compare.html"
    text = told(str(export(tmp_path / "export")), *REQUESTED, "--html", str(page))
    assert text.splitlines()[-1] == f"Page  {page}"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    found = answer("signal", "compare", str(tmp_path / "export"), *REQUESTED, "--html", str(page))
    assert found["html"] == str(page)


@pytest.mark.parametrize("text", ["5", "0m", "-1h", "5 weeks", "1.5h", "9999d", ""])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    assert "for example 90s, 5m, 1h or 2d" in refusal(2, "signal", "compare", "x", "--horizon", text)["hint"]


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    refusal(2, "signal", "compare")
    refusal(2, "signal", "compare", str(tmp_path), "--simulated", "8")
    refusal(3, "signal", "compare", str(tmp_path / "nowhere"))
    refusal(2, "signal", "compare", "--simulated", "8", "--threshold", "101")


def test_a_coins_name_steers_no_terminal(tmp_path: Path) -> None:
    from tests.market.export_folder import OTHER_POOL, snapshot, write_export

    rows = [
        snapshot(name="\x1b[31mRED\x07 / SOL", volume_usd_h24="90000"),
        snapshot(id="2", pool_id=f"solana_{OTHER_POOL}", address=OTHER_POOL, reserve_in_usd="900000"),
    ]
    text = told(str(write_export(tmp_path, rows)))
    assert "\x1b" not in text
    assert "\x07" not in text


@requires_material(*EXPORT)
def test_the_real_export_says_what_it_can_and_cannot_show() -> None:
    path = material(*EXPORT)
    text = " ".join(told(str(path)).split())
    assert text.startswith("Not shown by this data: over 5 min 1 snapshot has an outcome, in 1 pool")
    assert "496 snapshots of 496 PumpSwap pools" in text
    assert "4,224 snapshots on other exchanges" in text
    assert "they keep their base score and are never traded" in text
    assert "236 (47.6 %) 378 (76.2 %)" in text
    assert "2 of 496 pools were seen again with a price" in text
    assert "Beware, few prices: half were bought after 24 s, and sold at one 36 s old." in text
    assert "19 of 496 lack PumpSwap data and keep their base score: 18 × the pool has no reserve" in text


def test_a_file_a_server_and_a_lake_of_the_same_rows_give_the_same_comparison(tmp_path: Path) -> None:
    from pumpswap.market.lake import Lake, LakeWriter
    from pumpswap.market.tape import open_recording
    from tests.cli.test_paper_database import small_host
    from tests.support.postgres import fresh_database

    file, lake = tmp_path / "host.db", Lake(tmp_path / "lake")
    small_host(f"sqlite:///{file}")
    seen = list(open_recording(file).updates())
    with LakeWriter(lake) as writer:
        writer.add("snapshots", [update.snapshot for update in seen if update.snapshot])
        writer.add("swaps", [update.swap for update in seen if update.swap])
    places = (str(file), small_host(fresh_database()), str(lake.folder))
    found = [answer("signal", "compare", place, "--horizon", "20s") for place in places]
    parts = ("verdict", "base", "enhanced", "agreement", "ranks", "pumpswap_unavailable")
    assert [[one[part] for part in parts] for one in found] == [[found[0][part] for part in parts]] * 3
    assert found[0]["horizons"] == found[1]["horizons"]
    assert found[0]["horizons"][0]["observations"] == found[2]["horizons"][0]["observations"] == 1


def test_a_folder_is_no_page(tmp_path: Path) -> None:
    assert "is a folder" in refusal(2, "signal", "compare", "--simulated", "1", "--html", str(tmp_path))["what"]
