"""Errors as codes of the table, and their texts without anybody's secrets."""

from __future__ import annotations

from pumpswap.chain.redact import Redactor, bare_urls
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

__all__ = ["clean_text", "code_of_fault", "safe_text"]

_CODES: tuple[tuple[type[PumpSwapError], str], ...] = (
    (StorageError, "books_unavailable"),
    (LedgerMismatch, "books_unavailable"),
    (NotRunning, "books_unavailable"),
    (KeyLocked, "wallet_locked"),
    (InsufficientFunds, "insufficient_balance"),
    (TradeRefused, "not_sent"),
    (ChainError, "pool_data_unavailable"),
    (ProtocolDrift, "protocol_drift"),
    (ConfigError, "settings_unusable"),
)


def code_of_fault(broken: Exception) -> str:
    """Of an error of ours what it means for the caller; of any other that it is a bug."""
    return next((code for kind, code in _CODES if isinstance(broken, kind)), "internal_error")


def safe_text(broken: Exception, settings: Settings) -> str:
    """One line about an error, without anybody's secrets. Never raises."""
    try:
        if isinstance(broken, PumpSwapError):
            text = f"{broken.what}; {broken.hint}" if broken.hint else broken.what
        else:
            text = f"{type(broken).__name__}: {broken}"
    except Exception:  # an error that cannot even be written
        text = type(broken).__name__
    return clean_text(text, settings)


def clean_text(text: str, settings: Settings) -> str:
    """One line of a text that somebody else may have written: every URL is cut to its host, and the secret parts of our
    endpoints and the database are taken out wherever they stand.
    """
    if settings.database.url is not None:
        text = text.replace(settings.database.url.get_secret_value(), "the database")
    urls = [url for one in settings.chain.endpoints for url in (one.url, one.ws_url) if url is not None]
    if settings.sending.jito_url is not None:
        urls.append(settings.sending.jito_url)
    for url in urls:
        text = Redactor(url).clean(text)
    return " ".join(bare_urls(text).split())[:300]
