"""The methods of the practice node, grouped as Solana's documentation groups them."""
