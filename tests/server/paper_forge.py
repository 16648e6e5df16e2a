"""A forge on paper: a folder with real repositories, what it knows of changes, and what was said to it.

Any number of processes may ask and tell it at once. It signs its deliveries as GitHub does.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec

from tests.repos import Repo
from tidegate.server.forge.errors import ForgeError
from tidegate.server.forge.github_hooks import open_github
from tidegate.server.forge.values import Check, CloneFrom, Delivery, Missed, Pull, Refusal, Repository

SECRET = b"a secret of the forge on paper"


class PaperForge:
    """Satisfies `Forge`. `down` (a file of that name in the folder) makes it answer as a forge that is away."""

    name: Literal["github"] = "github"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    # What people do there

    def add(self, slug: str, source: Repo) -> Repo:
        """The repository of this slug, which the caller goes on working in."""
        with self._changing() as state:
            state["repositories"][slug] = str(source.path)
            state["pulls"].setdefault(slug, {})
        return source

    def open_pull(self, slug: str, number: int, head: str, **changed: Any) -> None:
        self.put(
            slug, number, {"head": head, "title": f"Change {number}", "state": "open", "target": "main", **changed}
        )

    def put(self, slug: str, number: int, changed: Mapping[str, Any]) -> None:
        """What is other of this pull request from now on; a new head moves its ref."""
        with self._changing() as state:
            pull = state["pulls"][slug].setdefault(str(number), {"author": "ada", "reviews": [], "count": 0})
            pull.update(changed)
            pull["count"] += 1
            source = Repo(Path(state["repositories"][slug]))
            if "head" in changed:
                source.git("update-ref", f"refs/pull/{number}/head", pull["head"])
            pull["base"] = source.head(f"refs/heads/{pull['target']}")

    def review(self, slug: str, number: int, by: str, state: str = "APPROVED") -> None:
        pull = self._state()["pulls"][slug][str(number)]
        review = {"id": len(pull["reviews"]) + 1, "user": {"login": by, "type": "User"}, "state": state}
        review |= {"commit_id": pull["head"], "submitted_at": "2026-03-01T10:00:00Z", "body": ""}
        self.put(slug, number, {"reviews": [*pull["reviews"], review]})

    def delivery(self, guid: str, event: str, slug: str, **payload: Any) -> tuple[dict[str, str], bytes]:
        """The headers and the body of a webhook."""
        body = json.dumps({"repository": {"full_name": slug}, **payload}).encode()
        signature = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
        headers = {"x-hub-signature-256": signature, "x-github-delivery": guid, "x-github-event": event}
        return {**headers, "content-type": "application/json"}, body

    def pull_delivery(self, guid: str, slug: str, number: int, action: str = "opened") -> tuple[dict[str, str], bytes]:
        head = self._state()["pulls"][slug][str(number)]["head"]
        return self.delivery(
            guid, "pull_request", slug, action=action, pull_request={"number": number, "head": {"sha": head}}
        )

    def said(self, kind: str = "check") -> list[dict[str, Any]]:
        """Everything that was told to it, in order."""
        path = self.folder / "said.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [each for each in map(json.loads, lines) if each["kind"] == kind]

    def check_of(self, commit: str) -> dict[str, Any] | None:
        """What stands beside this commit now."""
        return next((each for each in reversed(self.said()) if each["head"] == commit), None)

    # What Tidegate asks

    def open(self, headers: Mapping[str, str], body: bytes) -> Delivery | Refusal:
        return open_github(headers, body, [SECRET], lambda identifier: identifier == "1")

    def repositories(self) -> Sequence[Repository]:
        return [self.repository(slug) for slug in self._state()["repositories"]]

    def repository(self, slug: str) -> Repository:
        if slug not in self._asked()["repositories"]:
            raise ForgeError("it is not there", where=slug)
        return Repository(slug, "main", self.clone(slug).url)

    def branch(self, slug: str, name: str) -> str:
        return Repo(Path(self._asked()["repositories"][slug])).head(f"refs/heads/{name}")

    def pull(self, slug: str, number: int) -> Pull:
        pull = self._asked()["pulls"][slug].get(str(number))
        if pull is None:
            raise ForgeError("it is not there", where=f"{slug}#{number}")
        return _pull(slug, number, pull)

    def open_pulls(self, slug: str) -> Sequence[Pull]:
        pulls = self._asked()["pulls"][slug].items()
        return [_pull(slug, int(number), pull) for number, pull in pulls if pull["state"] == "open"]

    def pulls_of(self, slug: str, commit: str) -> Sequence[int]:
        return [pull.number for pull in self.open_pulls(slug) if pull.head == commit]

    def reviews(self, slug: str, number: int) -> bytes:
        return json.dumps(self._asked()["pulls"][slug][str(number)]["reviews"]).encode()

    def clone(self, slug: str) -> CloneFrom:
        return CloneFrom(f"file://{self._asked()['repositories'][slug]}")

    def put_check(self, slug: str, check: Check, forge_id: str | None) -> str:
        self._say({"kind": "check", "slug": slug, **msgspec.to_builtins(check)})
        return forge_id or check.key[:12]

    def put_comment(self, slug: str, number: int, body: str) -> str:
        self._say({"kind": "comment", "slug": slug, "number": number, "body": body})
        return f"{slug}#{number}"

    def forged(self, slug: str, commit: str) -> Sequence[str]:
        found: list[str] = self._asked().get("forged", {}).get(f"{slug}@{commit}", [])
        return found

    def missed(self, since: str) -> Sequence[Missed]:
        return [Missed(*each) for each in self._asked().get("sent", []) if each[3] >= since]

    def send_again(self, missed: Missed) -> None:
        self._say({"kind": "again", "id": missed.id})

    # Private

    def change_state(self, name: str, value: Any) -> None:
        with self._changing() as state:
            state[name] = value

    def _asked(self) -> dict[str, Any]:
        if (self.folder / "down").exists():
            raise ForgeError("no answer", retry_after=0.2)
        return self._state()

    def _state(self) -> dict[str, Any]:
        path = self.folder / "state.json"
        empty: dict[str, Any] = {"repositories": {}, "pulls": {}}
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else empty
        return found

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state = self._state()
            yield state
            (self.folder / "state.new").write_text(json.dumps(state))
            (self.folder / "state.new").rename(self.folder / "state.json")

    def _say(self, said: dict[str, Any]) -> None:
        self._asked()
        line = json.dumps(said).encode() + b"\n"
        file = os.open(self.folder / "said.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(file, line)
        os.close(file)


def _pull(slug: str, number: int, pull: Mapping[str, Any]) -> Pull:
    updated = f"2026-03-01T{pull['count'] // 3600 % 24:02}:{pull['count'] // 60 % 60:02}:{pull['count'] % 60:02}Z"
    document = {
        "number": number,
        "title": pull["title"],
        "body": pull.get("body", ""),
        "user": {"login": pull["author"], "type": "User"},
        "base": {"sha": pull["base"], "ref": pull["target"], "repo": {"full_name": slug}},
        "head": {"sha": pull["head"], "ref": f"topic-{number}"},
        "created_at": "2026-03-01T00:00:00Z",
        "updated_at": updated,
    }
    return Pull(
        slug=slug,
        number=number,
        title=pull["title"],
        body=pull.get("body", ""),
        author=pull["author"],
        target=pull["target"],
        base=pull["base"],
        head=pull["head"],
        state=pull["state"],
        draft=False,
        opened_at="2026-03-01T00:00:00Z",
        updated_at=updated,
        ref=f"refs/pull/{number}/head",
        document=json.dumps(document).encode(),
    )
