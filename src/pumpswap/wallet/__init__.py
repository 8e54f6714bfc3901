"""Keys at rest, signers, and the guard that inspects a transaction before it is signed. Keys never leave this room."""
