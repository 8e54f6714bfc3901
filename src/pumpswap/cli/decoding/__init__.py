"""Behind ``pumpswap pool decode`` and ``pumpswap event decode``."""
