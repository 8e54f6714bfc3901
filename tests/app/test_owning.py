"""Adopting and ignoring without a chain: whose books, under which lock, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from solders.pubkey import Pubkey

from pumpswap.amm.addresses import WSOL_MINT, canonical_pool
from pumpswap.app.books import chosen_books, position_of, unassigned_units
from pumpswap.app.owning import AdoptionWish, locked_books
from pumpswap.chain.networks import DEVNET_GENESIS, MAINNET_GENESIS
from pumpswap.errors import NotFound, StorageError, UsageError
from pumpswap.model import EntryKind
from pumpswap.portfolio.audit import audit_run
from pumpswap.settings import ChainSettings, DatabaseSettings, Settings
from pumpswap.storage import Database, Run, open_database
from tests.storage import samples
from tests.support.postgres import fresh_database

WALLET, OTHER = Pubkey.new_unique(), Pubkey.new_unique()
COIN = Pubkey.new_unique()
MINT, POOL = str(COIN), str(canonical_pool(COIN))
NOW = samples.NS + 99


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with open_database(settings.database_target) as opened:
        yield opened


def live(database: Database, wallet: Pubkey = WALLET, network: str = MAINNET_GENESIS) -> Run:
    return database.start_run("live", samples.NS, wallet=str(wallet), network=network)


@pytest.fixture
def run(database: Database) -> Run:
    """Live books with 1 000 units of a coin that came from outside."""
    run = live(database)
    came = samples.entry(2, 1_000, asset=MINT, kind=EntryKind.FOREIGN, signature="s", note="airdrop")
    run.append_entries([samples.entry(1), came])
    return run


def adopt(settings: Settings, cost_lamports: int = 7, **wish: Any) -> None:
    with locked_books(settings, WALLET) as owned:
        owned.adopt(owned.planned(AdoptionWish(COIN, **wish), NOW, cost_lamports))


# ---------------------------------------------------------------------------------------------- adopting


def test_all_free_units_become_a_position_in_the_canonical_pool(run: Run, settings: Settings) -> None:
    adopt(settings)
    (position,) = run.open_positions()
    assert (position.pool, position.mint, position.base_units, position.cost_lamports) == (POOL, MINT, 1_000, 7)
    (adoption,) = run.owned.adoptions()
    assert (adoption.after_sequence, adoption.at_ns, adoption.base_units) == (2, NOW, 1_000)
    assert audit_run(run).differences == ()
    with pytest.raises(NotFound, match="no units of"):
        adopt(settings)


def test_a_part_leaves_the_rest_free_for_another_pool(run: Run, settings: Settings) -> None:
    other = Pubkey.new_unique()
    adopt(settings, base_units=400)
    adopt(settings, base_units=500, pool=other)
    assert [(each.pool, each.base_units) for each in run.open_positions()] == [(POOL, 400), (str(other), 500)]
    with pytest.raises(UsageError, match="101 base units of"):
        adopt(settings, base_units=101, pool=Pubkey.new_unique())
    assert len(list(run.owned.adoptions())) == 2
    assert audit_run(run).differences == ()


def test_a_coin_of_which_an_order_may_land_is_not_adopted(run: Run, settings: Settings) -> None:
    run.save_decision(samples.decision())
    run.save_order(samples.order(mint=MINT))
    with pytest.raises(UsageError, match="may still land"):
        adopt(settings)


def test_sol_and_the_pool_of_another_coin_are_refused(run: Run, settings: Settings) -> None:
    run.save_position(samples.position(pool=POOL, mint="another", base_units=0, closed_ns=5))
    with pytest.raises(UsageError, match="trades another"):
        adopt(settings)
    with locked_books(settings, WALLET) as owned:
        with pytest.raises(UsageError, match="wrapped SOL is SOL"):
            owned.planned(AdoptionWish(WSOL_MINT), NOW, 0)
        with pytest.raises(UsageError, match="wrapped SOL is SOL"):
            owned.ignore(WSOL_MINT, NOW, "")
    assert list(run.owned.adoptions()) == []


def test_what_is_ignored_is_in_no_list_and_not_adopted(run: Run, database: Database, settings: Settings) -> None:
    books = chosen_books(database)
    assert books is not None
    assert unassigned_units(books) == {MINT: 1_000}
    with locked_books(settings, WALLET) as owned:
        owned.ignore(COIN, NOW, "spam")
    assert unassigned_units(books) == {}
    with pytest.raises(UsageError, match="is ignored"):
        adopt(settings)
    with locked_books(settings, WALLET) as owned:
        owned.heed(COIN)
    adopt(settings)
    assert unassigned_units(books) == {}
    with locked_books(settings, WALLET) as owned, pytest.raises(UsageError, match="a position holds"):
        owned.ignore(COIN, NOW, "")


# ---------------------------------------------------------------------------------------------- whose books


def test_the_lock_is_held_in_the_block_and_released_after_it(run: Run, settings: Settings) -> None:
    for _ in range(2):
        with locked_books(settings, WALLET):
            with pytest.raises(StorageError, match="another process is trading"), locked_books(settings, WALLET):
                pass
            with pytest.raises(StorageError, match="another process is trading"), locked_books(settings, None, 1):
                pass


def test_a_trader_on_another_machine_that_shares_the_server_keeps_the_books_to_itself(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database=DatabaseSettings(url=SecretStr(fresh_database())))
    with open_database(settings.database_target) as database:
        live(database)
        trading = database.claim(f"wallet {WALLET} on {MAINNET_GENESIS}")
        with pytest.raises(StorageError, match="somebody else writes the books"), locked_books(settings, WALLET):
            pass
        trading.release()
        with locked_books(settings, WALLET), pytest.raises(StorageError, match="somebody else writes the books"):
            database.claim(f"wallet {WALLET} on {MAINNET_GENESIS}")
        database.claim(f"wallet {WALLET} on {MAINNET_GENESIS}").release()


def test_wallet_and_network_choose_and_several_must_be_named(database: Database, settings: Settings) -> None:
    runs = [live(database), live(database, network=DEVNET_GENESIS), live(database, OTHER)]
    database.start_run("demo", samples.NS)

    def chosen(wallet: Pubkey | None, network: Any = None, number: int | None = None) -> int:
        within = settings.model_copy(update={"chain": ChainSettings(network=network)})
        with locked_books(within, wallet, number) as owned:
            return owned.books.run.run_id

    assert chosen(OTHER) == runs[2].run_id
    assert chosen(WALLET, "devnet") == runs[1].run_id
    assert chosen(WALLET, "mainnet") == runs[0].run_id
    assert chosen(None, "devnet") == runs[1].run_id
    assert chosen(WALLET, "mainnet", 2) == 2
    with pytest.raises(UsageError, match="several live runs fit: 1, 2"):
        chosen(WALLET)
    with pytest.raises(NotFound, match=f"no live books of wallet {OTHER} on devnet"):
        chosen(OTHER, "devnet")
    with pytest.raises(UsageError, match="run 4 is no live run"):
        chosen(WALLET, None, 4)
    runs[2].finish(samples.NS + 1, {})
    with pytest.raises(UsageError, match="run 3 is finished"):
        chosen(WALLET, None, 3)
    with pytest.raises(NotFound, match="no live books"):
        chosen(OTHER)


def test_without_a_database_there_is_nothing_to_change(settings: Settings) -> None:
    with pytest.raises(NotFound, match="there are no books"), locked_books(settings, WALLET):
        pass
    assert list(settings.data_dir.iterdir()) == []


# ---------------------------------------------------------------------------------------------- what to close


def test_a_position_is_named_by_its_pool_or_by_a_coin_of_one_pool() -> None:
    first, second = samples.position(), samples.position(pool="Pool2222", mint="Mint2222")
    third = samples.position(pool="Pool3333", mint="Mint2222")
    held = [first, second, third]
    assert position_of(held, samples.POOL) == position_of(held, samples.MINT) == first
    assert position_of(held, "Pool3333") == third
    assert position_of(held, "nobody") is None
    with pytest.raises(UsageError, match="held in 2 pools") as error:
        position_of(held, "Mint2222")
    assert "Pool2222, Pool3333" in error.value.hint
