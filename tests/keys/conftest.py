"""Commands that need a key hash a password each time."""

from __future__ import annotations

from tests.support.cheap_passwords import cheap_passwords

__all__ = ["cheap_passwords"]  # a fixture
