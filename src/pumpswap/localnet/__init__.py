"""A practice chain: LiteSVM with the real program, behind Solana's JSON-RPC and websocket."""
