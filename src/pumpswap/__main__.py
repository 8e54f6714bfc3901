"""``python -m pumpswap``."""

from pumpswap.cli import main

if __name__ == "__main__":
    main()
