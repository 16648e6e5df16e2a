"""How reviews are spread over people. It measures work, and who has too much of it; never how good anybody is."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence

from tidegate.insight.intervals import LEAST, Z, share, too_few
from tidegate.insight.values import Figure, Load, Reviewer, Shipped

MOST_PEOPLE = 50
WARNING = (
    "Review load says who is asked too often, never how good somebody is. People stand here under pseudonyms; "
    "naming them, or ranking them by it, makes reviews faster and worse."
)


def load_of(shipped: Sequence[Shipped], pseudonym: Callable[[str], str] | None = None) -> Load | None:
    """Over all who reviewed somebody else's change; None where nobody wrote down who reviewed.

    `pseudonym` by reviewer; None: numbered by how much they reviewed. Seconds of a change are shared evenly by its
    reviewers, as are the lines that were looked at.
    """
    known = [one for one in shipped if one.reviewers is not None]
    if not known:
        return None
    counts: dict[str, int] = defaultdict(int)
    lines: dict[str, float] = defaultdict(float)
    seconds: dict[str, float] = defaultdict(float)
    timed = False
    for one in known:
        others = sorted({person for person in one.reviewers or () if person != one.author})
        for person in others:
            counts[person] += 1
            lines[person] += (one.size if one.reviewed is None else one.reviewed) / len(others)
            seconds[person] += (one.seconds or 0.0) / len(others)
            timed = timed or one.seconds is not None
    order = sorted(counts, key=lambda person: (-counts[person], person))
    whole, left_out = sum(counts.values()), len(shipped) - len(known)
    people = tuple(
        Reviewer(
            person=pseudonym(person) if pseudonym is not None else f"reviewer {number}",
            reviews=counts[person],
            lines=round(lines[person]),
            seconds=seconds[person] if timed else None,
            share=share("share of reviews", counts[person], whole),
        )
        for number, person in enumerate(order[:MOST_PEOPLE], 1)
    )
    return Load(
        reviews=whole,
        people=people,
        people_total=len(order),
        gini=_gini([counts[person] for person in order], left_out),
        top=share(
            "reviews by the busiest", counts[order[0]] if order else 0, whole, left_out=len(shipped) - len(known)
        ),
        warning=WARNING,
    )


# Private


def _gini(counts: Sequence[int], left_out: int) -> Figure:
    """Gini's coefficient of the shares, with the interval that follows from drawing so many reviews (delta method)."""
    n, people = sum(counts), len(counts)
    if n < LEAST or people < 2:
        return too_few("unevenness (Gini)", "index", n, left_out)
    ascending = sorted(counts)
    weights = [(2 * rank - people - 1) / people for rank in range(1, people + 1)]
    value = math.fsum(weight * count / n for weight, count in zip(weights, ascending, strict=True))
    square = math.fsum(weight * weight * count / n for weight, count in zip(weights, ascending, strict=True))
    reach = Z * math.sqrt(max(square - value * value, 0.0) / n)
    low, high = max(value - reach, 0.0), min(value + reach, 1.0)
    return Figure(name="unevenness (Gini)", unit="index", value=value, low=low, high=high, n=n, left_out=left_out)
