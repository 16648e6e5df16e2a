"""A run task of HCP Terraform and Terraform Enterprise: verified, judged, answered; without a network of its own.

The platform posts a request; whoever serves it answers 200 at once (`receive`), fetches the plan with the token of the
request, and sends what `judge_task` returns to the callback. Protocol:
https://developer.hashicorp.com/terraform/cloud-docs/api-docs/run-tasks/run-tasks-integration
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.facts import Actor, Effect, Infra, to_json
from tidegate.infra.collect import facts_of, judge_found, read_plan_bytes
from tidegate.report.escape import markdown
from tidegate.report.infra_words import GRAVE, asked, details, headline, word_of
from tidegate.rollout.contracts.request import words
from tidegate.rollout.contracts.run_task import outcomes
from tidegate.rollout.gate import Decision

SIGNATURE = "X-Tfc-Task-Signature"
MEDIA_TYPE = "application/vnd.api+json"
TEST_TOKEN = "test-token"  # noqa: S105 what the platform sends to see whether the address answers
LARGEST_REQUEST_BYTES = 1024 * 1024
_MOST_OUTCOMES = 20

Stage: TypeAlias = Literal["pre_plan", "post_plan", "pre_apply", "post_apply"]


class Task(Struct, frozen=True):
    """What the platform asks. Names are its own; the token opens the plan and the callback and is never logged."""

    payload_version: int
    access_token: str
    stage: str
    task_result_callback_url: str = ""
    task_result_id: str = ""
    run_id: str = ""
    run_created_by: str = ""
    run_message: str = ""
    workspace_name: str = ""
    vcs_pull_request_url: str | None = None
    vcs_commit_url: str | None = None
    vcs_repo_url: str | None = None
    is_speculative: bool = False
    plan_json_api_url: str = ""

    def __repr__(self) -> str:
        return f"Task({self.stage} of {self.run_id or 'no run'} in {self.workspace_name or 'no workspace'})"

    @property
    def is_test(self) -> bool:
        """Whether the platform only asks whether somebody is there: answer 200 and do nothing."""
        return self.access_token == TEST_TOKEN


class Answer(Struct, frozen=True):
    """What to answer to the request: 200 with a task to judge or without one (a test), else why it is refused."""

    status: int
    task: Task | None = None
    problem: str = ""


class Callback(Struct, frozen=True):
    """What to send back: PATCH `url` with the token as bearer and this body of MEDIA_TYPE."""

    url: str
    token: str
    body: bytes

    def __repr__(self) -> str:
        return f"Callback({self.url})"


def receive(body: bytes, signature: str, key: bytes) -> Answer:
    """The answer to a request. `signature` is its header, hex of HMAC-SHA512 of the body; `key` must not be empty.

    A request that nobody signed with this key is answered with 401, whatever it says; one that cannot be read with 400.
    """
    if not key:
        raise InputError("no key", where="run task", mend="set the HMAC key that HCP Terraform has of this task")
    if len(body) > LARGEST_REQUEST_BYTES:
        return Answer(413, problem="the request is larger than 1 MB")
    expected = hmac.new(key, body, hashlib.sha512).hexdigest()
    if not hmac.compare_digest(expected.encode(), signature.strip().lower().encode("utf-8", "replace")):
        return Answer(401, problem=f"{SIGNATURE} does not fit the body and the key")
    try:
        task = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return Answer(400, problem=f"not a run task: {error}")
    if task.payload_version != 1:
        return Answer(400, problem=f"payload version {task.payload_version}; this speaks version 1")
    if not task.is_test and not task.task_result_callback_url.startswith("https://"):
        return Answer(400, problem="task_result_callback_url is not an https address")
    return Answer(200, task)


def judge_task(
    task: Task, plan: bytes, *, actor: Actor = "unknown", url: str = "", decision: Decision | None = None
) -> Callback:
    """What is to be sent back about this plan. `actor` is what provenance says of the pull request; `url` a page of it.
    `decision` is what the gate before the workspace's environment says, None where there is none: both must pass.

    What cannot be judged fails: no plan, one that cannot be read, a stage at which there is none yet.
    """
    if task.stage not in ("post_plan", "pre_apply"):
        said = f"nothing can be judged at {task.stage}: attach this task at post_plan or pre_apply"
        return _callback(task, "failed", said, [], url)
    try:
        found, fact = read_plan_bytes(plan, f"plan of {task.run_id or 'the run'}")
    except InputError as error:
        return _callback(task, "failed", f"cannot judge: {error.what}", [], url)
    infra = facts_of(judge_found([found], actor), actor, (fact,))
    word = word_of(infra)
    status = "passed" if word in ("pass", "note") else "failed"
    said = f"{word}: {headline(infra)}" + (f"; {asked(infra)}" if asked(infra) else "")
    found_outcomes = _outcomes(infra)
    if decision is not None and decision.outcome != "pass":
        of_gate = outcomes(decision)
        status, said = "failed", f"{words(decision)}; {said}"
        found_outcomes = [*of_gate, *found_outcomes][:_MOST_OUTCOMES]
    return _callback(task, status, said, found_outcomes, url)


# Private

_DECODER = msgspec.json.Decoder(Task)
_LONGEST = 500


def _callback(task: Task, status: str, message: str, outcomes: list[dict[str, Any]], url: str) -> Callback:
    attributes = {"status": status, "message": message[:_LONGEST], **({"url": url} if url else {})}
    data: dict[str, Any] = {"type": "task-results", "attributes": attributes}
    if outcomes:
        data["relationships"] = {"outcomes": {"data": outcomes}}
    return Callback(task.task_result_callback_url, task.access_token, to_json({"data": data}))


def _outcomes(infra: Infra) -> list[dict[str, Any]]:
    found = [_outcome(number, effect) for number, effect in enumerate(infra.effects[:_MOST_OUTCOMES], 1)]
    for number, one in enumerate(infra.unjudged[: _MOST_OUTCOMES - len(found)], len(found) + 1):
        body = markdown(f"{one.reason}. {one.mend}", 2000)
        found.append(_written(f"TG-{number}", f"Cannot judge {one.address}", "Cannot judge", "error", body))
    return found


def _outcome(number: int, effect: Effect) -> dict[str, Any]:
    below = [f"- {name}: {markdown(words, 600)}" for name, words in details(effect)]
    body = "\n".join([markdown(effect.reason, 1200), "", *below])
    level = "error" if effect.severity in GRAVE else "warning" if effect.severity == "medium" else "info"
    return _written(f"TG-{number}", f"{effect.code} {effect.address}", effect.severity.capitalize(), level, body)


def _written(id_: str, description: str, label: str, level: str, body: str) -> dict[str, Any]:
    attributes = {
        "outcome-id": id_,
        "description": description[:200],
        "tags": {"Severity": [{"label": label, "level": level}]},
        "body": body,
    }
    return {"type": "task-result-outcomes", "attributes": attributes}
