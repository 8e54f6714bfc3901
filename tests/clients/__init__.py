"""Clients that know nothing of us, on the practice chain: the official SDK, web3.js, solana-py."""
