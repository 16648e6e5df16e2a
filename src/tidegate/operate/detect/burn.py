"""How fast a service burns its error budget, over several windows at once (The Site Reliability Workbook, ch. 5).

A rule fires where both its long and its short window burn faster than its factor. A window with little traffic is held
back and says so: one failed request of three is not a burn rate.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from tidegate.errors import InputError
from tidegate.operate.detect.views import Floats
from tidegate.telemetry.series import Series

_HOUR, _DAY = 3600.0, 86_400.0


class Window(Struct, frozen=True, kw_only=True):
    """A rule: `factor` times the budget's even pace over the last `long` and the last `short` seconds."""

    severity: str
    factor: float
    long: float
    short: float


WINDOWS = (
    Window(severity="page", factor=14.4, long=_HOUR, short=_HOUR / 12),
    Window(severity="page", factor=6.0, long=6 * _HOUR, short=_HOUR / 2),
    Window(severity="ticket", factor=3.0, long=_DAY, short=2 * _HOUR),
    Window(severity="ticket", factor=1.0, long=3 * _DAY, short=6 * _HOUR),
)


class Guard(Struct, frozen=True, kw_only=True):
    """What the short window must hold before a rule may fire: this many requests, and this many errors among them.

    `covered` is the part of each window that must have been measured at all.
    """

    requests: float = 20.0
    errors: float = 5.0
    covered: float = 0.5


class Burn(Struct, frozen=True, kw_only=True):
    """What one rule says; `held` is why it does not fire though it might.

    `long` and `short` are burn rates, None where nothing was measured.
    """

    window: Window
    firing: bool
    long: float | None
    short: float | None
    held: str = ""


def burn_rates(
    errors: Series, total: Series, *, objective: float, now: float, guard: Guard | None = None
) -> tuple[Burn, ...]:
    """Each rule of WINDOWS at `now`; `objective` is the share that must succeed, as .999.

    The values are counts per interval, stamped with the interval's end (see `increases` for counters). Raises
    InputError for an objective outside 0 to 1, negative counts, or times that differ between the two series.
    """
    if not 0.0 < objective < 1.0:
        raise InputError(f"the objective is {objective}", mend="give a share between 0 and 1, as .999")
    times, failed, served = _counts(errors, total)
    known = guard or Guard()
    return tuple(_judge(rule, times - now, failed, served, (1.0 - objective, known)) for rule in WINDOWS)


def increases(counter: Series) -> Series:
    """A counter as counts per interval; where it falls it was reset, and what it shows then is what came since."""
    times, values = np.asarray(counter.times, dtype=float), np.asarray(counter.values, dtype=float)
    fine = np.isfinite(values) & np.isfinite(times)
    times, values = times[fine], values[fine]
    steps = np.diff(values)
    counts = np.where(steps >= 0, steps, values[1:])
    return Series(name=counter.name, labels=counter.labels, times=times[1:], values=counts)


# Private


def _judge(rule: Window, age: Floats, failed: Floats, served: Floats, bar: tuple[float, Guard]) -> Burn:
    budget, guard = bar
    within = {span: (age > -span) & (age <= 0.0) for span in (rule.long, rule.short)}
    long, short = (_rate(failed[part], served[part], budget) for part in within.values())
    held = _uncovered(age, within, guard)
    over = long is not None and short is not None and long > rule.factor and short > rule.factor
    if not held and over:
        requests, errors = float(np.nansum(served[within[rule.short]])), float(np.nansum(failed[within[rule.short]]))
        if requests < guard.requests:
            held = f"only {requests:g} requests in the last {_span(rule.short)}, fewer than {guard.requests:g}"
        elif errors < guard.errors:
            held = f"only {errors:g} errors in the last {_span(rule.short)}, fewer than {guard.errors:g}"
    return Burn(window=rule, firing=over and not held, long=long, short=short, held=held)


def _rate(failed: Floats, served: Floats, budget: float) -> float | None:
    both = np.isfinite(failed) & np.isfinite(served)
    requests = float(served[both].sum())
    return float(failed[both].sum()) / requests / budget if requests > 0 else None


def _uncovered(age: Floats, within: dict[float, NDArray[np.bool_]], guard: Guard) -> str:
    for span, part in within.items():
        step = float(np.median(np.diff(age))) if len(age) > 1 else span
        share = min(float(part.sum()) * step / span, 1.0)
        if share < guard.covered:
            return f"no data for {1.0 - share:.0%} of the last {_span(span)}"
    return ""


def _counts(errors: Series, total: Series) -> tuple[Floats, Floats, Floats]:
    times, failed, served = (np.asarray(part, dtype=float) for part in (errors.times, errors.values, total.values))
    if not np.array_equal(times, np.asarray(total.times, dtype=float)) or not len(times) == len(failed) == len(served):
        raise InputError(
            "errors and total are not measured at the same times", where=total.name, mend="give them on one grid"
        )
    with np.errstate(invalid="ignore"):
        if (failed < 0).any() or (served < 0).any():
            raise InputError("a count is negative", where=total.name, mend="give counts per interval, not rates")
    fine = np.isfinite(failed) & np.isfinite(served) & np.isfinite(times)
    return times[fine], failed[fine], served[fine]


def _span(seconds: float) -> str:
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (60.0, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
