"""GitHub's deployment protection rules: kept when they are asked, answered at their callback by the worker.

A rejection ends the run, so what is held is told by a comment alone and asked again until it passes, is blocked, or
GitHub gave the run up. The callback is never opened as it was sent: only its path counts, at the API of our own set-up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection

from tidegate.errors import InputError
from tidegate.rollout.contracts import github
from tidegate.rollout.contracts.request import Asked
from tidegate.rollout.intake.reading import header
from tidegate.server.forge.errors import ForgeError
from tidegate.server.forge.github import GitHubForge
from tidegate.server.logs import log_failure
from tidegate.server.rollout.decide import Answered, answer
from tidegate.server.work.journey import Way
from tidegate.store import gate_callbacks
from tidegate.store.clock import later
from tidegate.store.gate_callbacks import Callback, NewCallback

EVENT = "deployment_protection_rule"
AGAIN_SECONDS = 30.0
TAKEN_SECONDS = 300.0
GIVEN_UP_SECONDS = 30 * 86_400.0
"""GitHub waits for an answer for thirty days."""
MOST_COMMENTS = 9
"""GitHub takes ten reports for one question: the last is kept for the answer itself."""
_PATH = re.compile(r"/repos/(?P<slug>[^/]+/[^/]+)/actions/runs/(?P<run>[0-9]{1,18})/deployment_protection_rule")


def question_of(headers: Mapping[str, str], body: bytes) -> NewCallback | None:
    """The question of an authentic message; None where it is about something else. InputError for a strange one."""
    if header(headers, "x-github-event") != EVENT:
        return None
    asked = github.read(body)
    if asked.purpose != "gate":
        return None
    found = _PATH.search(urlsplit(asked.callback).path)
    if found is None or found["slug"].lower() != asked.repository.lower():
        raise InputError("deployment_callback_url is no callback of this repository", where=github.SENDER)
    return NewCallback(
        callback=f"/repos/{asked.repository}/actions/runs/{found['run']}/{EVENT}?{asked.environment[:255]}",
        sender=github.SENDER,
        forge="github",
        repository=asked.repository,
        environment=asked.environment,
        service=asked.service,
        revision=asked.revision,
        actor=asked.actor,
    )


def keep_question(connection: Connection, found: NewCallback, at: str) -> None:
    """Keeps it, once for each run and environment."""
    gate_callbacks.put(connection, found, at)


def answer_callbacks(way: Way) -> int:
    """Answers those whose time has come; how many were answered for good. Any number of workers may do it."""
    service = way.service
    with service.database.read() as connection:
        due = gate_callbacks.due(connection, service.now())
    return sum(_answer(way, one) for one in due)


# Private


def _answer(way: Way, found: Callback) -> bool:
    service, now = way.service, way.service.now()
    until = later(now, TAKEN_SECONDS)
    if not service.database.change(lambda connection: gate_callbacks.take(connection, found, until)):
        return False
    if now > later(found.asked_at, GIVEN_UP_SECONDS):
        service.database.change(lambda connection: gate_callbacks.settle(connection, found.id, "lost", found.said, now))
        return False
    asked = Asked(
        sender=found.sender,
        purpose="gate",
        environment=found.environment,
        service=found.service,
        revision=found.revision,
        repository=found.repository,
        actor=found.actor,
    )
    given = answer(service, asked, found.sender, way.mirrors)
    try:
        said = _tell(way, found, given)
    except ForgeError as error:
        log_failure(error, f"callback {found.id}")
        again = later(now, max(AGAIN_SECONDS, error.retry_after or 0.0))
        state: gate_callbacks.State = "lost" if error.retry_after is None else "waiting"
        service.database.change(
            lambda connection: gate_callbacks.settle(connection, found.id, state, found.said, again)
        )
        return False
    over = given.decision.outcome != "hold"
    again = later(now, AGAIN_SECONDS)
    service.database.change(
        lambda connection: gate_callbacks.settle(connection, found.id, "answered" if over else "waiting", said, again)
    )
    return over


def _tell(way: Way, found: Callback, given: Answered) -> str:
    """Sends what is new; what was said, with how often: `COUNT DIGEST`."""
    count, _, last = found.said.partition(" ")
    told = int(count or 0)
    mark = f"{given.gate.answer}{given.decision.outcome}"
    if given.decision.outcome == "hold" and (mark == last or told >= MOST_COMMENTS):
        return found.said
    forge = way.service.forges.get(found.forge)
    if not isinstance(forge, GitHubForge):
        raise ForgeError("this forge is not configured any more", where=found.forge)
    run = found.callback.partition("?")[0].split("/")[-2]
    body = msgspec.json.decode(github.callback(given.decision))
    forge.answer_deployment(found.repository, int(run), body)
    return f"{told + 1} {mark}"
