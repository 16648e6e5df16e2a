"""Features of the people at work: how fast the author goes, who knows these files, who else is changing them now."""

from __future__ import annotations

from bisect import bisect_left

from tidegate.risk.features.past import DAY, FileHistory, Landed, Past

PEOPLE = (
    *("burst_hour", "burst_day", "pace", "familiar_share", "new_share"),
    *("others_day", "others_week", "fixes_180"),
)
HOUR = 3_600
LONGEST_SITTING = 8 * HOUR
SHORTEST_SITTING = 60
RECENT_FIXES = 180 * DAY
_UNKNOWN = float("nan")


def people(past: Past, change: Landed, files: list[FileHistory | None]) -> tuple[float, ...]:
    """The features of `PEOPLE`, in that order; `files` is what the past knows of those that are touched."""
    known = [file for file in files if file is not None]
    new = sum(touch.status in "AC" for touch in change.touches) / len(change.touches) if change.touches else 0.0
    me = past.number_of(change.author) if change.author else -1
    if me < 0:
        pace: tuple[float, ...] = (_UNKNOWN,) * 4
    else:
        familiar = sum(file.people >> me & 1 for file in known) / len(known) if known else 0.0
        pace = (*_pace(past, change), familiar)
    fixes = sum(at >= change.at - RECENT_FIXES for at in _fixes(known))
    return (*pace, new, _others(known, change.at - DAY, me), _others(known, change.at - 7 * DAY, me), float(fixes))


# Private


def _pace(past: Past, change: Landed) -> tuple[float, float, float]:
    person = past.people.get(change.author)
    times = person.times if person else []
    hour = len(times) - bisect_left(times, change.at - HOUR)
    day = len(times) - bisect_left(times, change.at - DAY)
    sitting = change.at - times[-1] if times else LONGEST_SITTING
    sitting = min(max(sitting, SHORTEST_SITTING), LONGEST_SITTING)
    added = sum(touch.added for touch in change.touches if touch.added > 0)
    return float(hour), float(day), added * HOUR / sitting


def _others(files: list[FileHistory], since: int, me: int) -> float:
    """People beside `me` who changed one of these files since then."""
    found: set[int] = set()
    for file in files:
        times = file.times
        if times[-1][0] >= since:
            found.update(person for _, person in times[bisect_left(times, (since, -1)) :])
    return float(len(found) - (me in found))


def _fixes(files: list[FileHistory]) -> list[int]:
    """The moments of the fixes that touched one of these files, each fix once."""
    if len(files) == 1:
        return [at for at, _ in files[0].fixes]
    return [at for at, _ in {fix for file in files for fix in file.fixes}]
