"""Every type that threads decode is known before they start."""

from __future__ import annotations

from tidegate.server.api.listing import ENDPOINTS
from tidegate.server.decoders import make_decoders


def test_the_types_of_all_endpoints_are_among_them() -> None:
    assert make_decoders() > len({endpoint.body for endpoint in ENDPOINTS})
