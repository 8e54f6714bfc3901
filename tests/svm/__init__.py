"""The real program in LiteSVM: the mainnet build of 2026-06-11 judges our quotes, instructions and refusals."""
