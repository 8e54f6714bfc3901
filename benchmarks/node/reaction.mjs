// The official SDK's side of two measurements of `make bench`; one JSON request on stdin, one JSON object on stdout.
//
// reaction: the same round as benchmarks/reaction.py: decode the pool and two vaults, quote, build, compile, sign,
// serialise; before and after signing one line is appended to a file and forced to the disk, as the store does there.
// events: swaps out of log lines with the event parser that comes with the SDK.

import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";
import { swapState } from "./oracle_instructions.mjs";
import { accountInfo, big, key } from "./oracle_values.mjs";

const require = createRequire(import.meta.url);
const sdk = require("@pump-fun/pump-swap-sdk");
const { EventParser } = require("@coral-xyz/anchor");
const { AccountLayout, getAssociatedTokenAddressSync } = require("@solana/spl-token");
const { ComputeBudgetProgram, Keypair, TransactionMessage, VersionedTransaction } = require("@solana/web3.js");

const request = JSON.parse(readFileSync(0, "utf8"));
const amm = sdk.PUMP_AMM_SDK;
const globalConfig = amm.decodeGlobalConfig(accountInfo(request.global_config, sdk.PUMP_AMM_PROGRAM_ID));
const feeConfig = amm.decodeFeeConfig(accountInfo(request.fee_config, sdk.PUMP_FEE_PROGRAM_ID));
const signer = Keypair.fromSeed(Buffer.alloc(32, 7));
const ata = (mint, program) =>
  getAssociatedTokenAddressSync(key(mint), signer.publicKey, true, key(program)).toBase58();
const template = swapState(
  {
    ...request.state,
    user: signer.publicKey.toBase58(),
    user_base_token_account: ata(request.state.pool.base_mint, request.state.base_token_program),
    user_quote_token_account: ata(request.state.pool.quote_mint, request.state.quote_token_program),
    user_base_exists: false,
    user_quote_exists: false,
  },
  { globalConfig, feeConfig },
);
const blockhash = signer.publicKey.toBase58();
const poolInfo = accountInfo(request.pool_account, sdk.PUMP_AMM_PROGRAM_ID);
const vault = Buffer.from(request.vault_account, "base64");
const file = openSync(request.file, "a");

let storing = 0;
let programs = [];

function stored(line) {
  const began = performance.now();
  writeSync(file, `${line}\n`);
  fsyncSync(file);
  storing += performance.now() - began;
}

async function round(number) {
  const pool = amm.decodePool(poolInfo);
  const baseVault = AccountLayout.decode(vault);
  const quoteVault = AccountLayout.decode(vault);
  const swap = {
    ...template,
    pool: { ...template.pool, lpSupply: pool.lpSupply },
    poolBaseAmount: template.poolBaseAmount.addn(Number(baseVault.amount % 2n) + number),
    poolQuoteAmount: template.poolQuoteAmount.addn(Number(quoteVault.amount % 2n) + number),
  };
  const quote = big(String(100_000_000 + number));
  const list = await amm.buyQuoteInput(swap, quote, 1);
  programs = list.map((one) => one.programId.toBase58());
  stored(JSON.stringify({ order: number, quote: quote.toString() }));
  const message = new TransactionMessage({
    payerKey: signer.publicKey,
    recentBlockhash: blockhash,
    instructions: [
      ComputeBudgetProgram.setComputeUnitLimit({ units: 150_000 }),
      ComputeBudgetProgram.setComputeUnitPrice({ microLamports: 100_000 }),
      ...list,
    ],
  }).compileToV0Message();
  const transaction = new VersionedTransaction(message);
  transaction.sign([signer]);
  stored(Buffer.from(transaction.serialize()).toString("base64"));
}

const taken = [];
const onDisk = [];
for (let number = 0; number < request.rounds + request.warm_up; number += 1) {
  storing = 0;
  const began = performance.now();
  await round(number);
  if (number < request.warm_up) continue;
  taken.push(performance.now() - began);
  onDisk.push(storing);
}
closeSync(file);
const rest = taken.map((whole, at) => whole - onDisk[at]);
const at = (values, part) => values.sort((left, right) => left - right)[Math.floor(values.length * part)];

const parser = new EventParser(sdk.PUMP_AMM_PROGRAM_ID, sdk.OFFLINE_PUMP_AMM_PROGRAM.coder);
let best = Infinity;
let swaps = 0;
for (let pass = 0; pass < request.passes; pass += 1) {
  const began = performance.now();
  swaps = 0;
  for (const logs of request.logs) {
    for (const event of parser.parseLogs(logs)) {
      if (/^(buy|sell)event$/i.test(event.name)) swaps += 1;
    }
  }
  best = Math.min(best, performance.now() - began);
}
console.log(
  JSON.stringify({
    reaction_ms: {
      p50: at(taken, 0.5),
      p99: at(taken, 0.99),
      parts_p50: { "both stores": at(onDisk, 0.5), "everything else": at(rest, 0.5) },
    },
    programs,
    swaps,
    swaps_per_second: (swaps / best) * 1000,
  }),
);
