"""GitLab, asked and told over its REST API with the token of a bot of its own (scope `api`)."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tidegate.errors import InputError
from tidegate.report.markdown import MARKER
from tidegate.server.config import GitLab
from tidegate.server.forge.errors import ForgeError
from tidegate.server.forge.github_comments import with_marker
from tidegate.server.forge.gitlab_hooks import SIGNING, open_gitlab, signing_key
from tidegate.server.forge.gitlab_missed import read_missed, send_again
from tidegate.server.forge.http import PATIENCE, Answer, Client, Patience
from tidegate.server.forge.messages import check_commit, check_slug, object_id
from tidegate.server.forge.texts import brief, moment
from tidegate.server.forge.tokens import Tokens
from tidegate.server.forge.values import (
    NAME,
    Check,
    CloneFrom,
    Conclusion,
    Delivery,
    Missed,
    Pull,
    PullState,
    Refusal,
    Repository,
)

LONGEST_DESCRIPTION = 255
LONGEST_NOTE = 1_000_000
T = TypeVar("T")
_LEAST_KEY = 16


class GitLabForge:
    """A GitLab host. A check is a commit status, which holds no annotations: those are in the note."""

    def __init__(self, settings: GitLab, patience: Patience = PATIENCE, clock: Callable[[], float] = time.time) -> None:
        if not settings.token.accepted:
            raise InputError("is missing", where="TIDEGATE_GITLAB_TOKEN", mend="make a token of a bot, scope api")
        if any(word.startswith(SIGNING) and len(signing_key(word)) < _LEAST_KEY for word in settings.hooks.accepted):
            raise InputError(
                "holds a signing token that is no base64 of a key",
                where="TIDEGATE_GITLAB_WEBHOOK_SECRET",
                mend="copy it from GitLab as it stands",
            )
        self._settings = settings
        self._token = Tokens(settings.token.accepted, _headers)
        self._client = Client(f"{settings.api}/api/v4", self._token, patience)
        self._clock = clock
        self._known: _User | None = None

    @property
    def name(self) -> Literal["gitlab"]:
        return "gitlab"

    def open(self, headers: Mapping[str, str], body: bytes) -> Delivery | Refusal:
        return open_gitlab(headers, body, self._settings.hooks.accepted, self._clock())

    def repositories(self) -> Sequence[Repository]:
        pages = self._client.pages("/projects?membership=true&archived=false&per_page=100", list[_Project])
        return tuple(self._named(one) for page in pages for one in page)

    def repository(self, slug: str) -> Repository:
        return self._named(self._read(_project(slug), _Project))

    def branch(self, slug: str, name: str) -> str:
        path = f"{_project(slug)}/repository/branches/{quote(name, safe='')}"
        answer = self._client.ask("GET", path, none=(404,))
        return object_id(answer.read(_Branch).commit.id) if answer is not None else ""

    def pull(self, slug: str, number: int) -> Pull:
        found = self._pull(slug, number)
        if found is None:
            raise ForgeError("the merge request is not prepared yet", where=f"{slug}!{int(number)}", retry_after=10)
        if found.state != "open":
            return found
        return replace(found, merge_queue=self._is_on_train(slug, number))

    def open_pulls(self, slug: str) -> Sequence[Pull]:
        """One question for each: the list leaves out what a request is compared with. One that GitLab has not prepared
        yet is left out, and does not keep the others from being read."""
        pages = self._client.pages(f"{_project(slug)}/merge_requests?state=opened&per_page=100", list[_Numbered])
        found = (self._pull(slug, one.iid) for page in pages for one in page)
        return tuple(each for each in found if each is not None)

    def pulls_of(self, slug: str, commit: str) -> Sequence[int]:
        path = f"{_project(slug)}/repository/commits/{check_commit(commit)}/merge_requests?per_page=100"
        found = [one for page in self._client.pages(path, list[_Numbered], none=(404,)) for one in page]
        return tuple(sorted(one.iid for one in found if one.sha == commit and one.state == "opened"))

    def reviews(self, slug: str, number: int) -> bytes:
        """Approvals, and the versions that say which head was there when somebody approved."""
        path = f"{_project(slug)}/merge_requests/{int(number)}"
        approvals = self._read(f"{path}/approvals", dict[str, msgspec.Raw])
        versions = [one for page in self._client.pages(f"{path}/versions?per_page=100", list[Any]) for one in page]
        return msgspec.json.encode({**approvals, "versions": versions})

    def clone(self, slug: str) -> CloneFrom:
        word = base64.b64encode(f"oauth2:{self._token.text}".encode()).decode()
        return CloneFrom(self._named(_Project(check_slug(slug, deep=True))).url, f"Authorization: Basic {word}")

    def put_check(self, slug: str, check: Check, forge_id: str | None) -> str:  # noqa: ARG002 found by its name
        """Nothing is sent where it is there already. What runs cannot begin to run again, whoever began it."""
        said = {
            "state": _STATES[check.conclusion] if check.conclusion else "running",
            "description": brief(check.title, LONGEST_DESCRIPTION),
            "target_url": check.url if check.url.startswith(("https://", "http://")) else "",
        }
        newest = max(self._statuses(slug, check.head), key=lambda status: status.id, default=None)
        if newest is not None and self._is_ours(newest) and _says(newest) == said:
            return str(newest.id)
        if said["state"] == "running" and newest is not None and newest.status == "running":
            return str(newest.id)
        return self._post(slug, check.head, said)

    def put_comment(self, slug: str, number: int, body: str) -> str:
        body = with_marker(body, LONGEST_NOTE)
        path = f"{_project(slug)}/merge_requests/{int(number)}/notes"
        ours = list(self._our_notes(path))
        for double in ours[1:]:
            self._client.ask("DELETE", f"{path}/{double.id}", none=(404,))
        if ours and ours[0].body.strip() == body.strip():
            return str(ours[0].id)
        if ours:
            answer = self._client.ask("PUT", f"{path}/{ours[0].id}", {"body": body})
        else:
            answer = self._client.ask("POST", path, {"body": body})
        return str(_got(answer).read(_Made).id)

    def forged(self, slug: str, commit: str) -> Sequence[str]:
        found = sorted(self._statuses(slug, commit), key=lambda status: -status.id)
        others = [status for status in found if not self._is_ours(status)]
        if others and not self._is_ours(found[0]):
            before = next((status for status in found if self._is_ours(status)), None)
            own = {"state": "failed", "description": "Put over a status that Tidegate did not make.", "target_url": ""}
            self._post(slug, commit, _says(before) if before else own)
        return tuple(f"a status by {_username(status)} ({status.status})" for status in others)

    def missed(self, since: str) -> Sequence[Missed]:  # noqa: ARG002 its events have no time
        """What no attempt delivered, of projects whose webhook the bot may read: as a maintainer of them."""
        return tuple(read_missed(self._client, (one.slug for one in self.repositories())))

    def send_again(self, missed: Missed) -> None:
        send_again(self._client, missed)

    def close(self) -> None:
        self._client.close()

    # Private

    def _read(self, path: str, kind: type[T]) -> T:
        return _got(self._client.ask("GET", path)).read(kind)

    def _pull(self, slug: str, number: int) -> Pull | None:
        return _pull(slug, _got(self._client.ask("GET", f"{_project(slug)}/merge_requests/{int(number)}")).body)

    def _is_on_train(self, slug: str, number: int) -> bool:
        """Whether a merge train holds it. Where GitLab has none for this project, or tells a bot nothing of it: no."""
        path = f"{_project(slug)}/merge_trains/merge_requests/{int(number)}"
        answer = self._client.ask("GET", path, none=(401, 403, 404))
        return answer is not None and answer.read(_Car).status in _ON_TRAIN

    def _named(self, found: _Project) -> Repository:
        slug = check_slug(found.path_with_namespace, deep=True)
        return Repository(slug, found.default_branch or "main", f"{self._settings.api}/{slug}.git")

    def _statuses(self, slug: str, commit: str) -> Iterator[_Status]:
        path = f"{_project(slug)}/repository/commits/{check_commit(commit)}/statuses?name={NAME}&all=true&per_page=100"
        for page in self._client.pages(path, list[_Status]):
            yield from (status for status in page if status.name == NAME)

    def _post(self, slug: str, commit: str, said: Mapping[str, str]) -> str:
        body = {"name": NAME, **{name: text for name, text in said.items() if text}}
        return str(_got(self._client.ask("POST", f"{_project(slug)}/statuses/{commit}", body)).read(_Made).id)

    def _our_notes(self, path: str) -> Iterator[_Note]:
        me = self._me().id
        for page in self._client.pages(f"{path}?sort=asc&order_by=created_at&per_page=100", list[_Note]):
            for note in page:
                if (
                    not note.system
                    and note.author is not None
                    and note.author.id == me
                    and note.body.startswith(MARKER)
                ):
                    yield note

    def _is_ours(self, status: _Status) -> bool:
        return status.author is not None and status.author.id == self._me().id

    def _me(self) -> _User:
        known = self._known
        if known is None:
            known = self._known = self._read("/user", _User)
        return known


# Private

_STATES: Mapping[Conclusion, str] = {
    "success": "success",
    "neutral": "success",
    "failure": "failed",
    "action_required": "failed",
}


_ON_TRAIN = frozenset(("idle", "fresh", "stale", "merging"))


def _headers(token: str) -> Mapping[str, str]:
    return {"private-token": token, "accept": "application/json"}


class _User(Struct):
    id: int = 0
    username: str = ""


class _Project(Struct):
    path_with_namespace: str
    default_branch: str | None = None


class _Commit(Struct):
    id: str


class _Branch(Struct):
    commit: _Commit


class _Numbered(Struct):
    iid: int
    sha: str | None = None
    state: str = ""


class _Status(Struct):
    id: int
    name: str
    status: str
    description: str | None = None
    target_url: str | None = None
    author: _User | None = None


class _Note(Struct):
    id: int
    body: str = ""
    system: bool = False
    author: _User | None = None


class _Car(Struct):
    status: str = ""


class _Made(Struct):
    id: int


class _Refs(Struct):
    base_sha: str | None = None


class _Merge(Struct):
    iid: int
    target_branch: str
    state: str
    title: str = ""
    description: str | None = None
    author: _User | None = None
    sha: str | None = None
    diff_refs: _Refs | None = None
    draft: bool = False
    created_at: str | None = None
    updated_at: str | None = None


def _project(slug: str) -> str:
    return f"/projects/{quote(check_slug(slug, deep=True), safe='')}"


def _got(answer: Answer | None) -> Answer:
    assert answer is not None  # noqa: S101 nothing was to be taken for none
    return answer


def _says(status: _Status) -> dict[str, str]:
    return {
        "state": status.status,
        "description": status.description or "",
        "target_url": status.target_url or "",
    }


def _username(status: _Status) -> str:
    return (status.author.username if status.author else "") or "nobody that is known"


def _pull(slug: str, document: bytes) -> Pull | None:
    """None where GitLab did not find out yet what it is compared with."""
    try:
        found = msgspec.json.decode(document, type=_Merge)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ForgeError(f"the forge answered something else than it documents ({error})", where=slug) from error
    head, base = object_id(found.sha), object_id(found.diff_refs.base_sha if found.diff_refs else "")
    if not head or not base:
        return None
    states: Mapping[str, PullState] = {"opened": "open", "locked": "open", "merged": "merged"}
    return Pull(
        slug=slug,
        number=found.iid,
        title=found.title,
        body=found.description or "",
        author=found.author.username if found.author else "",
        target=found.target_branch,
        base=base,
        head=head,
        state=states.get(found.state, "closed"),
        draft=found.draft,
        opened_at=moment(found.created_at),
        updated_at=moment(found.updated_at),
        ref=f"refs/merge-requests/{found.iid}/head",
        document=document,
    )
