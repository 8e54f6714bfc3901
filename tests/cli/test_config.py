"""``pumpswap config``: what holds, one key changed, everything that is wrong, the plan translated, one file for two."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest
import yaml

from tests.cli.running import answer, refusal, run
from tests.cli.terminal import on_a_terminal
from tests.support.material import material, requires_material

needs_plan = requires_material("host", "plan_config.yaml")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PUMPSWAP_DATA_DIR", "data")
    for name in ("EDITOR", "VISUAL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def values(*arguments: str) -> dict[str, tuple[object, str]]:
    """Value and origin of each key that is shown."""
    return {row["key"]: (row["value"], row["origin"]) for row in answer("config", "show", *arguments)["settings"]}


# ---------------------------------------------------------------------------------------------- show


def test_show_names_the_source_of_every_value(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pumpswap.yaml").write_text("risk: {max_position_sol: 0.5}\n")
    monkeypatch.setenv("PUMPSWAP_RISK__SLIPPAGE_BPS", "200")
    found = values("risk")
    assert found["risk.max_position_sol"] == ("0.5", "pumpswap.yaml")
    assert found["risk.slippage_bps"] == (200, "PUMPSWAP_RISK__SLIPPAGE_BPS")
    assert found["risk.max_token_sol"] == ("2", "default")
    assert values("--changed") == {
        "data_dir": ("data", "PUMPSWAP_DATA_DIR"),
        "risk.max_position_sol": ("0.5", "pumpswap.yaml"),
        "risk.slippage_bps": (200, "PUMPSWAP_RISK__SLIPPAGE_BPS"),
    }
    assert values("data_dir", "--data-dir", "other") == {"data_dir": ("other", "option")}
    text = run("config", "show", "--changed").stdout
    assert "risk.slippage_bps" in text
    assert "PUMPSWAP_RISK__SLIPPAGE_BPS" in text
    assert "risk.max_token_sol" not in text


def test_show_lists_the_whole_tree_and_says_when_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    from pumpswap.settings.keys import all_keys

    assert list(values()) == list(all_keys())
    monkeypatch.delenv("PUMPSWAP_DATA_DIR")
    assert "Every setting has its default." in run("config", "show", "--changed").stdout
    row = answer("config", "show", "risk.max_position_sol")["settings"][0]
    assert row == {"key": "risk.max_position_sol", "value": "1", "default": "1", "origin": "default",
                   "help": "at most so much in one trade"}  # fmt: skip


def test_secrets_are_masked() -> None:
    Path("pumpswap.yaml").write_text(
        "chain: {endpoints: [{url: 'https://host.example/S3CR3T?key=S3CR3T', ws_url: 'wss://S3CR3T@host.example'}]}\n"
        "database: {url: 'postgresql://me:S3CR3T@db.example/books'}\nsending: {jito_url: 'https://jito.example/S3CR3T'}\n"
        "run: {collector: data/gecko.db}\n"
    )
    for arguments in (["--json"], []):
        text = run("config", "show", *arguments).stdout
        assert "S3CR3T" not in text
    found = values("--changed")
    assert found["database.url"][0] == "postgresql://db.example/…"
    assert found["sending.jito_url"][0] == "https://jito.example/…"
    assert found["run.collector"][0] == "data/gecko.db"
    endpoints = found["chain.endpoints"][0]
    assert isinstance(endpoints, list)
    assert endpoints[0]["url"] == "https://host.example/…"


def test_of_the_url_of_a_messenger_only_its_kind_is_shown() -> None:
    urls = (
        "tgram://12345678:S3CR3T/4711",
        "slack://S3CR3T/B2/C3",
        "pover://USER@S3CR3T",
        "mailto://me:S3CR3T@mail.example",
    )
    listed = ", ".join(
        f"{{name: one-{number}, url: '{url}'}}" for number, url in enumerate((*urls, "json://me.example/S3CR3T"))
    )
    Path("pumpswap.yaml").write_text(f"alerts: {{channels: [{listed}]}}\n")
    for arguments in (["--json"], []):
        assert "s3cr3t" not in run("config", "show", *arguments).stdout.lower()
    channels = values("--changed")["alerts.channels"][0]
    shown = [channel["url"] for channel in channels]  # type: ignore[union-attr, index, call-overload]
    assert shown == ["tgram://…", "slack://…", "pover://…", "mailto://…", "json://me.example/…"]


def test_show_of_a_key_that_is_none_names_the_nearest() -> None:
    assert refusal(2, "config", "show", "risk.max_positon_sol")["hint"] == "did you mean risk.max_position_sol?"


def test_a_profile_is_named() -> None:
    Path("pumpswap.yaml").write_text("profiles: {small: {risk: {max_position_sol: 0.1}}}\n")
    assert values("--changed", "--profile", "small")["risk.max_position_sol"] == ("0.1", "profile small")
    assert "no such profile; did you mean small?" in refusal(4, "config", "show", "--profile", "smal")["what"]


# ---------------------------------------------------------------------------------------------- set


def test_set_changes_one_line() -> None:
    file = Path("pumpswap.yaml")
    file.write_text("# mine\nrisk:\n  max_position_sol: 1   # cap\n")
    done = run("config", "set", "risk.max_position_sol", "0.2")
    assert done.stdout == "pumpswap.yaml: risk.max_position_sol 1 → 0.2\n"
    assert file.read_text() == "# mine\nrisk:\n  max_position_sol: 0.2   # cap\n"
    assert answer("config", "set", "run.signals", "analyser,q50") | {"warnings": []} == {
        "schema": "pumpswap.config_set", "version": 1, "file": "pumpswap.yaml", "key": "run.signals",
        "before": ["analyser"], "after": ["analyser", "q50"], "warnings": [],
    }  # fmt: skip
    assert "as before" in run("config", "set", "risk.max_position_sol", "0.2").stdout
    sections = {"risk": {"max_position_sol": 0.2}, "run": {"signals": ["analyser", "q50"]}}
    assert yaml.safe_load(file.read_text()) == sections


def test_set_makes_a_file_for_its_owner_only_and_keeps_the_mode_of_one_that_is_there() -> None:
    assert run("config", "set", "risk.max_position_sol", "0.2").exit_code == 0
    file = Path("pumpswap.yaml")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o640)
    assert run("config", "set", "risk.max_position_sol", "0.3").exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("key", "value", "exit_code", "told"),
    [
        ("risk.max_positon_sol", "1", 2, "risk.max_positon_sol: no such key"),
        ("risk", "1", 2, "risk is a section"),
        ("risk.max_position_sol", "lots", 4, "is no number"),
        ("risk.max_position_sol", "-1", 4, "must be at least 0"),
        ("exits.stop_loss_bps", "10001", 4, "must be at most 10000"),
        ("run.signals", "[a", 2, "is no readable list"),
        ("exits.max_slippage_bps", "1", 4, "max_slippage_bps is below slippage_bps"),
    ],
)
def test_set_writes_nothing_that_is_wrong(key: str, value: str, exit_code: int, told: str) -> None:
    Path("pumpswap.yaml").write_text("risk: {}\n")
    error = refusal(exit_code, "config", "set", key, value)
    assert told in error["what"]
    assert Path("pumpswap.yaml").read_text() == "risk: {}\n"


def test_set_does_not_pretend_to_change_a_profile() -> None:
    assert "config edit" in refusal(2, "config", "set", "risk.max_position_sol", "1", "--profile", "a")["hint"]


def test_set_takes_a_secret_from_standard_input_and_says_what_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("config", "set", "chain.endpoints", "-", input="[{url: 'https://host.example/S3CR3T'}]")
    assert result.exit_code == 0
    assert "S3CR3T" not in result.output
    assert "S3CR3T" in Path("pumpswap.yaml").read_text()
    monkeypatch.setenv("PUMPSWAP_RISK__SLIPPAGE_BPS", "200")
    assert answer("config", "set", "risk.slippage_bps", "100")["warnings"] == [
        "PUMPSWAP_RISK__SLIPPAGE_BPS sets risk.slippage_bps too, and wins over the file"
    ]


def test_set_never_touches_the_host_s_file() -> None:
    Path("config.yaml").write_text("dexes: {targets: [pumpswap]}\n")
    error = refusal(4, "--config", "config.yaml", "config", "set", "risk.max_position_sol", "1")
    assert error["what"] == "config.yaml is the host's configuration"


# ---------------------------------------------------------------------------------------------- validate and schema


def test_validate_tells_everything_at_once() -> None:
    Path("pumpswap.yaml").write_text("risk: {max_positon_sol: 1, slippage_bps: -1}\nprofiles: {a: {exit: {}}}\n")
    result = run("config", "validate")
    assert result.exit_code == 4
    assert result.stdout.splitlines() == [
        "pumpswap.yaml: risk.slippage_bps: must be at least 0",
        "pumpswap.yaml: risk.max_positon_sol: no such key; did you mean max_position_sol?",
        "pumpswap.yaml: profile a: exit: no such key; did you mean exits?",
    ]
    found = json.loads(run("config", "validate", "--json").stdout)
    assert (found["valid"], len(found["problems"])) == (False, 3)
    Path("other.yaml").write_text("profiles: {a: {}, b: {}}\n")
    assert run("config", "validate", "other.yaml").stdout == "other.yaml: in order, with the profiles a, b\n"
    refusal(3, "config", "validate", "none.yaml")


def test_validate_without_a_file_looks_at_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("config", "validate").stdout == "the defaults: in order\n"
    Path("pumpswap.yaml").write_text("risk: {}\n")
    assert answer("config", "validate")["valid"] is True
    monkeypatch.setenv("PUMPSWAP_RISK__MAX_POSITON_SOL", "1")
    result = run("config", "validate")
    assert result.exit_code == 4
    assert "did you mean PUMPSWAP_RISK__MAX_POSITION_SOL?" in result.stdout


def test_schema_is_json_on_stdout_or_in_a_file() -> None:
    schema = json.loads(run("config", "schema").stdout)
    assert schema["title"] == "pumpswap.yaml"
    assert answer("config", "schema")["json_schema"] == schema
    written = run("config", "schema", "--output", "s.json")
    assert "# yaml-language-server: $schema=s.json" in written.stderr
    assert json.loads(Path("s.json").read_text()) == schema


# ---------------------------------------------------------------------------------------------- edit


def editor(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """An editor that does what ``code`` does with the ``text`` of the file."""
    script = folder / "editor.py"
    script.write_text(
        f"import sys\npath = sys.argv[1]\ntext = open(path).read()\n{code}\nopen(path, 'w').write(text)\n"
    )
    monkeypatch.setenv("VISUAL", f"{sys.executable} {script}")


def test_edit_saves_what_is_right(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pumpswap.yaml").write_text("risk: {max_position_sol: 1}\n")
    editor(here, monkeypatch, "text = text.replace('1', '2')")
    assert answer("config", "edit")["changed"] is True
    assert Path("pumpswap.yaml").read_text() == "risk: {max_position_sol: 2}\n"
    editor(here, monkeypatch, "")
    assert answer("config", "edit")["changed"] is False


def test_edit_never_saves_what_is_wrong(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pumpswap.yaml").write_text("risk: {max_position_sol: 1}\n")
    editor(here, monkeypatch, "text = 'risk: {max_positon_sol: 1}'")
    result = run("config", "edit")
    assert result.exit_code == 4
    assert "stays as it was" in result.stderr
    assert Path("pumpswap.yaml").read_text() == "risk: {max_position_sol: 1}\n"
    assert not list(here.glob(".pumpswap*"))


def test_edit_may_be_gone_on_with(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pumpswap.yaml").write_text("risk: {max_position_sol: 1}\n")
    # The first time a wrong key, the second time a right one.
    editor(here, monkeypatch, "text = text.replace('positon' if 'positon' in text else 'position', 'position'"
           " if 'positon' in text else 'positon').replace('1', '2')")  # fmt: skip
    exit_code, said = on_a_terminal(["config", "edit"], [("Go on editing?", "y")], cwd=here)
    assert exit_code == 0, said
    assert "did you mean max_position_sol?" in said
    assert Path("pumpswap.yaml").read_text() == "risk: {max_position_sol: 2}\n"
    exit_code, said = on_a_terminal(["config", "edit"], [("Go on editing?", "n")], cwd=here)
    assert exit_code == 4
    assert Path("pumpswap.yaml").read_text() == "risk: {max_position_sol: 2}\n"


def test_edit_of_a_file_that_is_not_there_begins_with_a_preset(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(here, monkeypatch, "")
    assert answer("config", "edit")["changed"] is True
    assert Path("pumpswap.yaml").read_text().startswith("# pumpswap.yaml: standard.")


# ---------------------------------------------------------------------------------------------- the plan, one file


@needs_plan
def test_the_plan_is_translated_and_the_result_is_right() -> None:
    plan = str(material("host", "plan_config.yaml"))
    shown = run("config", "import", plan)
    assert shown.exit_code == 0
    assert "stop_loss_bps: 2000  # pumpswap.stop_loss_percent (percent × 100)" in shown.stdout
    assert "# pumpswap.private_key_path: decided otherwise: D16" in shown.stdout
    assert "148 keys" in shown.stderr
    assert run("config", "import", plan, "--output", "pumpswap.yaml").exit_code == 0
    assert Path("pumpswap.yaml").read_text() == shown.stdout
    assert run("config", "validate").stdout == "pumpswap.yaml: in order, with the profiles devnet, mainnet\n"
    refusal(4, "config", "import", plan, "--output", "pumpswap.yaml")
    assert run("config", "import", plan, "--output", "pumpswap.yaml", "--force").exit_code == 0
    assert len(answer("config", "import", plan)["keys"]) == 148


def test_an_import_refuses_what_it_does_not_know() -> None:
    Path("plan.yaml").write_text("pumpswap: {stop_los_percent: 1}\nother: {}\n")
    error = refusal(4, "config", "import", "plan.yaml")
    assert "did you mean pumpswap.stop_loss_percent?" in error["what"]
    assert "other: no section of the plan or of the host" in error["what"]
    Path("plan.yaml").write_text("risk: {}\n")
    assert "none of the plan's sections" in refusal(4, "config", "import", "plan.yaml")["what"]
    refusal(3, "config", "import", "none.yaml")


def test_an_import_keeps_our_own_sections_of_a_file_for_both() -> None:
    Path("both.yaml").write_text(
        "dexes: {}\npumpswap: {stop_loss_percent: 5, exits: {stop_loss_bps: 7}, risk: {slippage_bps: 9}}\n"
    )
    found = answer("config", "import", "both.yaml")
    assert found["settings"] == {"exits": {"stop_loss_bps": 7}, "risk": {"slippage_bps": 9}}
    assert [row["plan"] for row in found["keys"]] == ["pumpswap.stop_loss_percent"]


def test_the_host_gets_a_copy_without_our_sections() -> None:
    Path("both.yaml").write_text("dexes: {}   # theirs\npumpswap:\n  stop_loss_percent: 5\nwhat: 1\n")
    result = run("config", "host-copy", "both.yaml", "config.yaml")
    assert result.stdout == "config.yaml: without pumpswap\n"
    assert "what: is no section of ours, and the host's rules refuse it" in result.stderr
    mark, rest = Path("config.yaml").read_text().split("\n", 1)
    assert mark.startswith("# A copy by `pumpswap config host-copy`")
    assert rest == "dexes: {}   # theirs\nwhat: 1\n"
    refusal(2, "config", "host-copy", "both.yaml", "both.yaml")
    refusal(3, "config", "host-copy", "none.yaml", "config.yaml")
    Path("both.yaml").write_text("dexes: {}\npumpswap: {stop_loss_percent: 5}\n")
    assert values("--config", "both.yaml", "--changed")["exits.stop_loss_bps"] == (500, "both.yaml")


def test_no_command_takes_the_host_s_file_away(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = "dexes: {targets: [pumpswap]}   # the only copy\n"
    Path("config.yaml").write_text(theirs)
    Path("pumpswap.yaml").write_text("risk: {}\n")
    Path("both.yaml").write_text("dexes: {}\nrisk: {}\n")
    Path("plan.yaml").write_text("pumpswap: {stop_loss_percent: 5}\n")
    monkeypatch.setenv("EDITOR", "true")
    for code, *words in (
        (2, "config", "host-copy", "pumpswap.yaml", "config.yaml", "--force"),
        (4, "config", "host-copy", "both.yaml", "config.yaml"),
        (4, "config", "import", "plan.yaml", "--output", "config.yaml", "--force"),
        (4, "config", "schema", "--output", "config.yaml"),
        (4, "config", "edit", "--config", "config.yaml"),
        (4, "init", "--yes", "--force", "--config", "config.yaml"),
    ):
        refusal(code, *words)
        assert Path("config.yaml").read_text() == theirs
    assert run("config", "host-copy", "both.yaml", "config.yaml", "--force").exit_code == 0
    assert run("config", "host-copy", "both.yaml", "config.yaml").exit_code == 0


def test_variables_of_other_programs_are_named_where_they_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAUTILUS_MAX_SLIPPAGE", "4")
    monkeypatch.setenv("BUY_SLIPPAGE", "15")
    warned = run("config", "show", "--changed").stderr
    ignored = "the variable BUY_SLIPPAGE of another program is ignored: risk: slippage_bps is above max_slippage_bps"
    assert ignored in warned
    assert (
        "the variable NAUTILUS_MAX_SLIPPAGE of another program sets risk.slippage_bps, risk.max_slippage_bps" in warned
    )
    warnings = answer("runs", "list", "--data-dir", "books")["warnings"]
    assert warnings == [ignored]
    begun = run(
        "run", "--market", "simulated", "--fast", "--duration", "60s", "--data-dir", "books", "--json"
    ).stdout.splitlines()[0]
    assert len(json.loads(begun)["warnings"]) == 2
    Path("pumpswap.yaml").write_text("risk: {slippage_bps: 200, max_slippage_bps: 200}\nfeasibility: {}\n")
    assert answer("config", "show")["warnings"] == []
    assert values("risk")["risk.max_slippage_bps"] == (200, "pumpswap.yaml")


def test_a_folder_that_cannot_be_written_is_an_error_and_no_traceback(here: Path) -> None:
    if os.geteuid() == 0:
        Path("folder").mkdir()
        Path("folder/file").write_text("")
        error = refusal(4, "config", "set", "risk.max_position_sol", "1", "--config", "folder/file/pumpswap.yaml")
        assert "cannot be written" in error["what"]
        return
    here.chmod(0o500)
    try:
        assert "cannot be written" in refusal(4, "config", "set", "risk.max_position_sol", "1")["what"]
    finally:
        here.chmod(0o700)


def test_remarks_about_a_file_of_two_programs_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "both.yaml"
    file.write_text("dexes: {}\npumpswap:\n  stop_loss_percent: 12.5\n  take_profit_percent: 70\n")
    short = run("--config", str(file), "config", "show", "--changed")
    assert "2 remarks about this file: -v tells them." in short.stderr
    assert "→" not in short.stderr
    assert (
        "pumpswap.stop_loss_percent → exits.stop_loss_bps" in run("-v", "--config", str(file), "config", "show").stderr
    )


def test_a_long_value_is_shown_whole(tmp_path: Path) -> None:
    file = tmp_path / "both.yaml"
    urls = ", ".join(f"http://127.0.0.1:{port}" for port in range(8_001, 8_007))
    file.write_text(f"chain:\n  endpoints: [{urls}]\n")
    shown = run("--config", str(file), "config", "show", "--changed")
    assert shown.exit_code == 0, shown.output
    assert "…" not in shown.stdout.replace("/…", "")
    assert shown.stdout.count("http://127.0.0.1/") == 6
