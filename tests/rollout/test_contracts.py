"""How others ask the gate, and what they understand of its answer."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rollout.helpers import REVISION, case, decide_on, forward
from tidegate.errors import InputError
from tidegate.rollout.contracts import argo, flagger, github, plain, run_task
from tidegate.rollout.contracts.request import Asked
from tidegate.rollout.gate import Decision


def decisions() -> dict[str, Decision]:
    return {
        "pass": decide_on(),
        "hold": decide_on(changes=forward(case(asked="hold", rules=("two-people",)))),
        "block": decide_on(changes=forward(case(asked="block"))),
    }


RULE = {
    "action": "requested",
    "environment": "production",
    "event": "push",
    "deployment_callback_url": "https://api.github.com/repos/acme/shop/actions/runs/1/deployment_protection_rule",
    "deployment": {"id": 7, "sha": REVISION, "environment": "production", "creator": {"login": "alice"}},
    "repository": {"full_name": "acme/shop"},
    "sender": {"login": "bob"},
}


def test_a_deployment_protection_rule() -> None:
    asked = github.read(json.dumps(RULE).encode())
    assert (asked.environment, asked.revision, asked.actor, asked.key) == ("production", REVISION, "alice", "7")
    assert asked.callback.endswith("/deployment_protection_rule")
    answers = {name: json.loads(github.callback(one)) for name, one in decisions().items()}
    assert {name: answer.get("state") for name, answer in answers.items()} == {
        "pass": "approved",
        "hold": None,  # a comment alone: the run goes on waiting
        "block": "rejected",
    }
    assert "two-people" in answers["hold"]["comment"]
    with pytest.raises(InputError, match="https"):
        github.read(json.dumps({**RULE, "deployment_callback_url": "http://evil/"}).encode())
    assert github.read(json.dumps({**RULE, "action": "created"}).encode()).purpose == "none"


def test_a_web_metric_of_argo_rollouts_pauses_where_it_is_held() -> None:
    asked = argo.read({"environment": "production", "revision": REVISION.upper(), "weight": "25"})
    assert (asked.revision, asked.share) == (REVISION, 0.25)
    told = {name: json.loads(argo.reply(one).body)["data"] for name, one in decisions().items()}
    assert {name: (data["ok"], data["failed"]) for name, data in told.items()} == {
        "pass": (True, False),
        "hold": (False, False),
        "block": (False, True),
    }
    assert {name: argo.exit_code(one) for name, one in decisions().items()} == {"pass": 0, "hold": 1, "block": 1}
    assert argo.read({"weight": "lots"}).share is None
    with pytest.raises(InputError, match="means nothing"):
        argo.read({"enviroment": "production"})


HOOK = {
    "name": "shop",
    "namespace": "production",
    "phase": "Progressing",
    "checksum": "85d557f47b",
    "metadata": {"revision": REVISION, "actor": "alice", "weight": "5"},
}


def test_flagger_waits_at_a_gate_and_rolls_back_only_where_somebody_said_bad() -> None:
    body = json.dumps(HOOK).encode()
    asked = flagger.read_gate(body)
    assert (asked.purpose, asked.environment, asked.service, asked.share) == ("gate", "production", "shop", 0.05)
    assert flagger.read_rollback(body).purpose == "roll-back"
    assert {n: flagger.reply_gate(one).status for n, one in decisions().items()} == {
        "pass": 200,
        "hold": 409,
        "block": 409,
    }
    assert flagger.reply_rollback(bad=True, why="errors x 20").status == 200
    assert flagger.reply_rollback(bad=False, why="no data").status == 409
    assert flagger.refused("not JSON").status == 409


def test_a_run_task_passes_only_what_passes() -> None:
    told = {name: json.loads(run_task.callback(one, "https://x")) for name, one in decisions().items()}
    assert [told[name]["data"]["attributes"]["status"] for name in ("pass", "hold", "block")] == [
        "passed",
        "failed",
        "failed",
    ]
    (outcome,) = told["hold"]["data"]["relationships"]["outcomes"]["data"]
    assert outcome["attributes"]["tags"]["Status"] == [{"label": "Held", "level": "warning"}]
    asked = run_task.question("network-prod", "run-1", "alice", REVISION)
    assert (asked.environment, asked.service, asked.key) == ("network-prod", "network-prod", "run-1")


def test_plain_http_says_it_with_its_status() -> None:
    asked = plain.read(json.dumps({"environment": "production", "revision": REVISION, "share": 0.05}).encode())
    assert asked == Asked(sender="http", purpose="gate", environment="production", revision=REVISION, share=0.05)
    assert {n: plain.reply(one).status for n, one in decisions().items()} == {"pass": 200, "hold": 409, "block": 403}
    body = json.loads(plain.reply(decisions()["hold"]).body)
    assert (body["schema"], body["outcome"]) == ("tidegate.gate/1", "hold")


@pytest.mark.parametrize(
    "body",
    [
        {"environment": "production"},
        {"environment": "production", "revision": "main"},
        {"environment": "production", "revision": REVISION, "share": 5},
        {"environment": "production", "revision": REVISION, "force": True},
    ],
)
def test_plain_http_refuses_what_it_does_not_know(body: dict[str, object]) -> None:
    with pytest.raises(InputError):
        plain.read(json.dumps(body).encode())


@pytest.mark.parametrize("read", [github.read, flagger.read_gate, flagger.read_rollback, plain.read])
@settings(max_examples=25)
@given(
    body=st.binary(max_size=60)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=6,
    ).map(lambda value: json.dumps(value).encode())
)
def test_anything_else_is_one_clear_error(read: Callable[[bytes], Asked], body: bytes) -> None:
    with pytest.raises(InputError):
        read(body)


def test_what_is_huge_or_deep_is_refused() -> None:
    for body in (b"[" * 100_000, b" " * (2 << 20)):
        with pytest.raises(InputError):
            plain.read(body)
