// Trades with the official SDK and web3.js as their documentation says, against any RPC address.
//
// One JSON request on stdin: {http, pool, secret: [64 bytes], slippage, trades: [{side, amount}]}; a buy names quote
// units to spend, a sale base units or "all". One JSON answer on stdout. Amounts are decimal strings.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
// The CommonJS build is the one Node users get; its ES module build needs a bundler.
const { OnlinePumpAmmSdk, PUMP_AMM_SDK } = require("@pump-fun/pump-swap-sdk");
const { BN } = require("@coral-xyz/anchor");
const {
  ComputeBudgetProgram,
  Connection,
  Keypair,
  PublicKey,
  Transaction,
  TransactionMessage,
  VersionedTransaction,
} = require("@solana/web3.js");

const SEEN_WITHIN_MS = 10_000;
const request = JSON.parse(readFileSync(0, "utf8"));
// No socket address: web3.js derives it, port + 1.
const connection = new Connection(request.http, "confirmed");
const online = new OnlinePumpAmmSdk(connection);
const user = Keypair.fromSecretKey(Uint8Array.from(request.secret));
const pool = new PublicKey(request.pool);

async function holdings(state) {
  const tokens = await connection
    .getTokenAccountBalance(state.userBaseTokenAccount)
    .then((answer) => answer.value.amount)
    .catch(() => "0");
  return { lamports: String(await connection.getBalance(user.publicKey)), base: tokens };
}

function build(side, state, amount) {
  if (side === "buy") return PUMP_AMM_SDK.buyQuoteInput(state, amount, request.slippage);
  return PUMP_AMM_SDK.sellBaseInput(state, amount, request.slippage);
}

// Buys travel as legacy transactions, sales as versioned ones: both forms are common.
function sign(side, instructions, { blockhash, lastValidBlockHeight }) {
  if (side === "buy") {
    const legacy = new Transaction({ feePayer: user.publicKey, blockhash, lastValidBlockHeight }).add(...instructions);
    legacy.sign(user);
    return legacy.serialize();
  }
  const message = new TransactionMessage({ payerKey: user.publicKey, recentBlockhash: blockhash, instructions });
  const versioned = new VersionedTransaction(message.compileToV0Message());
  versioned.sign([user]);
  return versioned.serialize();
}

async function trade({ side, amount }) {
  const state = await online.swapSolanaState(pool, user.publicKey);
  const before = await holdings(state);
  const units = new BN(amount === "all" ? before.base : amount);
  const instructions = [
    ComputeBudgetProgram.setComputeUnitLimit({ units: 400_000 }),
    ComputeBudgetProgram.setComputeUnitPrice({ microLamports: 50_000 }),
    ...(await build(side, state, units)),
  ];
  const latest = await connection.getLatestBlockhash();
  const signature = await connection.sendRawTransaction(sign(side, instructions, latest));
  // Waits for a signature notification, and gives up by block height.
  const confirmed = await connection.confirmTransaction({ signature, ...latest }, "confirmed");
  if (confirmed.value.err) throw new Error(`${side} ${signature}: ${JSON.stringify(confirmed.value.err)}`);
  const landed = await connection.getTransaction(signature, {
    commitment: "confirmed",
    maxSupportedTransactionVersion: 0,
  });
  return {
    side,
    asked: units.toString(),
    signature,
    slot: landed.slot,
    version: landed.version,
    fee: String(landed.meta.fee),
    computeUnits: String(landed.meta.computeUnitsConsumed),
    before,
    after: await holdings(state),
  };
}

async function main() {
  const seen = new Set();
  const changes = [];
  const logs = connection.onLogs(pool, ({ signature }) => seen.add(signature), "confirmed");
  const account = connection.onAccountChange(user.publicKey, ({ lamports }) => changes.push(String(lamports)), {
    commitment: "confirmed",
  });
  const trades = [];
  for (const one of request.trades) trades.push(await trade(one));
  const deadline = Date.now() + SEEN_WITHIN_MS;
  while (!trades.every(({ signature }) => seen.has(signature)) && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await connection.removeOnLogsListener(logs);
  await connection.removeAccountChangeListener(account);
  return { user: user.publicKey.toBase58(), trades, seen: [...seen], changes };
}

main().then(
  (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0)),
  (error) => process.stderr.write(`${error.stack}\n${(error.logs ?? []).join("\n")}\n`, () => process.exit(1)),
);
