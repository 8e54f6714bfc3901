"""Token screens: rules over TokenFacts, one file per family. Pure; what is not known is not safe."""

from pumpswap.signals.screens.report import CHECKS, screen_token

__all__ = ["CHECKS", "screen_token"]
