"""What the methods answer: values, commitments, encodings, filters; and a swap of the real program over the wire."""

from __future__ import annotations

from typing import Any, cast

import pytest
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Processed
from solana.rpc.models import DataSliceOpts, MemcmpOpts, TokenAccountOpts, TxOpts
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.keypair import Keypair
from solders.message import MessageV0, to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from pumpswap.amm.addresses import AMM_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM, WSOL_MINT, ata
from pumpswap.chain.node import ChainAccount, Commitment
from pumpswap.localnet import token_bytes
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.pools import fund_tokens, pool_state
from tests.localnet.wire import (
    BASE64,
    NEW,
    NOW,
    OLD,
    SENT_NOW,
    SOL,
    Client,
    buy,
    funded_chain,
    market_chain,
    payment,
    run,
    served,
    signature_of,
    text,
)  # fmt: skip
from tests.support.material import requires_material

COIN, COIN_2022 = (Pubkey(bytes([number]) * 32) for number in (11, 12))
PRICE = 1_500_000  # micro-lamports per compute unit


def chain_with_tokens() -> LocalChain:
    """The old wallet holds 1.5 of one coin and 7 units of another, the new one a quarter of the first."""
    chain = funded_chain()
    for mint, program, supply in ((COIN, TOKEN_PROGRAM, 10_000_000), (COIN_2022, TOKEN_2022_PROGRAM, 500)):
        chain.set_account(ChainAccount(mint, program, chain.rent(82), token_bytes.mint(supply, 6)))
    fund_tokens(chain, OLD.pubkey(), COIN, TOKEN_PROGRAM, 1_500_000)
    fund_tokens(chain, NEW.pubkey(), COIN, TOKEN_PROGRAM, 250_000)
    fund_tokens(chain, OLD.pubkey(), COIN_2022, TOKEN_2022_PROGRAM, 7)
    return chain


def test_token_methods_know_both_token_programs() -> None:
    async def story() -> None:
        async with served(chain_with_tokens()) as (_, client, urls), AsyncClient(urls.http) as solana:
            held = ata(OLD.pubkey(), COIN, TOKEN_PROGRAM)
            balance = (await solana.get_token_account_balance(held)).value
            assert (balance.amount, balance.decimals, balance.ui_amount_string) == ("1500000", 6, "1.5")
            assert (await solana.get_token_supply(COIN_2022)).value.amount == "500"
            by_mint = (await solana.get_token_accounts_by_owner(OLD.pubkey(), TokenAccountOpts(mint=COIN))).value
            assert [one.pubkey for one in by_mint] == [held]
            assert int.from_bytes(bytes(by_mint[0].account.data)[64:72], "little") == 1_500_000
            opts = TokenAccountOpts(program_id=TOKEN_2022_PROGRAM)
            (parsed,) = (await solana.get_token_accounts_by_owner_json_parsed(OLD.pubkey(), opts)).value
            info = cast(dict[str, Any], parsed.account.data.parsed)["info"]
            assert parsed.pubkey == ata(OLD.pubkey(), COIN_2022, TOKEN_2022_PROGRAM)
            assert (info["mint"], info["owner"], info["state"]) == (str(COIN_2022), str(OLD.pubkey()), "initialized")
            assert (info["tokenAmount"]["amount"], info["isNative"]) == ("7", False)
            largest = (await client.ask("getTokenLargestAccounts", str(COIN)))["value"]
            assert [one["amount"] for one in largest] == ["1500000", "250000"]

    run(story())


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("getTokenAccountBalance", [str(OLD.pubkey())]),
        ("getTokenAccountBalance", [str(Pubkey(b"\x55" * 32))]),
        ("getTokenSupply", [str(OLD.pubkey())]),
        ("getTokenAccountsByOwner", [str(OLD.pubkey()), {}]),
        ("getTokenAccountsByOwner", [str(OLD.pubkey()), {"programId": str(AMM_PROGRAM)}]),
        ("getTokenAccountsByOwner", [str(OLD.pubkey()), {"mint": str(Pubkey(b"\x55" * 32))}]),
        ("getMultipleAccounts", [[str(COIN)] * 101]),
        ("getAccountInfo", [str(COIN), {"encoding": "base32"}]),
        ("getProgramAccounts", [str(TOKEN_PROGRAM), {"filters": [{"dataSize": 1}] * 5}]),
        ("getProgramAccounts", [str(TOKEN_PROGRAM), {"filters": [{"memcmp": {"offset": 0}}]}]),
        ("getSignatureStatuses", [["short"]]),
        ("getTransaction", [str(Signature.default()), {"commitment": "processed"}]),
        ("getBalance", [str(COIN), {"commitment": "soon"}]),
        ("isBlockhashValid", ["no hash"]),
        ("getFeeForMessage", ["AAAA"]),
        ("getBlockTime", [10**12]),
    ],
)
def test_a_bad_parameter_is_refused_as_such(method: str, params: list[Any]) -> None:
    async def story() -> None:
        async with served(chain_with_tokens()) as (_, client, _urls):
            assert (await client.ask(method, *params))["code"] == -32602

    run(story())


def test_program_accounts_are_filtered_by_size_and_content_in_every_form() -> None:
    async def story() -> None:
        async with served(chain_with_tokens()) as (_, client, urls), AsyncClient(urls.http) as solana:
            owned = MemcmpOpts(offset=32, bytes=str(OLD.pubkey()))
            cut = DataSliceOpts(offset=64, length=8)
            found = (await solana.get_program_accounts(TOKEN_PROGRAM, None, "base64", cut, [165, owned])).value
            assert [one.pubkey for one in found] == [ata(OLD.pubkey(), COIN, TOKEN_PROGRAM)]
            assert bytes(found[0].account.data) == (1_500_000).to_bytes(8, "little")
            key = bytes(NEW.pubkey())
            for wanted in (
                {"offset": 32, "bytes": text(key), "encoding": "base64"},
                {"offset": 32, "bytes": str(NEW.pubkey()), "encoding": "base58"},
                {"offset": 32, "bytes": [*key]},
            ):
                options = {**BASE64, "filters": [{"memcmp": wanted}], "withContext": True}
                said = await client.ask("getProgramAccounts", str(TOKEN_PROGRAM), options)
                assert [one["pubkey"] for one in said["value"]] == [str(ata(NEW.pubkey(), COIN, TOKEN_PROGRAM))]
                assert said["context"]["slot"] > 0

    run(story())


def test_data_comes_in_each_encoding_whole_and_cut() -> None:
    async def story() -> None:
        async with served(chain_with_tokens()) as (server, client, _):
            held = ata(OLD.pubkey(), COIN, TOKEN_PROGRAM)
            account = server.chain.account(held)
            assert account is not None

            async def data(address: Pubkey, **options: Any) -> Any:
                said = await client.ask("getAccountInfo", str(address), options)
                return said["value"]["data"] if "value" in said else said["code"]

            assert await data(held, encoding="base64") == [text(account.data), "base64"]
            cut = {"offset": 0, "length": 32}
            assert await data(held, encoding="base58", dataSlice=cut) == [str(COIN), "base58"]
            assert await data(held, dataSlice=cut) == str(COIN)
            assert await data(held, encoding="base64", dataSlice={"offset": 160, "length": 99}) == [
                text(account.data[160:]),
                "base64",
            ]
            assert await data(held, encoding="base58") == -32600  # too long for base58
            mint = await data(COIN, encoding="jsonParsed")
            assert (mint["program"], mint["parsed"]["type"]) == ("spl-token", "mint")
            assert (mint["parsed"]["info"]["supply"], mint["parsed"]["info"]["decimals"]) == ("10000000", 6)
            assert await data(OLD.pubkey(), encoding="jsonParsed") == ["", "base64"]  # nothing to put in words

    run(story())


def test_reads_are_of_the_commitment_that_was_asked_for() -> None:
    async def story() -> None:
        async with served() as (server, client, _):
            chain = server.chain
            assert chain.submit(payment(chain)).err is None
            key, expected = str(NEW.pubkey()), {"processed": SOL, "confirmed": 0, "finalized": 0}
            for slots, changed in ((0, None), (1, "confirmed"), (31, "finalized")):
                chain.advance(slots)
                expected |= {changed: SOL} if changed else {}
                for commitment, lamports in expected.items():
                    said = await client.ask("getBalance", key, {"commitment": commitment})
                    behind = {"processed": 0, "confirmed": 1, "finalized": 32}[commitment]
                    assert (said["value"], said["context"]["slot"]) == (lamports, chain.slot - behind)
                    found = (await client.ask("getMultipleAccounts", [key], {"commitment": commitment}))["value"]
                    assert [one and one["lamports"] for one in found] == [lamports or None]

    run(story())


def test_a_blockhash_is_valid_from_its_own_block_to_its_last_height() -> None:
    async def story() -> None:
        async with served() as (server, client, urls), AsyncClient(urls.http) as solana:
            chain = server.chain
            latest = (await solana.get_latest_blockhash()).value
            expected = chain.block_at(Commitment.FINALIZED)
            assert (latest.blockhash, latest.last_valid_block_height) == (expected.blockhash, expected.height + 150)
            newest = str(chain.blocks.newest.blockhash)
            # A block that is not confirmed yet is none for who asks about confirmed ones.
            assert (await client.ask("isBlockhashValid", newest, NOW))["value"] is True
            assert (await client.ask("isBlockhashValid", newest, {"commitment": "confirmed"}))["value"] is False
            chain.advance(150)
            assert (await client.ask("isBlockhashValid", newest, NOW))["value"] is True
            chain.advance()
            assert (await client.ask("isBlockhashValid", newest, NOW))["value"] is False
            assert (await client.ask("isBlockhashValid", str(Keypair().pubkey()), NOW))["value"] is False

    run(story())


def test_fees_of_a_message_are_what_is_charged_and_what_others_paid_is_told() -> None:
    async def story() -> None:
        async with served() as (server, client, urls), AsyncClient(urls.http) as solana:
            chain = server.chain
            steps = [set_compute_unit_limit(1_001), set_compute_unit_price(PRICE)]
            steps.append(transfer(TransferParams(from_pubkey=OLD.pubkey(), to_pubkey=NEW.pubkey(), lamports=SOL)))
            message = MessageV0.try_compile(OLD.pubkey(), steps, [], chain.blocks.newest.blockhash)
            fee = (await solana.get_fee_for_message(message, Processed)).value
            assert fee == 5_000 + 1_502  # 1,501.5 lamports, rounded up
            signed = VersionedTransaction(message, [OLD])
            signature = (await solana.send_raw_transaction(bytes(signed), TxOpts(skip_preflight=True))).value
            landed = chain.transaction(str(signature))
            assert landed is not None
            assert landed.fee == fee
            told = await client.ask("getRecentPrioritizationFees", [str(OLD.pubkey())])
            assert told[-1] == {"slot": chain.slot, "prioritizationFee": PRICE}
            assert {one["prioritizationFee"] for one in told[:-1]} <= {0}
            others = await client.ask("getRecentPrioritizationFees", [str(COIN)])
            assert {one["prioritizationFee"] for one in others} == {0}
            chain.advance(151)
            assert (await client.ask("getFeeForMessage", text(to_bytes_versioned(message)), NOW))["value"] is None

    run(story())


def test_the_faucet_blocks_and_times_are_told_to_solana_py() -> None:
    async def story() -> None:
        async with served() as (server, client, urls), AsyncClient(urls.http) as solana:
            chain = server.chain
            signature = (await solana.request_airdrop(NEW.pubkey(), 3 * SOL)).value
            slot = chain.slot
            chain.advance(40)
            assert (await solana.get_balance(NEW.pubkey())).value == 3 * SOL
            assert (await solana.get_block_time(slot)).value == chain.time_of(slot)
            block = (await solana.get_block(slot, "base64", 0)).value
            assert block is not None
            assert block.transactions is not None
            (landed,) = block.transactions
            assert isinstance(landed.transaction, VersionedTransaction)
            assert landed.transaction.signatures == [signature]
            names = await client.ask("getBlock", slot, {"transactionDetails": "signatures"})
            assert names["signatures"] == [str(signature)]
            assert (names["parentSlot"], names["blockTime"]) == (slot - 1, chain.time_of(slot))
            assert names["blockhash"] == str(chain.blocks.at_or_below(slot).blockhash)
            assert (await client.ask("getBlock", chain.slot + 5))["code"] == -32602

    run(story())


def test_the_history_of_an_address_is_paged_by_signature() -> None:
    async def story() -> None:
        async with served() as (server, _, urls), AsyncClient(urls.http) as solana:
            chain = server.chain
            sent: list[Signature] = []
            for number in range(5):
                raw = payment(chain, SOL // 2 + number)
                assert chain.submit(raw).err is None
                sent.insert(0, Signature.from_string(signature_of(raw)))
                chain.advance()
            chain.advance(40)

            async def page(**options: Any) -> list[Signature]:
                return [
                    one.signature for one in (await solana.get_signatures_for_address(NEW.pubkey(), **options)).value
                ]

            assert await page() == sent
            assert await page(limit=2) == sent[:2]
            assert await page(before=sent[1], limit=2) == sent[2:4]
            assert await page(until=sent[3]) == sent[:3]
            assert await page(before=Signature.default()) == []

    run(story())


def test_a_wrong_signature_too_many_bytes_and_too_new_a_slot_are_refused() -> None:
    async def story() -> None:
        async with served() as (server, client, _):
            raw = bytearray(payment(server.chain))
            raw[5] ^= 1
            assert (await client.ask("sendTransaction", text(bytes(raw)), SENT_NOW))["code"] == -32003
            verify = {**BASE64, **NOW, "sigVerify": True}
            assert (await client.ask("simulateTransaction", text(bytes(raw)), verify))["code"] == -32003
            both = {**verify, "replaceRecentBlockhash": True}
            assert (await client.ask("simulateTransaction", text(payment(server.chain)), both))["code"] == -32602
            assert (await client.ask("sendTransaction", text(bytes(1_233)), SENT_NOW))["code"] == -32602
            early = {"minContextSlot": server.chain.slot + 1}
            for method, params in (
                ("getAccountInfo", [str(COIN), {**NOW, **early}]),
                ("sendTransaction", [text(payment(server.chain)), {**SENT_NOW, **early}]),
                ("getLatestBlockhash", [{**NOW, **early}]),
            ):
                said = await client.ask(method, *params)
                assert (said["code"], said["data"]) == (-32016, {"contextSlot": server.chain.slot})
            assert server.chain.transaction(signature_of(payment(server.chain))) is None

    run(story())


# ---------------------------------------------------------------------------------------------- the real program


async def landed_swap(client: Client, chain: LocalChain, raw: bytes, encoding: str) -> dict[str, Any]:
    signature = await client.ask("sendTransaction", text(raw), SENT_NOW)
    assert signature == signature_of(raw)
    assert await client.ask("sendTransaction", text(raw), SENT_NOW) == signature
    chain.advance()
    options = {"encoding": encoding, "commitment": "confirmed", "maxSupportedTransactionVersion": 0}
    found: dict[str, Any] = await client.ask("getTransaction", signature, options)
    return found


@requires_material("chain", "programs")
@pytest.mark.parametrize("encoding", ["json", "jsonParsed", "base64"])
def test_p03_a_swap_that_is_sent_twice_lands_once_exactly_as_quoted_and_is_told_whole(encoding: str) -> None:
    async def story() -> None:
        chain, state, key = market_chain()
        async with served(chain) as (_, client, _urls):
            before = len(chain.log)
            raw, quote = buy(chain, state, key)
            found = await landed_swap(client, chain, raw, encoding)
            after, expected = pool_state(chain, state), state.after(quote)
            assert (after.base_reserve, after.quote_vault) == (expected.base_reserve, expected.quote_vault)
            assert len(chain.log) == before + 1
            meta = found["meta"]
            assert meta["err"] is None
            record = chain.transaction(signature_of(raw))
            assert record is not None
            keys = [str(one) for one in record.keys]
            mine = str(ata(key.pubkey(), state.pool.base_mint, state.base_token_program))
            held = {keys[one["accountIndex"]]: one for one in meta["postTokenBalances"]}
            assert held[mine]["uiTokenAmount"]["amount"] == str(quote.base_out)
            assert (held[mine]["mint"], held[mine]["owner"]) == (str(state.pool.base_mint), str(key.pubkey()))
            assert mine not in {keys[one["accountIndex"]] for one in meta["preTokenBalances"]}
            vault = str(state.pool.pool_quote_token_account)
            moved = [
                int(one["uiTokenAmount"]["amount"])
                for listed in (meta["preTokenBalances"], meta["postTokenBalances"])
                for one in listed
                if keys[one["accountIndex"]] == vault
            ]
            assert moved == [state.quote_vault, expected.quote_vault]
            inner = [step for group in meta["innerInstructions"] for step in group["instructions"]]
            assert min(step["stackHeight"] for step in inner) == 2
            programs = {step.get("programId") or keys[step["programIdIndex"]] for step in inner}
            assert {str(AMM_PROGRAM), str(state.base_token_program)} <= programs  # its event calls itself
            assert f"Program {AMM_PROGRAM} success" in meta["logMessages"]
            assert 50_000 < meta["computeUnitsConsumed"] < 400_000
            told = found["transaction"]
            if encoding == "base64":
                assert told == [text(raw), "base64"]
            elif encoding == "json":
                assert told["message"]["accountKeys"] == keys
            else:
                listed = told["message"]["accountKeys"]
                assert [one["pubkey"] for one in listed if one["signer"]] == [str(key.pubkey())]
                assert [one["pubkey"] for one in listed] == keys

    run(story())


@requires_material("chain", "programs")
def test_a_swap_beyond_its_limit_is_refused_before_it_is_sent_and_fails_on_the_chain_without_preflight() -> None:
    async def story() -> None:
        chain, state, key = market_chain()
        async with served(chain) as (_, client, _urls):
            raw, _ = buy(chain, state, key, limit=1)
            refused = await client.ask("sendTransaction", text(raw), SENT_NOW)
            data = refused["data"]
            where, why = data["err"]["InstructionError"]
            assert (refused["code"], why) == (-32002, {"Custom": 6004})
            assert refused["message"].endswith(f"Error processing Instruction {where}: custom program error: 0x1774")
            assert any("ExceededSlippage" in line for line in data["logs"])
            assert data["unitsConsumed"] > 10_000
            assert data["accounts"] is None
            assert chain.transaction(signature_of(raw)) is None
            sent = await client.ask("sendTransaction", text(raw), {**BASE64, "skipPreflight": True})
            (status,) = (await client.ask("getSignatureStatuses", [sent]))["value"]
            assert status["err"] == data["err"]
            assert status["status"] == {"Err": data["err"]}
            after = pool_state(chain, state)
            assert (after.base_reserve, after.quote_vault) == (state.base_reserve, state.quote_vault)

    run(story())


@requires_material("chain", "programs")
def test_a_simulated_swap_tells_accounts_and_inner_instructions_and_moves_nothing() -> None:
    async def story() -> None:
        chain, state, key = market_chain()
        async with served(chain) as (_, client, urls), AsyncClient(urls.http) as solana:
            raw, quote = buy(chain, state, key)
            vault = state.pool.pool_base_token_account
            said = await solana.simulate_transaction(
                VersionedTransaction.from_bytes(raw),
                sig_verify=True,
                commitment=Processed,
                inner_instructions=True,
                accounts_addresses=[vault, Pubkey(b"\x66" * 32)],
            )
            ran = said.value
            assert ran.err is None
            assert ran.accounts is not None
            assert ran.accounts[1] is None
            assert ran.accounts[0] is not None
            left = int.from_bytes(bytes(ran.accounts[0].data)[64:72], "little")
            assert left == state.after(quote).base_reserve
            assert ran.inner_instructions is not None
            assert sum(len(one.instructions) for one in ran.inner_instructions) >= 5
            landed_units = ran.units_consumed
            assert (pool_state(chain, state).base_reserve, chain.transaction(signature_of(raw))) == (
                state.base_reserve,
                None,
            )
            # With another hash the signature cannot be right; what it would do is told all the same.
            chain.advance(200)
            expired = await client.ask("simulateTransaction", text(raw), {**BASE64, **NOW})
            assert expired["value"]["err"] == "BlockhashNotFound"
            options = {**BASE64, **NOW, "replaceRecentBlockhash": True}
            replaced = (await client.ask("simulateTransaction", text(raw), options))["value"]
            assert (replaced["err"], replaced["unitsConsumed"]) == (None, landed_units)
            assert replaced["replacementBlockhash"]["blockhash"] == str(chain.blocks.newest.blockhash)

    run(story())


@requires_material("chain", "programs")
def test_wrapped_sol_is_told_as_native() -> None:
    async def story() -> None:
        chain, state, _ = market_chain()
        async with served(chain) as (_, client, _urls):
            wanted = {"mint": str(WSOL_MINT)}
            said = await client.ask(
                "getTokenAccountsByOwner", str(state.address), wanted, {"encoding": "jsonParsed", **NOW}
            )
            (vault,) = said["value"]
            info = vault["account"]["data"]["parsed"]["info"]
            assert vault["pubkey"] == str(state.pool.pool_quote_token_account)
            assert (info["isNative"], info["tokenAmount"]["amount"]) == (True, str(state.quote_vault))
            assert info["rentExemptReserve"]["amount"] == str(chain.rent(165))
            assert vault["account"]["lamports"] == state.quote_vault + chain.rent(165)

    run(story())
