"""The run task: signed, judged, answered; never passed where nothing could be judged."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from tests.rollout.helpers import case, decide_on, forward
from tidegate.errors import InputError
from tidegate.server.run_task import Task, judge_task, receive

KEY = b"between us"


def _body(**fields: Any) -> bytes:
    task = {
        "payload_version": 1,
        "access_token": "a-token-of-the-run",
        "stage": "post_plan",
        "task_result_callback_url": "https://terraform.example/callback/1",
        "run_id": "run-1",
        "workspace_name": "shop",
        "plan_json_api_url": "https://terraform.example/plan/1",
        "a_field_of_tomorrow": {"x": 1},
    }
    return json.dumps(task | fields).encode()


def _signed(body: bytes, key: bytes = KEY) -> str:
    return hmac.new(key, body, hashlib.sha512).hexdigest()


def _plan(*changes: dict[str, Any], **top: Any) -> bytes:
    before = [
        {k: c[k] for k in ("address", "mode", "type", "name")} | {"values": c["change"]["before"]} for c in changes
    ]
    plan = {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {}},
        "resource_changes": list(changes),
        "prior_state": {"format_version": "1.0", "values": {"root_module": {"resources": before}}},
        "configuration": {"root_module": {}},
        "complete": True,
        "applyable": True,
        "errored": False,
    }
    return json.dumps(plan | top).encode()


def _deleted() -> dict[str, Any]:
    before = {"identifier": "shop-orders", "engine": "postgres", "tags": {"env": "prod"}, "skip_final_snapshot": True}
    return {
        "address": "aws_db_instance.orders",
        "mode": "managed",
        "type": "aws_db_instance",
        "name": "orders",
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "change": {"actions": ["delete"], "before": before, "after": None, "after_unknown": {}},
    }


def _task(**fields: Any) -> Task:
    body = _body(**fields)
    task = receive(body, _signed(body), KEY).task
    assert task is not None
    return task


def _said(task: Task, plan: bytes) -> dict[str, Any]:
    callback = judge_task(task, plan)
    assert callback.url == task.task_result_callback_url
    assert callback.token == task.access_token
    found: dict[str, Any] = json.loads(callback.body)["data"]
    return found


def test_a_signed_request_is_taken() -> None:
    body = _body()
    answer = receive(body, _signed(body), KEY)
    assert answer.status == 200
    assert answer.task is not None
    assert answer.task.stage == "post_plan"


@pytest.mark.parametrize("signature", ["", "00", "é", _signed(_body(), b"another key"), _signed(b"another body")])
def test_a_request_that_nobody_signed_is_refused(signature: str) -> None:
    answer = receive(_body(), signature, KEY)
    assert (answer.status, answer.task) == (401, None)


def test_without_a_key_nothing_is_answered() -> None:
    with pytest.raises(InputError, match="no key"):
        receive(_body(), _signed(_body(), b""), b"")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"\xff",
        _body(payload_version=2),
        _body(task_result_callback_url="http://x"),
        b"[" * 9999,
    ],
)
def test_a_request_that_is_none_is_refused(body: bytes) -> None:
    answer = receive(body, _signed(body), KEY)
    assert (answer.status, answer.task) == (400, None)


def test_the_test_of_the_platform_is_answered() -> None:
    task = _task(access_token="test-token", task_result_callback_url="")
    assert task.is_test


def test_a_plan_that_destroys_a_database_fails() -> None:
    said = _said(_task(), _plan(_deleted()))
    assert said["attributes"]["status"] == "failed"
    assert "critical" in said["attributes"]["message"]
    outcome = said["relationships"]["outcomes"]["data"][0]
    assert "aws_db_instance.orders" in outcome["attributes"]["description"]
    assert outcome["attributes"]["tags"]["Severity"] == [{"label": "Critical", "level": "error"}]


def test_a_plan_of_nothing_passes() -> None:
    assert _said(_task(), _plan())["attributes"]["status"] == "passed"


@pytest.mark.parametrize("plan", [b"", b"not json", b"{}", _plan(errored=True), _plan(complete=False)])
def test_what_cannot_be_judged_fails(plan: bytes) -> None:
    assert _said(_task(), plan)["attributes"]["status"] == "failed"


@pytest.mark.parametrize("stage", ["pre_plan", "post_apply", "one of tomorrow"])
def test_a_stage_without_a_plan_fails(stage: str) -> None:
    assert _said(_task(stage=stage), _plan())["attributes"]["status"] == "failed"


def test_the_token_is_never_shown() -> None:
    task = _task()
    assert task.access_token not in repr(task)
    assert task.access_token not in repr(judge_task(task, _plan()))
    assert task.access_token.encode() not in judge_task(task, _plan(_deleted())).body


@pytest.mark.parametrize(("hits", "status"), [(1, "passed"), (2, "failed")])
def test_a_plan_passes_only_where_the_gate_lets_it(hits: int, status: str) -> None:
    """Of two deployments one hits more than its step may."""
    document = '[environments.production]\ntier = "low"\n[[environments.production.step]]\nchanges = 1\n'
    changes = forward(*[case(commit=f"{number:040x}") for number in range(hits)])
    decision = decide_on(document, changes=changes)
    callback = judge_task(_task(), _plan(), decision=decision)
    said = json.loads(callback.body)["data"]
    assert said["attributes"]["status"] == status
    assert (("relationships" in said), "is held before production" in said["attributes"]["message"]) == (
        status == "failed",
        status == "failed",
    )
