"""The doors that are no API and no page: webhooks, health, readiness, metrics, the OpenAPI document."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable

import msgspec
from anyio.to_thread import run_sync
from msgspec import Struct
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tidegate import __version__
from tidegate.errors import InputError, InternalError, TidegateError
from tidegate.server.api import openapi, problems
from tidegate.server.api.dispatch import Room, read_body, request_id
from tidegate.server.api.listing import ENDPOINTS
from tidegate.server.api.problems import Problem
from tidegate.server.auth.addresses import address_of
from tidegate.server.auth.permissions import allows
from tidegate.server.auth.session import authenticate
from tidegate.server.forge.values import Forge, Refusal
from tidegate.server.metrics import MEDIA_TYPE as METRICS_MEDIA_TYPE
from tidegate.server.metrics import Metrics
from tidegate.server.production.doors import deployments_of, is_signed, signs
from tidegate.server.production.intake import keep, take
from tidegate.server.rollout import run_tasks
from tidegate.server.rollout.callbacks import keep_question, question_of
from tidegate.server.run_task import LARGEST_REQUEST_BYTES
from tidegate.server.service import Service
from tidegate.store import inbox, workers
from tidegate.store.clock import later
from tidegate.store.inbox import Delivery
from tidegate.store.migrate import require_current

JSON = "application/json"
LOOK_SECONDS = 2.0
HOOKS_BYTES = 256 << 20
"""Of all deliveries that are being received: who sends one is known only once it is whole."""
BEHIND_SECONDS = 60.0
HEARD_SECONDS = 30.0


def doors(service: Service, metrics: Metrics) -> list[Route]:
    """Their routes."""
    described = msgspec.json.encode(openapi.document(ENDPOINTS))
    readiness = Readiness(service)

    async def health(_: Request) -> Response:
        return _json({"status": "alive", "version": __version__})

    async def ready(_: Request) -> Response:
        state = await run_sync(readiness.look)
        return _json(state, 200 if state.status == "ready" else 503)

    async def measured(request: Request) -> Response:
        try:
            return await run_sync(_measured, service, metrics, request)
        except Problem as problem:
            return problems.answer(problem, request_id(request))

    async def api(_: Request) -> Response:
        return Response(described, media_type=JSON)

    return [
        Route("/health", health),
        Route("/ready", ready),
        Route("/metrics", measured),
        Route("/api/openapi.json", api),
        Route(run_tasks.PATH, _run_task(service), methods=["POST"]),
        Route("/hooks/{forge}", _hook(service), methods=["POST"]),
    ]


class Ready(Struct, frozen=True, omit_defaults=True):
    """Whether requests should come here. `witnesses` "behind": entries wait for a quorum, and nothing is released.

    `workers` were heard of in the last half minute, here or elsewhere; without any, nothing new is decided.
    """

    status: str
    reason: str = ""
    witnesses: str = ""
    workers: int | None = None


class Readiness:
    """Looks at most every two seconds, however often it is asked: looking takes the lock of the ledger."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._known: Ready | None = None
        self._until = 0.0

    def look(self) -> Ready:
        with self._lock:
            if self._known is None or time.monotonic() >= self._until:
                self._known = _ready(self._service)
                self._until = time.monotonic() + LOOK_SECONDS
            return self._known


# Private


def _hook(service: Service) -> Callable[[Request], Awaitable[Response]]:
    """A delivery is acknowledged by 202 once it is durable in the inbox; what it says is never trusted further."""

    room = Room(HOOKS_BYTES)

    async def hook(request: Request) -> Response:
        name = request.path_params["forge"]
        forge = service.forges.get(name)
        try:
            if forge is None and not signs(service.config, name):
                raise problems.of_status(404)
            body = await read_body(request, service.config.limits.request_kb * 1024, room)
            try:
                if forge is None:
                    return await run_sync(_hear, service, name, dict(request.headers), body)
                return await run_sync(_take, service, forge, dict(request.headers), body)
            finally:
                room.give_back(len(body))
        except Problem as problem:
            return problems.answer(problem, request_id(request))

    return hook


def _run_task(service: Service) -> Callable[[Request], Awaitable[Response]]:
    """Answered at once; what is said of the run goes to its callback."""

    room, tasks = Room(HOOKS_BYTES), run_tasks.RunTasks(service)

    async def run_task(request: Request) -> Response:
        try:
            if service.config.hcp is None:
                raise problems.of_status(404)
            body = await read_body(request, LARGEST_REQUEST_BYTES, room)
            room.give_back(len(body))
            return _json(tasks.take(body, dict(request.headers), dict(request.query_params)))
        except Problem as problem:
            return problems.answer(problem, request_id(request))

    return run_task


def _take(service: Service, forge: Forge, headers: dict[str, str], body: bytes) -> Response:
    opened = forge.open(headers, body)
    if isinstance(opened, Refusal):
        raise Problem(opened.status, opened.problem)
    delivery = Delivery(forge.name, opened.id, opened.event, opened.slug, msgspec.json.encode(opened))

    def work(connection: Connection) -> bool:
        if said:
            keep(connection, forge.name, body, said, service.now())
        if asked is not None:
            keep_question(connection, asked, service.now())
        return inbox.receive(connection, delivery, service.now())

    try:
        said = deployments_of(forge.name, headers, body, service.now())
        asked = question_of(headers, body) if forge.name == "github" else None
    except InputError as error:
        raise Problem(400, error.what, detail=error.where, mend=error.mend) from error
    try:
        new = service.database.change(work)
    except InputError as error:
        raise Problem(400, "the delivery holds what cannot be kept") from error
    except (DBAPIError, PoolTimeoutError, TidegateError) as error:
        raise Problem(503, "the delivery could not be kept", mend="send it again") from error
    if new:
        service.wake()
    return _json({"delivery": opened.id, "new": new}, 202)


def _hear(service: Service, sender: str, headers: dict[str, str], body: bytes) -> Response:
    """What somebody beside the forges tells of production and signs: nothing of it is read before."""
    if not is_signed(service.config, sender, headers, body):
        raise Problem(401, "the message is not signed by a secret of this service")
    try:
        taken = take(service, sender, body, headers, signed=True)
    except InputError as error:
        raise Problem(400, error.what, detail=error.where, mend=error.mend) from error
    except (DBAPIError, PoolTimeoutError, TidegateError) as error:
        raise Problem(503, "the message could not be kept", mend="send it again") from error
    return _json(taken, 202)


def _measured(service: Service, metrics: Metrics, request: Request) -> Response:
    """For whoever asks on this machine, and for a token that may read the settings from everywhere else."""
    if not _near(service, request):
        who = authenticate(service, request)
        if who.repositories is not None or not allows(who.role, who.scopes, "settings:read"):
            raise Problem(403, "this needs the permission settings:read")
    return Response(metrics.text(), media_type=METRICS_MEDIA_TYPE)


def _near(service: Service, request: Request) -> bool:
    """Whether the other end is this machine itself, and no proxy that speaks for others."""
    forwarded = service.config.trusted_proxy or "x-forwarded-for" in request.headers or "forwarded" in request.headers
    return not forwarded and address_of(service.config, request) in ("127.0.0.1", "::1")


def _ready(service: Service) -> Ready:
    if problem := service.failing():
        return Ready("no", problem)
    try:
        require_current(service.database)
        refusal = service.log.refusal()
        exposure = service.log.exposure()
        heard = _workers(service)
    except (DBAPIError, PoolTimeoutError, InternalError):
        return Ready("no", "the database does not answer")
    except InputError:
        return Ready("no", "the database is of another version")
    if refusal is not None:
        return Ready("no", "the ledger refuses to sign")
    if not service.config.witnesses:
        return Ready("ready", witnesses="none", workers=heard)
    return Ready("ready", witnesses="behind" if exposure.oldest > BEHIND_SECONDS else "present", workers=heard)


def _workers(service: Service) -> int:
    since = later(service.now(), -HEARD_SECONDS)
    with service.database.read() as connection:
        return sum(worker.seen_at >= since for worker in workers.living(connection))


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type=JSON)
