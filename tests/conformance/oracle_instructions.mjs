// Instruction sequences of the official SDK, built offline from a described state.

import { createRequire } from "node:module";
import { big, existing, key, poolFrom } from "./oracle_values.mjs";

const require = createRequire(import.meta.url);
const { OFFLINE_PUMP_AMM_PROGRAM: program, ...sdk } = require("@pump-fun/pump-swap-sdk");
const {
  getAssociatedTokenAddressSync,
  NATIVE_MINT,
  TOKEN_2022_PROGRAM_ID,
  TOKEN_PROGRAM_ID,
} = require("@solana/spl-token");

const amm = sdk.PUMP_AMM_SDK;
const ata = (mint, owner, tokenProgram) => getAssociatedTokenAddressSync(mint, owner, true, tokenProgram);

export function swapState(state, { globalConfig, feeConfig }) {
  const baseTokenProgram = key(state.base_token_program);
  const quoteTokenProgram = key(state.quote_token_program);
  const length = state.pool_account_len;
  return {
    globalConfig,
    feeConfig,
    poolKey: key(state.pool_key),
    poolAccountInfo: length === null ? null : { data: Buffer.alloc(length), owner: sdk.PUMP_AMM_PROGRAM_ID },
    pool: poolFrom(state.pool),
    poolBaseAmount: big(state.pool_base_amount),
    poolQuoteAmount: big(state.pool_quote_amount),
    baseTokenProgram,
    quoteTokenProgram,
    baseMint: key(state.pool.base_mint),
    baseMintAccount: { supply: BigInt(state.base_mint_supply) },
    user: key(state.user),
    userBaseTokenAccount: key(state.user_base_token_account),
    userQuoteTokenAccount: key(state.user_quote_token_account),
    userBaseAccountInfo: existing(state.user_base_exists, baseTokenProgram),
    userQuoteAccountInfo: existing(state.user_quote_exists, quoteTokenProgram),
  };
}

function liquidityState(state, params, configs) {
  return {
    ...swapState(state, configs),
    poolBaseTokenAccount: { amount: BigInt(state.pool_base_amount) },
    poolQuoteTokenAccount: { amount: BigInt(state.pool_quote_amount) },
    userPoolTokenAccount: key(params.user_pool_token_account),
    userPoolAccountInfo: existing(params.user_lp_exists, TOKEN_2022_PROGRAM_ID),
  };
}

// Accounts of a bare v1 trade, without tail. The SDK builds `buy` and `sell` only; for the exact-quote buy they are
// given to its IDL directly, as a user of the SDK would have to.
function tradeAccounts(swap, recipient) {
  const vaultAuthority = sdk.coinCreatorVaultAuthorityPda(swap.pool.coinCreator);
  const { quoteMint } = swap.pool;
  return {
    pool: swap.poolKey,
    globalConfig: sdk.GLOBAL_CONFIG_PDA,
    user: swap.user,
    baseMint: swap.baseMint,
    quoteMint,
    userBaseTokenAccount: swap.userBaseTokenAccount,
    userQuoteTokenAccount: swap.userQuoteTokenAccount,
    poolBaseTokenAccount: swap.pool.poolBaseTokenAccount,
    poolQuoteTokenAccount: swap.pool.poolQuoteTokenAccount,
    protocolFeeRecipient: recipient,
    protocolFeeRecipientTokenAccount: ata(quoteMint, recipient, swap.quoteTokenProgram),
    baseTokenProgram: swap.baseTokenProgram,
    quoteTokenProgram: swap.quoteTokenProgram,
    coinCreatorVaultAta: sdk.coinCreatorVaultAtaPda(vaultAuthority, quoteMint, swap.quoteTokenProgram),
    coinCreatorVaultAuthority: vaultAuthority,
  };
}

function rawTrade(method, amounts) {
  return (swap, params) =>
    program.methods[method](...amounts.map((name) => big(params[name])), { 0: params.track_volume })
      .accountsPartial(tradeAccounts(swap, sdk.getFeeRecipient(swap.globalConfig, swap.pool.isMayhemMode)))
      .instruction();
}

// Builders that need a pool state; `swap` is the SDK's SwapSolanaState.
const TRADES = {
  buyInstructions: (swap, p) => amm.buyInstructions(swap, big(p.base_out), big(p.max_quote_in)),
  sellInstructions: (swap, p) => amm.sellInstructions(swap, big(p.base_in), big(p.min_quote_out)),
  buyBaseInput: (swap, p) => amm.buyBaseInput(swap, big(p.base), p.slippage),
  buyQuoteInput: (swap, p) => amm.buyQuoteInput(swap, big(p.quote), p.slippage),
  sellBaseInput: (swap, p) => amm.sellBaseInput(swap, big(p.base), p.slippage),
  sellQuoteInput: (swap, p) => amm.sellQuoteInput(swap, big(p.quote), p.slippage),
  "raw:buy": rawTrade("buy", ["base_amount_out", "max_quote_amount_in"]),
  "raw:buy_exact_quote_in": rawTrade("buyExactQuoteIn", ["spendable_quote_in", "min_base_amount_out"]),
  boostBuyAndBurnInstruction: (swap, p) =>
    amm.boostBuyAndBurnInstruction(
      swap.poolKey,
      swap.pool,
      key(p.authority),
      big(p.quote_amount_in),
      big(p.min_base_amount_burned),
      swap.baseTokenProgram,
      swap.quoteTokenProgram,
    ),
};

const LIQUIDITY = {
  depositInstructions: (state, p) => amm.depositInstructions(state, big(p.lp_token), p.slippage),
  withdrawInstructions: (state, p) => amm.withdrawInstructions(state, big(p.lp_token), p.slippage),
};

function createPool(p, state, configs) {
  const swap = swapState(state, configs);
  const pool = key(p.pool);
  return amm.createPoolInstructions(
    {
      index: p.index,
      creator: swap.user,
      globalConfig: swap.globalConfig,
      baseMint: swap.baseMint,
      quoteMint: swap.pool.quoteMint,
      poolKey: pool,
      baseTokenProgram: swap.baseTokenProgram,
      quoteTokenProgram: swap.quoteTokenProgram,
      userBaseTokenAccount: swap.userBaseTokenAccount,
      userQuoteTokenAccount: swap.userQuoteTokenAccount,
      poolBaseTokenAccount: ata(swap.baseMint, pool, swap.baseTokenProgram),
      poolQuoteTokenAccount: ata(swap.pool.quoteMint, pool, swap.quoteTokenProgram),
      userBaseAccountInfo: swap.userBaseAccountInfo,
      userQuoteAccountInfo: swap.userQuoteAccountInfo,
      poolBaseAccountInfo: null,
      poolQuoteAccountInfo: existing(p.pool_quote_exists, swap.quoteTokenProgram),
    },
    big(p.base_in),
    big(p.quote_in),
  );
}

function collectCreatorFee(p) {
  const [coinCreator, quoteMint, tokenProgram] = [p.coin_creator, p.quote_mint, p.quote_token_program].map(key);
  const authority = sdk.coinCreatorVaultAuthorityPda(coinCreator);
  return amm.collectCoinCreatorFee(
    {
      coinCreator,
      quoteMint,
      quoteTokenProgram: tokenProgram,
      coinCreatorVaultAuthority: authority,
      coinCreatorVaultAta: sdk.coinCreatorVaultAtaPda(authority, quoteMint, tokenProgram),
      coinCreatorTokenAccount: ata(quoteMint, coinCreator, tokenProgram),
      coinCreatorVaultAtaAccountInfo: existing(p.vault_exists, tokenProgram),
      coinCreatorTokenAccountInfo: existing(p.user_ata_exists, tokenProgram),
    },
    p.payer === null ? undefined : key(p.payer),
  );
}

// Single instructions without a pool state.
const SINGLES = {
  extendAccount: (p) => amm.extendAccount(key(p.account), key(p.user)),
  syncUserVolumeAccumulator: (p) => amm.syncUserVolumeAccumulator(key(p.user)),
  initUserVolumeAccumulator: (p) => amm.initUserVolumeAccumulator({ payer: key(p.payer), user: key(p.user) }),
  closeUserVolumeAccumulator: (p) => amm.closeUserVolumeAccumulator(key(p.user)),
  setCoinCreator: (p) => amm.setCoinCreator(key(p.pool), key(p.base_mint)),
  transferCreatorFeesToPumpV2Instruction: (p) =>
    amm.transferCreatorFeesToPumpV2Instruction({
      payer: key(p.payer),
      coinCreator: key(p.coin_creator),
      quoteMint: key(p.quote_mint),
      quoteTokenProgram: key(p.quote_token_program),
    }),
  "raw:transfer_creator_fees_to_pump": (p) =>
    program.methods
      .transferCreatorFeesToPump()
      .accountsPartial({
        wsolMint: NATIVE_MINT,
        tokenProgram: TOKEN_PROGRAM_ID,
        coinCreator: key(p.coin_creator),
        program: sdk.PUMP_AMM_PROGRAM_ID,
      })
      .instruction(),
  "raw:claim_cashback": (p) =>
    program.methods
      .claimCashback()
      .accountsPartial({
        user: key(p.user),
        quoteMint: key(p.quote_mint),
        quoteTokenProgram: key(p.quote_token_program),
        userWsolTokenAccount: key(p.user_token_account),
      })
      .instruction(),
  "raw:claim_token_incentives": (p) =>
    program.methods
      .claimTokenIncentives()
      .accountsPartial({
        user: key(p.user),
        userAta: ata(key(p.mint), key(p.user), key(p.token_program)),
        mint: key(p.mint),
        tokenProgram: key(p.token_program),
        payer: key(p.payer),
      })
      .instruction(),
  collectCoinCreatorFee: collectCreatorFee,
};

function described(instruction) {
  return {
    program_id: instruction.programId.toBase58(),
    keys: instruction.keys.map(({ pubkey, isSigner, isWritable }) => [
      pubkey.toBase58(),
      (isWritable ? "w" : "") + (isSigner ? "s" : ""),
    ]),
    data_hex: instruction.data.toString("hex"),
  };
}

export async function build({ builder, params, state }, configs) {
  let made;
  if (builder in TRADES) made = await TRADES[builder](swapState(state, configs), params);
  else if (builder in LIQUIDITY) made = await LIQUIDITY[builder](liquidityState(state, params, configs), params);
  else if (builder === "createPoolInstructions") made = await createPool(params, state, configs);
  else if (builder in SINGLES) made = await SINGLES[builder](params);
  else throw new TypeError(`no builder ${builder}`);
  return [made].flat().map(described);
}
