"""Asks the whole API what it describes, and what it does not, and looks for a 5xx or an answer that is not described.

python -m bench.server.schemathesis_run [--examples 300] [--seed 1]

In this process, on a made world, as an admin in a browser's session (who may do everything that there is).
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from msgspec import structs
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.responses import Response
from starlette.types import ASGIApp
from tests.store.world import assessed, small_world

from tidegate.ledger.log import NewEntry
from tidegate.server.app import make_app
from tidegate.server.auth.session import CSRF_HEADER, cookie_name, open_session
from tidegate.server.config import Config
from tidegate.server.service import Service
from tidegate.server.start import open_service
from tidegate.store import accounts, assessments
from tidegate.store.clock import now

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
NAME = {"host": "127.0.0.1:8787"}
"""No other is answered."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        config = Config(data=Path(folder), database=f"sqlite:///{folder}/tidegate.db")
        with open_service(config) as service:
            headers = furnish(service)
            operations, statuses = attack(make_app(service, pages=False), headers, options.examples, options.seed)
    cpu = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    print(f"{operations} operations, {statuses.total()} requests, {time.monotonic() - began:.0f} s, CPU {cpu:.0f} s")
    print(", ".join(f"{status}: {count}" for status, count in sorted(statuses.items())))


def furnish(service: Service) -> dict[str, str]:
    """A small world with something of each kind in it; answers the headers of an admin's session."""

    def work(connection: accounts.Connection) -> accounts.Person:
        world = small_world(connection)
        new = structs.replace(assessed(world.change, "first"), document=b'{"facts": {}, "verdict": {}}')
        assessments.put(connection, new, now())
        for name in ("robot", "robin", "rosa", "ruth"):  # numbers 3 to 6: so many that nobody new becomes the admin
            accounts.add_person(connection, name, name.title(), "agent" if name == "robot" else "viewer", now())
        return accounts.add_person(connection, "root", "Root", "admin", now())

    admin = service.database.change(work)
    for number in range(3):
        service.log.append(NewEntry(f"key {number}", "https://example.test/p", "subject", b'{"made": true}'))
    response = Response()
    session = open_session(service, admin, response)
    secret = response.headers["set-cookie"].partition(";")[0].partition("=")[2]
    return {"cookie": f"{cookie_name(service)}={secret}", CSRF_HEADER: session.csrf}


def attack(app: ASGIApp, headers: Mapping[str, str], examples: int, number: int) -> tuple[int, Counter[int]]:
    """How many operations there are, and how often each status was answered. Raises for an answer that is wrong."""
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", app, headers=NAME)
    statuses: Counter[int] = Counter()
    operations = [each.ok() for each in schema.get_all_operations()]
    for operation in operations:
        for mode, count in ((GenerationMode.POSITIVE, examples), (GenerationMode.NEGATIVE, max(1, examples // 3))):
            if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query or operation.path_parameters):
                continue
            _ask(operation.as_strategy(generation_mode=mode), headers, statuses, (count, number))
    return len(operations), statuses


# Private


def _ask(
    cases: st.SearchStrategy[Any], headers: Mapping[str, str], statuses: Counter[int], size: tuple[int, int]
) -> None:
    @seed(size[1])
    @settings(
        max_examples=size[0],
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, near=st.integers(0, 5))
    def ask(case: Any, near: int) -> None:
        for name, value in (case.path_parameters or {}).items():
            if near and isinstance(value, int):  # most numbers name nothing: mostly ask for what is there
                case.path_parameters[name] = near
        case.headers.pop("Authorization", None)  # made up, it would be judged before the session
        case.cookies.clear()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = case.call_and_validate(headers={**NAME, **headers}, checks=CHECKS)
        statuses[answer.status_code] += 1

    ask()


if __name__ == "__main__":
    main()
