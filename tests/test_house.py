"""Rules about the repository itself."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import pumpswap
from tests.support.evidence import write_evidence
from tests.support.material import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# Written in two halves, so that this file does not match itself.
MACHINE_PATHS = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/runner/"]
REGISTRY_HOSTS = ["py" + "pi.org", "pythonho" + "sted", "np" + "mjs.", "deb.deb" + "ian.org"]


def pins(lock: Path) -> dict[str, set[str]]:
    """Package → what its lines pin. A package may have one version below some Python and another above."""
    found: dict[str, set[str]] = {}
    for name, rest in re.findall(r"^([a-z0-9._-]+)==(.+?)\s*\\?$", lock.read_text(encoding="utf-8"), re.MULTILINE):
        found.setdefault(name, set()).add(rest)
    return found


def tracked_files() -> list[Path]:
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        run = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    files = (ROOT / name for name in run.stdout.split("\0") if name)
    return [path for path in files if path.is_file()]


def test_each_environment_has_its_lock_file() -> None:
    both = ["nautilus-1.221", "nautilus-1.231"]
    assert [lock.stem for lock in LOCKS] == ["dev", "docs", *both, "qlib", "ray", "runtime"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_lock_file_names_no_host_and_hashes_every_requirement(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    assert "--extra-index" not in text
    requirements = text.replace("\\\n", " ").splitlines()
    assert len(requirements) > 1
    for requirement in requirements:
        assert re.match(r"[a-z0-9._-]+==\S+ ", requirement), requirement
        assert "--hash=sha256:" in requirement, requirement


def test_the_development_lock_is_a_superset_of_the_runtime_lock() -> None:
    runtime, development = (pins(ROOT / "requirements" / f"{name}.txt") for name in ("runtime", "dev"))
    assert {name: development.get(name) for name in runtime} == runtime


def test_no_source_file_is_over_500_lines() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "src").rglob("*.py")
    }
    assert lengths
    assert {name: count for name, count in lengths.items() if count > 500} == {}


def test_no_file_names_a_folder_of_a_machine_or_a_registry() -> None:
    forbidden = [pattern.encode() for pattern in MACHINE_PATHS + REGISTRY_HOSTS]
    found = {
        path.relative_to(ROOT).as_posix(): pattern.decode()
        for path in tracked_files()
        for pattern in forbidden
        if pattern in path.read_bytes()
    }
    assert found == {}


def test_the_installed_metadata_agree_with_the_project_file() -> None:
    assert importlib.metadata.version("pumpswap") == PROJECT["version"] == pumpswap.__version__
    (script,) = importlib.metadata.entry_points(group="console_scripts", name="pumpswap")
    assert script.value == PROJECT["scripts"]["pumpswap"]
    assert callable(script.load())


def test_evidence_carries_date_commit_and_machine_but_no_host_name(tmp_path: Path) -> None:
    path = write_evidence("house-check", {"swaps": 3}, ["a note"], folder=tmp_path)
    assert path == tmp_path / "house-check.json"
    text = path.read_text(encoding="utf-8")
    record = json.loads(text)
    assert record["figures"] == {"swaps": 3}
    assert record["notes"] == ["a note"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", record["date"])
    assert re.fullmatch(r"unknown|[0-9a-f]{4,40}(-dirty)?", record["commit"])
    assert set(record["machine"]) == {"cores", "cpu", "platform", "python"}
    assert str(ROOT) not in text


def test_evidence_refuses_a_name_that_is_a_path(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no name for evidence"):
        write_evidence("../outside", {}, [], folder=tmp_path)
