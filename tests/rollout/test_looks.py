"""A look at many metrics at once sees of each what a look at it alone sees, and what the test itself says."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.rollout.canary.looks import MOST_VALUES, Pair, look_at
from tidegate.rollout.canary.mann_whitney import cannot_differ

NUMBERS = st.one_of(
    st.floats(-5, 5, allow_nan=False),
    st.integers(-2, 2).map(float),
    st.sampled_from((1.1e-4, -1.1e-4, 1 + 1.1e-4, 1e308, float("inf"))),
)
SIDES = st.sampled_from((0, 1, 2, 3, 8)).flatmap(lambda size: st.lists(NUMBERS, min_size=size, max_size=size))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=12))
def test_each_is_seen_as_it_is_alone(sides: list[tuple[list[float], list[float]]]) -> None:
    pairs = [Pair(np.array(ours, dtype=float), np.array(theirs, dtype=float)) for ours, theirs in sides]
    looks = look_at(pairs, 0.98)
    assert repr(looks) == repr([look_at([pair], 0.98)[0] for pair in pairs])
    for pair, look in zip(pairs, looks, strict=True):
        if not len(pair.experiment) or not len(pair.control):
            continue
        assert look.identical == (sorted(pair.experiment) == sorted(pair.control))
        assert look.same_experiment == (len(set(pair.experiment)) == 1)
        assert look.finite == bool(np.isfinite([*pair.experiment, *pair.control]).all())
        if look.finite and not look.identical:
            assert (look.not_high, look.not_low) == cannot_differ(pair.experiment, pair.control, 0.98)


def test_many_are_looked_at_in_parts() -> None:
    rng = np.random.default_rng(3)
    size = MOST_VALUES // 4
    pairs = [Pair(rng.standard_normal(size), rng.standard_normal(size)) for _ in range(3)]
    assert look_at(pairs, 0.98) == [look_at([pair], 0.98)[0] for pair in pairs]
    assert all(look.not_high or look.not_low for look in look_at(pairs, 0.98))
