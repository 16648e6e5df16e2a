"""The webhooks of both forges: made when something happens, signed, sent once within ten seconds, and listed.

GitHub does not send again by itself; it keeps three days of deliveries, and a redelivery has the same GUID.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import queue
import threading
import uuid
from collections import deque
from dataclasses import dataclass, replace
from typing import Any

import httpx2

from demo.forge import gitlab_shapes, shapes
from demo.forge.world import Comment, Project, Protected, Pull, Review, Run, Status, World

SECONDS = 10.0
KEPT_SECONDS = 3 * 24 * 3600


@dataclass(frozen=True)
class Target:
    """Where to send to. `secret` beginning with `whsec_` signs as GitLab's signing tokens do."""

    forge: str
    url: str
    secret: str


@dataclass(frozen=True)
class Sent:
    """One attempt. `code` is 0 where nothing was answered in time."""

    id: int
    guid: str
    forge: str
    event: str
    action: str
    body: bytes
    at: str
    time: float
    project: int
    installation: int
    code: int = 0
    redelivery: bool = False


class Hooks:
    """Sends to the targets from a thread of its own. `plan` says what becomes of the next ones: send, drop, twice."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.targets: list[Target] = []
        self.plan: deque[str] = deque()
        self.sent: list[Sent] = []
        self.extra: dict[str, str] = {}
        self._queue: queue.Queue[Sent | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._base = ""

    def start(self, base: str) -> None:
        self._base = base
        self._thread = threading.Thread(target=self._work, name="hooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join(SECONDS + 5)

    def forget(self) -> None:
        self.targets, self.sent, self.extra = [], [], {}
        self.plan.clear()

    def settle(self) -> None:
        """Until everything that was made was sent."""
        self._queue.join()

    def send_again(self, identifier: int) -> bool:
        """The same message under the same GUID."""
        with self.world.lock:
            found = next((one for one in self.sent if one.id == identifier), None)
            if found is None or self.world.clock() - found.time > KEPT_SECONDS:
                return False
            self._queue.put(replace(found, id=next(self.world.ids), redelivery=True, code=0))
            return True

    def kept(self) -> list[Sent]:
        """What GitHub still lists, the newest first."""
        with self.world.lock:
            oldest = self.world.clock() - KEPT_SECONDS
            return [one for one in reversed(self.sent) if one.forge == "github" and one.time >= oldest]

    # What happened

    def pull(self, project: Project, pull: Pull, action: str, by: str) -> None:
        shown = shapes.pull(self._base, project, pull)
        self._github(project, "pull_request", action, {"number": pull.number, "pull_request": shown}, by)
        words = {"opened": "open", "closed": "merge" if pull.merged_at else "close"}
        self._gitlab(project, gitlab_shapes.merge_event(self.world, project, pull, words.get(action, "update"), by))

    def review(self, project: Project, pull: Pull, review: Review, action: str, by: str) -> None:
        shown = shapes.pull_in_list(self._base, project, pull)
        body = {"review": shapes.review_in_event(review), "pull_request": shown}
        self._github(project, "pull_request_review", action, body, by)
        word = {"APPROVED": "approved", "DISMISSED": "unapproved"}.get(review.state)
        if word:
            self._gitlab(project, gitlab_shapes.merge_event(self.world, project, pull, word, by))

    def protected(self, project: Project, asked: Protected, commit: str, by: str) -> None:
        """Its callback has the host of the API and https, as GitHub's own has."""
        runs = f"{self._base.replace('http://', 'https://', 1)}/repos/{project.slug}/actions/runs"
        deployment = {
            "id": asked.run,
            "sha": commit,
            "environment": asked.environment,
            "creator": {"login": by},
            "task": "deploy",
        }
        body = {
            "environment": asked.environment,
            "event": "push",
            "deployment_callback_url": f"{runs}/{asked.run}/deployment_protection_rule",
            "deployment": deployment,
            "pull_requests": [],
        }
        self._github(project, "deployment_protection_rule", "requested", body, by)

    def comment(self, project: Project, pull: Pull, comment: Comment, by: str) -> None:
        issue = {"number": pull.number, "title": pull.title, "pull_request": {}}
        body = {"issue": issue, "comment": shapes.comment(self._base, project, pull, comment)}
        self._github(project, "issue_comment", "created", body, by)
        self._gitlab(project, gitlab_shapes.note_event(self.world, project, pull, comment))

    def push(self, project: Project, branch: str, moved: tuple[str, str], by: str) -> None:
        zeros = "0" * len(moved[0] or moved[1])
        body = {"ref": f"refs/heads/{branch}", "before": moved[0] or zeros, "after": moved[1] or zeros}
        flags = {"created": not moved[0], "deleted": not moved[1], "forced": False, "commits": [], "head_commit": None}
        self._github(project, "push", "", {**body, **flags, "pusher": {"name": by}}, by)
        self._gitlab(project, gitlab_shapes.push_event(self.world, project, body, by))

    def group(self, project: Project, pull: Pull, ends: tuple[str, str, str], by: str) -> None:
        ref, head, base = ends
        group = {"head_sha": head, "head_ref": ref, "base_sha": base, "base_ref": f"refs/heads/{pull.target}"}
        self._github(project, "merge_group", "checks_requested", {"merge_group": group}, by)

    def status(self, project: Project, status: Status) -> None:
        body = {**shapes.status_in_event(status), "name": project.slug, "branches": []}
        self._github(project, "status", "", body, status.user.login)

    def run(self, project: Project, run: Run, action: str, by: str) -> None:
        self._github(project, "check_run", action, {"check_run": shapes.run_in_event(self._base, project, run)}, by)

    # Private

    def _github(self, project: Project, event: str, action: str, body: dict[str, Any], by: str) -> None:
        installation = self.world.installations.get(project.slug.partition("/")[0].lower(), 0)
        full = {
            **({"action": action} if action else {}),
            **body,
            "repository": shapes.repository(self._base, project),
            "sender": shapes.user(self.world.user(by)),
            "installation": {"id": installation, "node_id": f"I_{installation}"},
        }
        self._put("github", event, action, full, (project.id, installation))

    def _gitlab(self, project: Project, body: dict[str, Any]) -> None:
        self._put("gitlab", gitlab_shapes.HOOK_NAMES[body["object_kind"]], "", body, (project.id, 0))

    def _put(self, forge: str, event: str, action: str, body: dict[str, Any], about: tuple[int, int]) -> None:
        if not any(target.forge == forge for target in self.targets):
            return
        text = json.dumps(body, separators=(",", ":")).encode()
        now = self.world.stamp()
        made = Sent(
            next(self.world.ids), str(uuid.uuid4()), forge, event, action, text, now, self.world.clock(), *about
        )
        self._queue.put(made)

    def _work(self) -> None:
        with httpx2.Client(timeout=SECONDS, trust_env=False) as client:
            while True:
                made = self._queue.get()
                try:
                    if made is None:
                        return
                    self._send(client, made)
                finally:
                    self._queue.task_done()

    def _send(self, client: httpx2.Client, made: Sent) -> None:
        fate = self.plan.popleft() if self.plan and not made.redelivery else "send"
        code = 0
        for _ in range({"drop": 0, "twice": 2}.get(fate, 1)):
            for target in [one for one in self.targets if one.forge == made.forge]:
                headers = {**self._headers(made, target), **self.extra}
                try:
                    code = client.post(target.url, content=made.body, headers=headers).status_code
                except httpx2.HTTPError:
                    code = 0
        with self.world.lock:
            self.sent.append(replace(made, code=code, time=self.world.clock(), at=self.world.stamp()))

    def _headers(self, made: Sent, target: Target) -> dict[str, str]:
        if target.forge == "github":
            return github_headers(made.event, made.guid, made.body, target.secret)
        at = str(int(self.world.clock()))
        return gitlab_headers(made.event, made.guid, made.body, target.secret, at)


def github_headers(event: str, guid: str, body: bytes, secret: str) -> dict[str, str]:
    """As GitHub sends them."""
    return {
        "content-type": "application/json",
        "user-agent": "GitHub-Hookshot/fake",
        "x-github-event": event,
        "x-github-delivery": guid,
        "x-github-hook-installation-target-type": "integration",
        "x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }


def gitlab_headers(event: str, guid: str, body: bytes, secret: str, at: str) -> dict[str, str]:
    """As GitLab sends them: a plain token, or a signature where the secret is a signing token."""
    headers = {
        "content-type": "application/json",
        "user-agent": "GitLab/fake",
        "x-gitlab-event": event,
        "x-gitlab-event-uuid": guid,
        "idempotency-key": guid,
        "x-gitlab-instance": "http://127.0.0.1",
    }
    if not secret.startswith("whsec_"):
        return {**headers, "x-gitlab-token": secret}
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{guid}.{at}.".encode() + body, hashlib.sha256).digest()
    signed = "v1," + base64.b64encode(digest).decode()
    return {**headers, "webhook-id": guid, "webhook-timestamp": at, "webhook-signature": signed}
