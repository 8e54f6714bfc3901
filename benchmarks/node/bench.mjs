// The official SDK's side of `make bench`: one JSON request on stdin, one JSON object with microseconds on stdout.
//
// It runs beside the installation of tests/conformance (see __init__.py) and shares its state builders, so what is
// measured here is what is compared there. Everything that a user prepares once per pool is prepared outside the loop.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";
import { swapState } from "./oracle_instructions.mjs";
import { accountInfo, big, key } from "./oracle_values.mjs";

const require = createRequire(import.meta.url);
const sdk = require("@pump-fun/pump-swap-sdk");
const { getAssociatedTokenAddressSync } = require("@solana/spl-token");
const { ComputeBudgetProgram, Keypair, TransactionMessage, VersionedTransaction } = require("@solana/web3.js");

const request = JSON.parse(readFileSync(0, "utf8"));
const amm = sdk.PUMP_AMM_SDK;
const coder = sdk.OFFLINE_PUMP_AMM_PROGRAM.coder;

const globalConfig = amm.decodeGlobalConfig(accountInfo(request.global_config, sdk.PUMP_AMM_PROGRAM_ID));
const feeConfig = amm.decodeFeeConfig(accountInfo(request.fee_config, sdk.PUMP_FEE_PROGRAM_ID));
const poolInfo = accountInfo(request.pool_account, sdk.PUMP_AMM_PROGRAM_ID);
const [base, quote] = [big(request.base), big(request.quote)];

// A fixed key: the figure must not depend on the bumps of a random one.
const signer = Keypair.fromSeed(Buffer.alloc(32, 7));
const ata = (mint, program) =>
  getAssociatedTokenAddressSync(key(mint), signer.publicKey, true, key(program)).toBase58();
const swap = swapState(
  {
    ...request.state,
    user: signer.publicKey.toBase58(),
    user_base_token_account: ata(request.state.pool.base_mint, request.state.base_token_program),
    user_quote_token_account: ata(request.state.pool.quote_mint, request.state.quote_token_program),
  },
  { globalConfig, feeConfig },
);
const common = {
  slippage: 1,
  baseReserve: swap.poolBaseAmount,
  quoteReserve: swap.poolQuoteAmount,
  virtualQuoteReserves: swap.pool.virtualQuoteReserves,
  globalConfig,
  feeConfig,
  baseMintAccount: swap.baseMintAccount,
  baseMint: swap.baseMint,
  coinCreator: swap.pool.coinCreator,
  creator: swap.pool.creator,
  quoteMint: swap.pool.quoteMint,
  isMayhemMode: swap.pool.isMayhemMode,
  creatorFeeBps: swap.pool.creatorFeeBps,
};
const { maxQuote } = sdk.buyBaseInput({ ...common, base });
const blockhash = signer.publicKey.toBase58(); // any 32 bytes

async function instructions() {
  return [
    ComputeBudgetProgram.setComputeUnitLimit({ units: 200_000 }),
    ComputeBudgetProgram.setComputeUnitPrice({ microLamports: 100_000 }),
    ...(await amm.buyInstructions(swap, base, maxQuote)),
  ];
}

function signed(list) {
  const message = new TransactionMessage({
    payerKey: signer.publicKey,
    recentBlockhash: blockhash,
    instructions: list,
  }).compileToV0Message();
  const transaction = new VersionedTransaction(message);
  transaction.sign([signer]);
  return transaction.serialize();
}

const built = await instructions();
const flat = { ...common, feeConfig: null }; // then the SDK looks no tier up
const OPERATIONS = {
  buy_base_input: () => sdk.buyBaseInput({ ...common, base }),
  buy_quote_input: () => sdk.buyQuoteInput({ ...common, quote }),
  sell_base_input: () => sdk.sellBaseInput({ ...common, base }),
  decode_pool: () => amm.decodePool(poolInfo),
  decode_event: () => coder.events.decode(request.event),
  build_swap: () => instructions(),
  compile_sign_serialise: () => signed(built),
  build_and_sign_swap: async () => signed(await instructions()),
  buy_base_input_flat: () => sdk.buyBaseInput({ ...flat, base }),
  buy_quote_input_flat: () => sdk.buyQuoteInput({ ...flat, quote }),
  sell_base_input_flat: () => sdk.sellBaseInput({ ...flat, base }),
};
const chosen = request.only ?? Object.keys(OPERATIONS).filter((name) => !name.endsWith("_flat"));

async function timed(operation, count) {
  const began = performance.now();
  for (let at = 0; at < count; at += 1) {
    const result = operation();
    if (result instanceof Promise) await result;
  }
  return ((performance.now() - began) * 1000) / count;
}

// Best of several batches: what the machine can do, with as little of its noise as possible.
async function best(operation, { batch_ms = 150, batches = 7, warm_up_ms = 500 }) {
  let [count, spent] = [1, 0];
  let each = await timed(operation, 1);
  while (spent < warm_up_ms * 1000) {
    count = Math.max(1, Math.min(count * 2, Math.ceil((batch_ms * 1000) / each)));
    each = await timed(operation, count);
    spent += each * count;
  }
  const iterations = Math.max(1, Math.ceil((batch_ms * 1000) / each));
  let microseconds = Infinity;
  for (let batch = 0; batch < batches; batch += 1) {
    microseconds = Math.min(microseconds, await timed(operation, iterations));
  }
  return { microseconds: Number(microseconds.toFixed(3)), iterations: iterations * batches };
}

const manifest = new URL("node_modules/@pump-fun/pump-swap-sdk/package.json", import.meta.url);
const results = {};
for (const name of chosen) {
  results[name] = await best(OPERATIONS[name], request.effort ?? {});
}
console.log(
  JSON.stringify({
    sdk: JSON.parse(readFileSync(manifest)).version,
    node: process.versions.node,
    transaction_bytes: signed(built).length,
    instructions: built.length,
    microseconds: Object.fromEntries(Object.entries(results).map(([name, found]) => [name, found.microseconds])),
    iterations: Object.fromEntries(Object.entries(results).map(([name, found]) => [name, found.iterations])),
  }),
);
