"""Keys of other programs: the Solana CLI's JSON and the base58 that browser wallets export. And new keys."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from pumpswap.errors import BadInput
from pumpswap.wallet.keystore import SEED_BYTES
from pumpswap.wallet.secret import Secret

__all__ = ["new_seed", "seed_of_key_file"]

_KEY_BYTES = 64  # private half, then public half
_FORMS = "a Solana CLI file is [12,34,…] with 64 numbers; a browser wallet exports about 88 characters of base58"


def new_seed(entropy: Callable[[int], bytes] = os.urandom) -> Secret:
    """32 random bytes of the operating system."""
    return Secret(bytearray(entropy(SEED_BYTES)))


def seed_of_key_file(content: Secret) -> Secret:
    """The private half of a key in either form. Wipe both.

    Raises BadInput for anything else; the message never repeats what was read.
    """
    text = bytes(content.content).strip()
    whole = Secret(_of_json(text) if text.startswith(b"[") else _of_base58(text))
    with whole:
        seed = Secret(whole.content[:SEED_BYTES])
        derived = Keypair.from_seed(seed.content)
        if bytes(derived.pubkey()) != bytes(whole.content[SEED_BYTES:]):
            seed.wipe()
            raise BadInput("the two halves of this key do not belong together", hint="was it cut, or edited by hand?")
        return seed


def _of_json(text: bytes) -> bytearray:
    try:
        numbers = json.loads(text)
    except (ValueError, RecursionError):
        numbers = None
    if not isinstance(numbers, list) or any(type(each) is not int or not 0 <= each <= 255 for each in numbers):
        raise BadInput("this is no list of bytes", hint=_FORMS)
    if len(numbers) != _KEY_BYTES:
        raise BadInput(f"this key has {len(numbers)} bytes, not {_KEY_BYTES}", hint=_FORMS)
    return bytearray(numbers)


def _of_base58(text: bytes) -> bytearray:
    if not text:
        raise BadInput("there is no key: nothing was read", hint=_FORMS)
    try:
        # A key is as long as a signature, and both are written in base58.
        return bytearray(bytes(Signature.from_string(text.decode("ascii"))))
    except ValueError:
        pass
    try:
        Pubkey.from_string(text.decode("ascii"))
    except ValueError:
        raise BadInput("this is no private key in base58", hint=_FORMS) from None
    raise BadInput("this is an address, or half a key", hint=_FORMS)
