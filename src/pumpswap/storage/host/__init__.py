"""Our tables in somebody else's database: attach, detach, and what booking must know about the host.

Nothing here assumes a shape: tables, columns and keys are looked up.
"""
