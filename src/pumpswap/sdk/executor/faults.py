"""Errors as codes of the table, and their texts without anybody's secrets."""

from __future__ import annotations

from pumpswap.chain.redact import Redactor
from pumpswap.errors import (
    ChainError,
    ConfigError,
    InsufficientFunds,
    KeyLocked,
    LedgerMismatch,
    NotRunning,
    ProtocolDrift,
    PumpSwapError,
    StorageError,
    TradeRefused,
)
from pumpswap.settings import Settings

__all__ = ["code_of_fault", "safe_text"]

_CODES: tuple[tuple[type[PumpSwapError], str], ...] = (
    (StorageError, "books_unavailable"),
    (LedgerMismatch, "books_unavailable"),
    (NotRunning, "books_unavailable"),
    (KeyLocked, "books_unavailable"),
    (InsufficientFunds, "insufficient_balance"),
    (TradeRefused, "not_sent"),
    (ChainError, "pool_data_unavailable"),
    (ProtocolDrift, "pool_data_unavailable"),
    (ConfigError, "pool_data_unavailable"),
)


def code_of_fault(broken: Exception) -> str:
    """Of an error of ours what it means for the caller; of any other that it is a bug."""
    return next((code for kind, code in _CODES if isinstance(broken, kind)), "internal_error")


def safe_text(broken: Exception, settings: Settings) -> str:
    """One line. URLs of endpoints and of the database are taken out, with the tokens and passwords in them."""
    if isinstance(broken, PumpSwapError):
        text = f"{broken.what}; {broken.hint}" if broken.hint else broken.what
    else:
        text = f"{type(broken).__name__}: {broken}"
    urls = [url for one in settings.chain.endpoints for url in (one.url, one.ws_url) if url is not None]
    if settings.sending.jito_url is not None:
        urls.append(settings.sending.jito_url)
    for url in urls:
        text = Redactor(url).clean(text)
    if settings.database.url is not None:
        text = text.replace(settings.database.url.get_secret_value(), "the database")
    return " ".join(text.split())[:300]
