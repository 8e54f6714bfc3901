"""The log: structured lines for people or machines, a file that is rotated, and no secret in any of them."""
