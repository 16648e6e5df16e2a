"""The whole API as it describes itself, asked by a generator of requests: no 5xx, no answer that is not described."""

from __future__ import annotations

from bench.server.schemathesis_run import attack, furnish

from tidegate.server.api.listing import ENDPOINTS
from tidegate.server.app import make_app
from tidegate.server.service import Service

EXAMPLES = 3


def test_no_answer_is_undocumented(service: Service) -> None:
    operations, statuses = attack(make_app(service, pages=False), furnish(service), EXAMPLES, 1)
    assert operations == len(ENDPOINTS)
    assert {200, 201, 204, 404, 422} <= statuses.keys()
    assert 401 not in statuses
