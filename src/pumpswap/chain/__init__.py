"""Solana: endpoints, streams, block-hashes, priority fees, transactions, and the sender. solana-py stays inside."""
