"""`POST /_control/VERB` with the deed's arguments as JSON: for what is driven from another process."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from demo.forge.server import FakeForge

DEEDS = frozenset("push open_pull edit close review dismiss merge queue comment post_status post_run rerequest".split())


def control(forge: FakeForge) -> Callable[[Request, bytes], Response]:
    """The deeds by their names, and: add_repository, hook, fail, plan, settle, state."""

    def handle(request: Request, body: bytes) -> Response:
        try:
            given = json.loads(body or b"{}")
            return JSONResponse({"answer": _do(forge, request.path_params["verb"], given)})
        except (KeyError, ValueError, TypeError, StopIteration, subprocess.CalledProcessError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    return handle


# Private


def _do(forge: FakeForge, verb: str, given: dict[str, Any]) -> Any:
    for name in ("source",):
        if name in given:
            given[name] = Path(given[name])
    if verb in DEEDS:
        return getattr(forge.do, verb)(**given)
    match verb:
        case "add_repository":
            return forge.do.add_repository(**given).id
        case "hook":
            forge.hook(**given)
        case "fail":
            forge.fail(**given)
        case "plan":
            forge.hooks.plan.extend(given["plan"])
        case "settle":
            forge.hooks.settle()
        case "state":
            return _state(forge, given["slug"])
        case _:
            raise ValueError(f"{verb} is nothing that can be done")
    return None


def _state(forge: FakeForge, slug: str) -> dict[str, Any]:
    with forge.world.lock:
        project = forge.world.projects[slug]
        return {
            "branches": project.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads").splitlines(),
            "pulls": {number: [one.state, one.head, len(one.comments)] for number, one in project.pulls.items()},
            "runs": [[one.head_sha, one.name, one.app.slug, one.status, one.conclusion] for one in project.runs],
            "statuses": [[one.sha, one.context, one.user.login, one.state] for one in project.statuses],
        }
