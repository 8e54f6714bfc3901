"""The recorded mainnet material: too large for the repository, optional for the tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def material(*parts: str) -> Path | None:
    """A file or folder of the material, in PUMPSWAP_MATERIAL or else in ../shared beside the checkout."""
    folder = os.environ.get("PUMPSWAP_MATERIAL") or ROOT.parent / "shared"
    path = Path(folder, *parts)
    return path if path.exists() else None


def requires_material(*parts: str) -> pytest.MarkDecorator:
    """Skip the test where this part of the material is absent, and say which."""
    shown = "/".join(("..", "shared", *parts))
    return pytest.mark.skipif(material(*parts) is None, reason=f"recorded mainnet material ({shown}) is not here")
