"""MintControls: what the extensions of a mint let somebody do with other people's tokens."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["HARMLESS_EXTENSIONS", "MintControls", "TransferFee"]

# Extensions that change nothing about holding, sending or pricing the token.
HARMLESS_EXTENSIONS = frozenset({
    "confidential-transfer-mint", "confidential-transfer-fee", "metadata-pointer", "token-metadata",
    "group-pointer", "token-group", "group-member-pointer", "token-group-member",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class TransferFee:
    """What is withheld of every transfer. A change is announced: the newer rate holds from epoch ``newer_epoch`` on.

    ``authority`` may announce another rate, up to all of it, that holds two epochs later.
    """

    older_bps: int
    newer_bps: int
    newer_epoch: int
    older_max_units: int
    newer_max_units: int
    authority: str | None = None

    @property
    def worst_bps(self) -> int:
        """The larger of the rate that holds and the one that is announced."""
        return max(self.older_bps, self.newer_bps)


@dataclass(frozen=True, slots=True)
class MintControls:
    """Parameters of a mint's extensions; ``kinds`` names all of them, ``unknown-N`` those this version does not know.

    Addresses are None where nobody has the power. ``hook_program`` runs code on every transfer, ``permanent_delegate``
    may move or burn anybody's tokens, ``pause_authority`` may stop all transfers.
    """

    kinds: tuple[str, ...] = ()
    transfer_fee: TransferFee | None = None
    hook_program: str | None = None
    hook_authority: str | None = None
    permanent_delegate: str | None = None
    close_authority: str | None = None
    pause_authority: str | None = None
    is_paused: bool = False
    is_frozen_by_default: bool = False
