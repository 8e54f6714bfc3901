"""Behind ``pumpswap quote``: the pool that is quoted, and how the result is shown."""
