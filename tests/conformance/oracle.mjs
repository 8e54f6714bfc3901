// The official SDK as an oracle: one JSON request per line on stdin, one JSON answer per line on stdout, in order.
// Amounts travel as decimal strings, keys as base58, bytes as base64 (see node.py for the Python side).
//
// An answer is {"ok": value}, {"refused": message} when the SDK itself throws, or {"broken": text} when the request or
// this file is wrong: a broken answer must never pass for a refusal.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { build } from "./oracle_instructions.mjs";
import { accountInfo, big, key, withRecipients } from "./oracle_values.mjs";

const require = createRequire(import.meta.url);
// The CommonJS build is the one Node users get; its ES module build needs a bundler.
const sdk = require("@pump-fun/pump-swap-sdk");
const { BN } = require("@coral-xyz/anchor");
const { getAssociatedTokenAddressSync } = require("@solana/spl-token");

const coder = sdk.OFFLINE_PUMP_AMM_PROGRAM.coder;
const globals = {};
const fees = { none: null };

class Broken extends Error {}

function named(table, name) {
  if (!(name in table)) throw new Broken(`no configuration named ${name}`);
  return table[name];
}

// ---- plain values out of the SDK's classes -------------------------------------------------------------------------

const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function plain(value) {
  if (value === null || ["boolean", "number", "string"].includes(typeof value)) return value;
  if (BN.isBN(value)) return value.toString();
  if (typeof value.toBase58 === "function") return value.toBase58();
  if (typeof value === "bigint") return value.toString();
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [snake(name), plain(item)]));
}

// ---- configurations ------------------------------------------------------------------------------------------------

const triple = (raw) => ({
  lpFeeBps: big(raw.lp_fee_bps),
  protocolFeeBps: big(raw.protocol_fee_bps),
  creatorFeeBps: big(raw.creator_fee_bps),
});
const tier = (raw) => ({
  marketCapLamportsThreshold: big(raw.market_cap_lamports_threshold),
  fees: triple(raw.fees),
});

function setGlobalConfig({ name, data }) {
  globals[name] = sdk.PUMP_AMM_SDK.decodeGlobalConfig(accountInfo(data, sdk.PUMP_AMM_PROGRAM_ID));
  return plain(globals[name]);
}

function setFeeConfig({ name, data, decoded }) {
  if (data) {
    fees[name] = sdk.PUMP_AMM_SDK.decodeFeeConfig(accountInfo(data, sdk.PUMP_FEE_PROGRAM_ID));
  } else {
    fees[name] = {
      admin: key(decoded.admin),
      flatFees: triple(decoded.flat_fees),
      feeTiers: decoded.fee_tiers.map(tier),
      stableFeeTiers: decoded.stable_fee_tiers.map(tier),
      exoticFlatFees: triple(decoded.exotic_flat_fees),
    };
  }
  return plain(fees[name]);
}

// ---- quotes --------------------------------------------------------------------------------------------------------

const QUOTES = ["buyBaseInput", "buyQuoteInput", "sellBaseInput", "sellQuoteInput"];

function quote({ fn, input }) {
  if (!QUOTES.includes(fn)) throw new Broken(`no quote function ${fn}`);
  return plain(
    sdk[fn]({
      ...(input.base === undefined ? { quote: big(input.quote) } : { base: big(input.base) }),
      slippage: input.slippage,
      baseReserve: big(input.base_reserve),
      quoteReserve: big(input.quote_reserve),
      virtualQuoteReserves: big(input.virtual_quote_reserves),
      globalConfig: named(globals, input.global_config),
      feeConfig: named(fees, input.fee_config),
      baseMintAccount: { supply: BigInt(input.base_mint_supply) },
      baseMint: key(input.base_mint),
      coinCreator: key(input.coin_creator),
      creator: key(input.creator),
      quoteMint: key(input.quote_mint),
      isMayhemMode: input.is_mayhem_mode,
      creatorFeeBps: big(input.creator_fee_bps),
    }),
  );
}

// Rates before the rule "no coin creator, no creator fee", which the SDK applies inside each quote function.
function rates({ input }) {
  const effective = big(input.quote_reserve).add(big(input.virtual_quote_reserves));
  const common = {
    baseMintSupply: big(input.base_mint_supply),
    baseReserve: big(input.base_reserve),
    quoteReserve: effective,
    isMayhemMode: input.is_mayhem_mode,
  };
  return plain({
    marketCap: sdk.poolMarketCap(common),
    fees: sdk.computeFeesBps({
      ...common,
      globalConfig: named(globals, input.global_config),
      feeConfig: named(fees, input.fee_config),
      creator: key(input.creator),
      baseMint: key(input.base_mint),
      quoteMint: key(input.quote_mint),
      creatorFeeBps: big(input.creator_fee_bps),
    }),
  });
}

// ---- liquidity -----------------------------------------------------------------------------------------------------

function liquidity({ fn, lp_token, base, quote: amount, slippage, base_reserve, quote_reserve, lp_supply }) {
  const reserves = [big(base_reserve), big(quote_reserve)];
  const state = {
    pool: { lpSupply: big(lp_supply) },
    poolBaseTokenAccount: { amount: BigInt(base_reserve) },
    poolQuoteTokenAccount: { amount: BigInt(quote_reserve) },
  };
  const functions = {
    depositLpToken: () => sdk.depositLpToken(big(lp_token), slippage, ...reserves, big(lp_supply)),
    withdraw: () => sdk.withdraw(big(lp_token), slippage, ...reserves, big(lp_supply)),
    depositBaseInput: () => sdk.PUMP_AMM_SDK.depositBaseInput(state, big(base), slippage),
    depositQuoteInput: () => sdk.PUMP_AMM_SDK.depositQuoteInput(state, big(amount), slippage),
  };
  return plain(named(functions, fn)());
}

// ---- bytes and addresses -------------------------------------------------------------------------------------------

// What a user of the SDK calls, where it has a function of its own (they pad short accounts).
const DECODERS = {
  Pool: (info) => sdk.PUMP_AMM_SDK.decodePool(info),
  GlobalConfig: (info) => sdk.PUMP_AMM_SDK.decodeGlobalConfig(info),
  FeeConfig: (info) => sdk.PUMP_AMM_SDK.decodeFeeConfig(info),
  GlobalVolumeAccumulator: (info) => sdk.PUMP_AMM_SDK.decodeGlobalVolumeAccumulator(info),
  UserVolumeAccumulator: (info) => sdk.PUMP_AMM_SDK.decodeUserVolumeAccumulator(info),
  BondingCurve: (info) => coder.accounts.decode("bondingCurve", info.data),
  SharingConfig: (info) => coder.accounts.decode("sharingConfig", info.data),
};

function decodeAccount({ account, data }) {
  return plain(named(DECODERS, account)(accountInfo(data, sdk.PUMP_AMM_PROGRAM_ID)));
}

function decodeEvent({ data }) {
  const event = coder.events.decode(data);
  return event === null ? null : { name: event.name[0].toUpperCase() + event.name.slice(1), data: plain(event.data) };
}

// Layouts of the SDK's own IDL, from which the Python side makes random payloads.
function layouts() {
  const types = Object.fromEntries(sdk.pumpAmmJson.types.map((type) => [type.name, type.type.fields]));
  const table = (entries) =>
    Object.fromEntries(
      entries.map(({ name, discriminator }) => [
        name,
        { discriminator, fields: types[name].map((field) => [field.name, field.type]) },
      ]),
    );
  return { events: table(sdk.pumpAmmJson.events), accounts: table(sdk.pumpAmmJson.accounts) };
}

const ADDRESSES = {
  global_config: () => sdk.GLOBAL_CONFIG_PDA,
  event_authority: () => sdk.PUMP_AMM_EVENT_AUTHORITY_PDA,
  global_volume_accumulator: () => sdk.GLOBAL_VOLUME_ACCUMULATOR_PDA,
  fee_config: () => sdk.PUMP_AMM_FEE_CONFIG_PDA,
  pump_pool_authority: (a) => sdk.pumpPoolAuthorityPda(key(a.mint)),
  canonical_pool: (a) => sdk.canonicalPumpPoolPda(key(a.mint), key(a.quote_mint)),
  pool: (a) => sdk.poolPda(a.index, key(a.creator), key(a.base_mint), key(a.quote_mint)),
  lp_mint: (a) => sdk.lpMintPda(key(a.pool)),
  lp_ata: (a) => sdk.lpMintAta(key(a.lp_mint), key(a.owner)),
  user_volume_accumulator: (a) => sdk.userVolumeAccumulatorPda(key(a.user)),
  creator_vault_authority: (a) => sdk.coinCreatorVaultAuthorityPda(key(a.coin_creator)),
  creator_vault_ata: (a) =>
    sdk.coinCreatorVaultAtaPda(
      sdk.coinCreatorVaultAuthorityPda(key(a.coin_creator)),
      key(a.quote_mint),
      key(a.token_program),
    ),
  pool_v2: (a) => sdk.poolV2Pda(key(a.base_mint)),
  boost_vault_authority: (a) => sdk.boostVaultAuthorityPda(key(a.pool)),
  boost_vault: (a) =>
    sdk.boostVaultAta(sdk.boostVaultAuthorityPda(key(a.pool)), key(a.quote_mint), key(a.token_program)),
  fee_sharing_config: (a) => sdk.feeSharingConfigPda(key(a.mint)),
  bonding_curve: (a) => sdk.bondingCurvePda(key(a.mint)),
  metadata: (a) => sdk.metadataPda(key(a.mint)),
  ata: (a) => getAssociatedTokenAddressSync(key(a.mint), key(a.owner), true, key(a.token_program)),
};

// ---- the loop ------------------------------------------------------------------------------------------------------

// Read as a file: the package does not export its package.json.
const manifest = new URL("node_modules/@pump-fun/pump-swap-sdk/package.json", import.meta.url);

const HANDLERS = {
  about: () => ({ sdk: JSON.parse(readFileSync(manifest)).version, node: process.versions.node }),
  set_global_config: setGlobalConfig,
  set_fee_config: setFeeConfig,
  quote,
  rates,
  liquidity,
  decode_account: decodeAccount,
  decode_event: decodeEvent,
  layouts,
  address: ({ name, args }) => plain(named(ADDRESSES, name)(args)),
  instructions: (request) =>
    withRecipients(request, () =>
      build(request, {
        globalConfig: request.state && named(globals, request.state.global_config),
        feeConfig: request.state && named(fees, request.state.fee_config),
      }),
    ),
};

async function answer(line) {
  try {
    const request = JSON.parse(line);
    return { ok: await named(HANDLERS, request.op)(request) };
  } catch (error) {
    // The SDK throws plain Errors; another class, or one of Node's codes, means that a call did not fit.
    if (error.constructor === Error && error.code === undefined) return { refused: error.message };
    return { broken: `${error.stack ?? error}` };
  }
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
}
