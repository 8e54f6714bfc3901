"""Token incentives of the volume accumulators (PROTOCOL 2.4 and 2.5). The programme is not running on mainnet."""

from __future__ import annotations

from pumpswap.amm.accounts import GlobalVolumeAccumulator, UserVolumeAccumulator

__all__ = ["current_day_tokens", "total_unclaimed_tokens"]


def current_day_tokens(world: GlobalVolumeAccumulator, user: UserVolumeAccumulator, now: int) -> int:
    """Incentive tokens that the user's volume of today has earned so far; ``now`` in Unix seconds."""
    if not _is_running(world) or not world.start_time <= now <= world.end_time:
        return 0
    today, last = _day(world, now), user.last_update_timestamp
    if last < world.start_time or _day(world, last) != today:
        return 0
    return _share(world, user, today)


def total_unclaimed_tokens(world: GlobalVolumeAccumulator, user: UserVolumeAccumulator, now: int) -> int:
    """Incentive tokens the user could claim: what is stored, plus the last active day once it is over."""
    stored, last = user.total_unclaimed_tokens, user.last_update_timestamp
    if not _is_running(world) or now < world.start_time or last < world.start_time:
        return stored
    day = _day(world, last)
    if _day(world, now) <= day or day > _day(world, world.end_time):
        return stored
    return stored + _share(world, user, day)


def _is_running(world: GlobalVolumeAccumulator) -> bool:
    return bool(world.start_time and world.end_time and world.seconds_in_a_day)


def _day(world: GlobalVolumeAccumulator, at: int) -> int:
    return (at - world.start_time) // world.seconds_in_a_day


def _share(world: GlobalVolumeAccumulator, user: UserVolumeAccumulator, day: int) -> int:
    # The arrays hold 30 days; a later day has no figures and earns nothing.
    if not 0 <= day < len(world.sol_volumes) or not world.sol_volumes[day]:
        return 0
    return user.current_sol_volume * world.total_token_supply[day] // world.sol_volumes[day]
