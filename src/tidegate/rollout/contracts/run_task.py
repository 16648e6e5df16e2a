"""The gate as a run task of HCP Terraform: the decision as a result that its pages show.

server/run_task.py receives and verifies such a request and judges its plan; this adds what the gate says. The body goes
to the callback with the token of the request, as `application/vnd.api+json`. Only `passed` lets a mandatory task pass.
"""

from __future__ import annotations

from typing import Any

from tidegate.facts import to_json
from tidegate.report.escape import markdown
from tidegate.rollout.contracts.request import Asked, words
from tidegate.rollout.gate import Decision, Obligation

SENDER = "hcp-terraform"
MOST_OUTCOMES = 20


def question(workspace: str, run: str, actor: str, revision: str, environment: str = "") -> Asked:
    """The question of a run. Its workspace is the service, and where nothing else is said the environment too."""
    return Asked(
        sender=SENDER,
        purpose="gate",
        environment=environment or workspace,
        service=workspace,
        revision=revision,
        actor=actor,
        key=run,
    )


def callback(decision: Decision, url: str = "") -> bytes:
    """The body of the callback."""
    status = "passed" if decision.outcome == "pass" else "failed"
    attributes = {"status": status, "message": words(decision), **({"url": url} if url else {})}
    data: dict[str, Any] = {"type": "task-results", "attributes": attributes}
    found = outcomes(decision)
    if found:
        data["relationships"] = {"outcomes": {"data": found}}
    return to_json({"data": data})


def outcomes(decision: Decision) -> list[dict[str, Any]]:
    """What is in the way, as the platform shows it beside the run."""
    return [_outcome(number, one) for number, one in enumerate(decision.open[:MOST_OUTCOMES], 1)]


# Private


def _outcome(number: int, one: Obligation) -> dict[str, Any]:
    label, level = ("Blocked", "error") if one.effect == "block" else ("Held", "warning")
    body = markdown(f"{one.why}. {one.next_step}".strip(), 2000)
    attributes = {
        "outcome-id": f"GATE-{number}",
        "description": one.text[:200],
        "tags": {"Status": [{"label": label, "level": level}]},
        "body": body,
    }
    return {"type": "task-result-outcomes", "attributes": attributes}
