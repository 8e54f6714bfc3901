"""Small hosts made by hand, and what attach says about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from pumpswap.storage.host.attach import attach
from pumpswap.storage.host.detach import detach
from pumpswap.storage.host.plan import Plan, Step
from tests.support import host_image
from tests.support.host_image import connect
from tests.support.host_tables import run_script

__all__ = ["ONE", "POOLS", "TWO", "at", "image", "pairs", "pool", "roles", "round_trip", "step"]

# 32 bytes in base58; "Pool1111" and the like of the other tests are none.
ONE = "DDhdQqQGADb2qmXgn59QBtAdmvasQdMV3MRvFpxW2MfJ"
TWO = "45kCNp7YTTnmWsxJ1SgT54G8K8RjL7J3LPJom3r4GUpc"
POOLS = (
    "CREATE TABLE pools (id VARCHAR(200) PRIMARY KEY, address VARCHAR(100), dex_id VARCHAR(100), name VARCHAR(200));"
)


def pool(address: str, dex: str = "pumpswap", pool_id: str | None = None) -> str:
    """A row, as SQL."""
    return f"INSERT INTO pools (id, address, dex_id) VALUES ('{pool_id or f'solana_{address}'}', '{address}', '{dex}');"


def step(plan: Plan, start: str) -> Step:
    """The only step whose text begins so."""
    (found,) = [one for one in plan.steps if one.text.startswith(start)]
    return found


def pairs(url: str) -> dict[str, str | None]:
    """Pair addresses by pool."""
    with connect(url) as connection:
        return dict(connection.execute("SELECT id, pumpswap_pair_address FROM pools").fetchall())


def image(url: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The whole schema and every row."""
    return host_image.schema(url), host_image.rows(url, host_image.columns(url))


def round_trip(url: str, folder: Path) -> Plan:
    """Attach, twice, and detach; the host must be as it was."""
    before = image(url)
    plan = attach(url, 1)
    assert not attach(url, 2).changes_anything
    detach(url, folder / "export", 3)
    assert image(url) == before
    return plan


def at(url: str, user: str | None = None, search_path: str | None = None) -> str:
    """The same database as another login, or with another search path."""
    if user is not None:
        url = url.replace("://postgres", f"://{user}", 1)
    if search_path is not None:
        url += f"&options={quote(f'-csearch_path={search_path}')}"
    return url


def roles(postgres: str, *statements: str) -> tuple[str, str]:
    """Two logins whose names are of this database only; ``{owner}`` and ``{other}`` in the statements."""
    name = postgres.partition("/test_")[2].partition("?")[0]
    owner, other = f"owner_{name}", f"other_{name}"
    run_script(postgres, f"CREATE ROLE {owner} LOGIN; CREATE ROLE {other} LOGIN;")
    for statement in statements:
        run_script(postgres, statement.format(owner=owner, other=other))
    return owner, other
