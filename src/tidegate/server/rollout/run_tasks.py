"""Run tasks of HCP Terraform: taken at once; then the plan is judged, the gate asked, and the callback answered.

The platform's addresses are never opened as they were sent: their path alone counts, at the platform of our own set-up.
The token of a run is held in memory for as long as its answer takes. An answer that is lost fails the run: a mandatory
task without one does not pass.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import urljoin, urlsplit

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tidegate.errors import TidegateError
from tidegate.rollout.contracts.request import oid
from tidegate.rollout.contracts.run_task import SENDER, question
from tidegate.rollout.gate import Decision
from tidegate.server import outgoing
from tidegate.server.api.problems import Problem
from tidegate.server.config import Hcp
from tidegate.server.logs import log, log_failure
from tidegate.server.rollout.decide import answer
from tidegate.server.run_task import MEDIA_TYPE, SIGNATURE, Callback, Task, judge_task, receive
from tidegate.server.service import Service

PATH = "/hooks/hcp-terraform"
MOST_WAITING = 32
MOST_PLAN_BYTES = 32 << 20
TRIES = 3
PAUSE_SECONDS = 2.0
_CALLBACK = re.compile(r"/api/v2/task-results/[A-Za-z0-9-]{1,80}/callback")
_PLAN = re.compile(r"/api/v2/plans/[A-Za-z0-9-]{1,80}/json-output")
_COMMIT = re.compile(r"/commits?/([0-9a-fA-F]{40,64})/?$")


class Taken(Struct, frozen=True):
    """What is answered at once: whether anything follows at the callback."""

    taken: bool


class RunTasks:
    """Two at a time; of more than MOST_WAITING the next is refused, and its run fails."""

    def __init__(self, service: Service, wait: Callable[[float], None] = time.sleep) -> None:
        self._service = service
        self._wait = wait
        self._hands = ThreadPoolExecutor(2, thread_name_prefix="run-task")
        self._room = threading.BoundedSemaphore(MOST_WAITING)

    def take(self, body: bytes, headers: Mapping[str, str], query: Mapping[str, str]) -> Taken:
        """Checks who sent it and answers. Problem 400, 401 or 413 where it is refused, 503 where too much waits."""
        hcp = self._service.config.hcp
        if hcp is None:
            raise Problem(404, "no run task is set up here")
        task = _received(hcp, body, headers.get(SIGNATURE.lower(), ""))
        if task.is_test:
            return Taken(False)
        _path(_CALLBACK, task.task_result_callback_url)
        if not self._room.acquire(blocking=False):
            raise Problem(503, "too many runs wait for their answer", retry_after=30)
        self._hands.submit(self._answer, hcp, task, dict(query)).add_done_callback(_say_failure)
        return Taken(True)

    # Private

    def _answer(self, hcp: Hcp, task: Task, query: Mapping[str, str]) -> None:
        try:
            decision = None if task.is_speculative else _decided(self._service, task, query)
            said = judge_task(task, self._plan(hcp, task), decision=decision, url=self._service.config.url)
            self._tell(hcp, said)
            log("run-task", run=task.run_id, gate=decision.outcome if decision is not None else "not asked")
        except (TidegateError, OSError, Problem) as error:  # the run is not answered, and so fails
            log_failure(error, f"run task {task.run_id}"[:100])
        finally:
            self._room.release()

    def _plan(self, hcp: Hcp, task: Task) -> bytes:
        """The plan as JSON, b"" where it cannot be had: what cannot be judged fails."""
        try:
            url = hcp.url + _path(_PLAN, task.plan_json_api_url)
            said = outgoing.ask("GET", url, headers=_bearer(task), most=MOST_PLAN_BYTES)
            if said.status in (302, 307):  # to where plans are kept, by an address that is a secret itself
                said = outgoing.ask("GET", _store(hcp, url, said.headers.get("location", "")), most=MOST_PLAN_BYTES)
        except (OSError, Problem) as error:
            log_failure(error, f"plan of {task.run_id}"[:100])
            return b""
        return said.body if said.status == 200 else b""

    def _tell(self, hcp: Hcp, said: Callback) -> None:
        """Problem or OSError where nobody took it."""
        url = hcp.url + _path(_CALLBACK, said.url)
        headers = {"authorization": f"Bearer {said.token}", "content-type": MEDIA_TYPE}
        for number in range(1, TRIES + 1):
            try:
                status = outgoing.ask("PATCH", url, said.body, headers).status
            except OSError:
                if number == TRIES:
                    raise
                status = 503
            if status < 400:
                return
            if status < 500 and status != 429:
                break
            self._wait(PAUSE_SECONDS * number)
        raise OSError(f"the platform answered {status}")


# Private


def _say_failure(done: Future[None]) -> None:
    error = done.exception()
    if isinstance(error, Exception):
        log_failure(error, "run task")


def _received(hcp: Hcp, body: bytes, signature: str) -> Task:
    found = [receive(body, signature, key) for key in hcp.keys.accepted]
    taken = next((one for one in found if one.status != 401), found[0])
    if taken.task is None:
        raise Problem(taken.status, taken.problem)
    return taken.task


def _decided(service: Service, task: Task, query: Mapping[str, str]) -> Decision:
    """What the gate says of this run; raises nothing that a fault of ours may bring, but answers that it is held."""
    commit = _COMMIT.search(urlsplit(task.vcs_commit_url or "").path)
    asked = question(
        query.get("service", task.workspace_name),
        task.run_id,
        f"hcp:{task.run_created_by}" if re.fullmatch(r"[A-Za-z0-9_-]{1,80}", task.run_created_by) else "",
        oid(commit[1]) if commit else "",
        query.get("environment", "") or task.workspace_name,
    )
    asked = replace(asked, repository=task.vcs_repo_url or "")
    try:
        return answer(service, asked, SENDER).decision
    except (TidegateError, DBAPIError, PoolTimeoutError) as error:
        log_failure(error, f"gate of {task.run_id}"[:100])
        return _held(asked.environment)


def _held(environment: str) -> Decision:
    from tidegate.rollout.document import Unreadable
    from tidegate.rollout.gate import Question, Situation, gate
    from tidegate.rollout.joined import Unjoined
    from tidegate.settings import Settings

    why = "the gate could not answer now"
    unjoined = Unjoined("unreadable", why, "run it again")
    question_ = Question(environment=environment, revision="")
    return gate(question_, unjoined, Unreadable(why, "run it again"), 0.0, Situation(settings=Settings()))


def _path(known: re.Pattern[str], url: str) -> str:
    """The path of an address of the platform. Problem 400 for any other."""
    try:
        path = urlsplit(url).path
    except ValueError:
        path = ""
    if not known.fullmatch(path):
        raise Problem(400, "this is no address of a run task", detail=path[:100])
    return path


def _store(hcp: Hcp, url: str, location: str) -> str:
    """Where plans are kept: the platform itself, or the `archivist` beside its `app`. Problem 400 for elsewhere."""
    target = ""
    try:
        target = urljoin(url, location)
        ours, theirs = urlsplit(hcp.url), urlsplit(target)
        beside = f"archivist.{(ours.hostname or '').removeprefix('app.')}"
        near = theirs.scheme == ours.scheme and "@" not in theirs.netloc
        here = (theirs.hostname, theirs.port) == (ours.hostname, ours.port)
        there = theirs.hostname == beside and theirs.port in (None, 443) and ours.hostname != beside
    except ValueError:
        near = here = there = False
    if not near or not (here or there):
        raise Problem(400, "the plan is kept at an address that is not the platform's")
    return target


def _bearer(task: Task) -> dict[str, str]:
    return {"authorization": f"Bearer {task.access_token}", "accept": "application/json"}
