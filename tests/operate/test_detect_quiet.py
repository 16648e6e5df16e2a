"""A series that never moved before: every step of it is certain, and nothing is divided by nothing."""

from __future__ import annotations

import numpy as np

from tidegate.operate.detect.changepoints import noise_of, onset_shares


def test_the_first_error_ever_is_found_where_it_is() -> None:
    values = np.append(np.zeros(80), np.full(20, 0.4))

    shares = onset_shares(values, noise_of(values[:80]), edge=1)

    assert int(shares.argmax()) == 80
    assert np.isclose(shares.sum(), 1.0)
