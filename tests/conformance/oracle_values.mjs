// Values of the SDK from plain JSON ones, shared by the oracle and the benchmark.

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const { BN } = require("@coral-xyz/anchor");
const { PublicKey } = require("@solana/web3.js");

const keys = new Map();

export function key(text) {
  // Memoised: parsing base58 would otherwise be most of the run.
  let found = keys.get(text);
  if (!found) keys.set(text, (found = new PublicKey(text)));
  return found;
}

export function big(text) {
  if (!/^-?\d+$/.test(text)) throw new TypeError(`not an integer: ${text}`);
  return new BN(text);
}

export function accountInfo(data, owner) {
  return { data: Buffer.from(data, "base64"), owner, executable: false, lamports: 0, rentEpoch: 0 };
}

// An account of which only its existence matters: the SDK compares its owner with the token program.
export const existing = (exists, owner) => (exists ? { data: Buffer.alloc(165), owner } : null);

export function poolFrom(raw) {
  return {
    poolBump: raw.pool_bump,
    index: raw.index,
    creator: key(raw.creator),
    baseMint: key(raw.base_mint),
    quoteMint: key(raw.quote_mint),
    lpMint: key(raw.lp_mint),
    poolBaseTokenAccount: key(raw.pool_base_token_account),
    poolQuoteTokenAccount: key(raw.pool_quote_token_account),
    lpSupply: big(raw.lp_supply),
    coinCreator: key(raw.coin_creator),
    isMayhemMode: raw.is_mayhem_mode,
    isCashbackCoin: raw.is_cashback_coin,
    virtualQuoteReserves: big(raw.virtual_quote_reserves),
    creatorFeeBps: big(raw.creator_fee_bps),
    canEditCreatorFee: raw.can_edit_creator_fee,
  };
}

// The SDK draws the protocol recipient first, then the buyback wallet, each with Math.random over 8 entries.
export async function withRecipients({ recipient_index, buyback_index }, work) {
  const random = Math.random;
  const draws = [recipient_index, buyback_index ?? recipient_index].map((index) => (index + 0.5) / 8);
  Math.random = () => draws.shift() ?? random();
  try {
    return await work();
  } finally {
    Math.random = random;
  }
}
