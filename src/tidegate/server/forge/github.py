"""GitHub, asked and told over its REST API."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Struct

from tidegate.errors import InputError
from tidegate.server.config import GitHub
from tidegate.server.forge.errors import ForgeError
from tidegate.server.forge.github_app import AppKey, InstallationToken, github_headers
from tidegate.server.forge.github_checks import forged_runs, put_run
from tidegate.server.forge.github_comments import put_comment
from tidegate.server.forge.github_hooks import open_github
from tidegate.server.forge.github_statuses import forged_statuses, put_status
from tidegate.server.forge.http import PATIENCE, Answer, Client, Patience
from tidegate.server.forge.messages import check_commit, check_slug, object_id
from tidegate.server.forge.texts import moment
from tidegate.server.forge.tokens import Tokens
from tidegate.server.forge.values import Check, CloneFrom, Delivery, Missed, Pull, PullState, Refusal, Repository


class GitHubForge:
    """As an App where there is one, which alone may make check runs; else as a token, with commit statuses."""

    def __init__(self, settings: GitHub, patience: Patience = PATIENCE) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._installed: dict[str, _Installed] = {}
        self._cloning: dict[str, InstallationToken] = {}
        self._known: _Me | None = None
        self._token: Tokens | None = None
        if settings.app and settings.key is not None:
            self._client = Client(settings.api, AppKey(settings.app, settings.key), patience)
        elif settings.token.accepted:
            self._token = Tokens(settings.token.accepted, github_headers)
            self._client = Client(settings.api, self._token, patience)
        else:
            raise InputError(
                "neither an App with its key nor a token is given",
                where="TIDEGATE_GITHUB_APP",
                mend="set TIDEGATE_GITHUB_APP and TIDEGATE_GITHUB_KEY_FILE, or TIDEGATE_GITHUB_TOKEN",
            )

    @property
    def name(self) -> Literal["github"]:
        return "github"

    def open(self, headers: Mapping[str, str], body: bytes) -> Delivery | Refusal:
        return open_github(headers, body, self._settings.hooks.accepted, self._is_app)

    def repositories(self) -> Sequence[Repository]:
        if self._token:
            pages = self._client.pages("/user/repos?per_page=100", list[_RepositoryJson])
            return tuple(self._named(one) for page in pages for one in page)
        return tuple(self._given())

    def repository(self, slug: str) -> Repository:
        return self._named(_got(self._of(slug).ask("GET", f"/repos/{slug}")).read(_RepositoryJson))

    def branch(self, slug: str, name: str) -> str:
        path = f"/repos/{slug}/git/ref/heads/{quote(name, safe='/')}"
        answer = self._of(slug).ask("GET", path, none=(404, 409))
        return object_id(answer.read(_Ref).object.sha) if answer is not None else ""

    def pull(self, slug: str, number: int) -> Pull:
        return _pull(slug, _got(self._of(slug).ask("GET", f"/repos/{slug}/pulls/{int(number)}")).body)

    def open_pulls(self, slug: str) -> Sequence[Pull]:
        path = f"/repos/{slug}/pulls?state=open&sort=updated&direction=desc&per_page=100"
        pages = self._of(slug).pages(path, list[msgspec.Raw])
        found = {pull.number: pull for page in pages for pull in (_pull(slug, bytes(one)) for one in page)}
        return tuple(found.values())

    def pulls_of(self, slug: str, commit: str) -> Sequence[int]:
        """GitHub's own answer leaves out some of forks: where it finds none, all open ones are looked through."""
        path = f"/repos/{slug}/commits/{check_commit(commit)}/pulls?per_page=100"
        pages = self._of(slug).pages(path, list[msgspec.Raw], none=(404, 409, 422))
        pulls = [_pull(slug, bytes(one)) for page in pages for one in page] or self.open_pulls(slug)
        return tuple(sorted(pull.number for pull in pulls if pull.head == commit and pull.state == "open"))

    def reviews(self, slug: str, number: int) -> bytes:
        pages = self._of(slug).pages(f"/repos/{slug}/pulls/{int(number)}/reviews?per_page=100", list[msgspec.Raw])
        return b"[" + b",".join(bytes(one) for page in pages for one in page) + b"]"

    def clone(self, slug: str) -> CloneFrom:
        """With a token that can read this one repository and nothing else, where an App can ask for one."""
        self._of(slug)
        word = f"x-access-token:{self._token.text if self._token else self._clone_token(slug)}"
        return CloneFrom(self._clone_url(slug), f"Authorization: Basic {base64.b64encode(word.encode()).decode()}")

    def put_check(self, slug: str, check: Check, forge_id: str | None) -> str:  # noqa: ARG002 found by its head
        check_commit(check.head)
        if self._token:
            return put_status(self._of(slug), slug, check, self._me().login)
        return put_run(self._of(slug), slug, check, self._me().id)

    def put_comment(self, slug: str, number: int, body: str) -> str:
        return put_comment(self._of(slug), slug, int(number), body, self._me().login)

    def forged(self, slug: str, commit: str) -> Sequence[str]:
        check_commit(commit)
        client, me = self._of(slug), self._me()
        if self._token:
            return forged_statuses(client, slug, commit, me.login, None)
        runs, conclusion = forged_runs(client, slug, commit, me.id)
        return (*runs, *forged_statuses(client, slug, commit, me.login, conclusion))

    def answer_deployment(self, slug: str, run: int, answer: Mapping[str, str]) -> None:
        """Answers the question of a deployment protection rule for a run: its state, or with a comment alone."""
        self._of(slug).ask("POST", f"/repos/{slug}/actions/runs/{int(run)}/deployment_protection_rule", dict(answer))

    def missed(self, since: str) -> Sequence[Missed]:
        """Each delivery of the App since then, by its last attempt. GitHub keeps three days; of a token's hook none."""
        if self._token:
            return ()
        found: dict[str, Missed] = {}
        for page in self._client.pages("/app/hook/deliveries?per_page=100", list[_Sent]):
            for sent in page:
                at = moment(sent.delivered_at)
                if not at:
                    raise ForgeError("a delivery has no time", where=str(sent.id))
                if at < since:
                    return tuple(found.values())
                found.setdefault(sent.guid, Missed(sent.guid, str(sent.id), sent.event, at))
        return tuple(found.values())

    def send_again(self, missed: Missed) -> None:
        if not missed.forge_id.isascii() or not missed.forge_id.isdigit():
            raise ForgeError("this is no delivery", where=missed.id)
        self._client.ask("POST", f"/app/hook/deliveries/{missed.forge_id}/attempts")

    def close(self) -> None:
        self._client.close()

    # Private

    def _of(self, slug: str) -> Client:
        """Who may ask about the repository: the installation of its owner, looked up again now and then."""
        check_slug(slug)
        if self._token:
            return self._client
        owner = slug.partition("/")[0].lower()
        with self._lock:
            known = self._installed.get(owner)
        if known is not None and time.monotonic() < known.until:
            return known.client
        found = _got(self._client.ask("GET", f"/repos/{slug}/installation")).read(_Installation)
        return self._remember(owner, found.id).client

    def _remember(self, owner: str, identifier: int) -> _Installed:
        """Under the same token while it is the same installation."""
        until = time.monotonic() + _INSTALLATION_SECONDS
        with self._lock:
            known = self._installed.get(owner)
            if known is not None and known.id == identifier:
                client = known.client
            else:
                client = self._client.acting_as(InstallationToken(self._client, identifier))
                self._cloning.clear()
            self._installed[owner] = _Installed(identifier, client, until)
            return self._installed[owner]

    def _given(self) -> Iterator[Repository]:
        for page in self._client.pages("/app/installations?per_page=100", list[_Installation]):
            for one in page:
                if one.suspended_at or one.account is None:
                    continue
                client = self._remember(one.account.login.lower(), one.id).client
                for found in client.pages("/installation/repositories?per_page=100", _Repositories):
                    yield from (self._named(repository) for repository in found.repositories)

    def _clone_token(self, slug: str) -> str:
        owner, _, name = slug.partition("/")
        with self._lock:
            known = self._installed[owner.lower()]
            narrow = {"repositories": [name], "permissions": {"contents": "read"}}
            token = self._cloning.setdefault(slug, InstallationToken(self._client, known.id, narrow))
        return token.text

    def _clone_url(self, slug: str) -> str:
        """On the configured host, whatever the forge says: github.com for api.github.com, HOST for HOST/api/v3."""
        parts = urlsplit(self._settings.api)
        return f"{parts.scheme}://{parts.netloc.removeprefix('api.')}/{slug}.git"

    def _named(self, found: _RepositoryJson) -> Repository:
        slug = check_slug(found.full_name)
        return Repository(slug, found.default_branch, self._clone_url(slug))

    def _is_app(self, identifier: str) -> bool:
        return not self._token and (
            identifier == self._settings.app or (self._known is not None and identifier == str(self._known.id))
        )

    def _me(self) -> _Me:
        """Who we are at GitHub. The account of an App is its slug with `[bot]`, which no person can be called."""
        known = self._known
        if known is None:
            if self._token:
                known = _got(self._client.ask("GET", "/user")).read(_Me)
            else:
                app = _got(self._client.ask("GET", "/app")).read(_App)
                known = _Me(app.id, f"{app.slug}[bot]")
            self._known = known
        return known


# Private

_INSTALLATION_SECONDS = 600.0


class _Installed(Struct, frozen=True):
    id: int
    client: Client
    until: float


class _Me(Struct, frozen=True):
    id: int
    login: str


class _App(Struct):
    id: int
    slug: str


class _Account(Struct):
    login: str = ""


class _Installation(Struct):
    id: int
    account: _Account | None = None
    suspended_at: str | None = None


class _RepositoryJson(Struct):
    full_name: str
    default_branch: str = "main"


class _Repositories(Struct):
    repositories: list[_RepositoryJson]


class _Object(Struct):
    sha: str


class _Ref(Struct):
    object: _Object


class _Sent(Struct):
    id: int
    guid: str
    delivered_at: str
    event: str


class _End(Struct):
    sha: str
    ref: str


class _Pull(Struct):
    number: int
    base: _End
    head: _End
    state: str
    title: str = ""
    body: str | None = None
    user: _Account | None = None
    draft: bool | None = False
    created_at: str | None = None
    updated_at: str | None = None
    merged_at: str | None = None


def _got(answer: Answer | None) -> Answer:
    assert answer is not None  # noqa: S101 nothing was to be taken for none
    return answer


def _pull(slug: str, document: bytes) -> Pull:
    try:
        found = msgspec.json.decode(document, type=_Pull)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ForgeError(f"the forge answered something else than it documents ({error})", where=slug) from error
    head, base = object_id(found.head.sha), object_id(found.base.sha)
    if not head or not base:
        raise ForgeError("a pull request has no commits", where=f"{slug}#{found.number}")
    open_: PullState = "open" if found.state == "open" else "closed"
    return Pull(
        slug=slug,
        number=found.number,
        title=found.title,
        body=found.body or "",
        author=found.user.login if found.user else "",
        target=found.base.ref,
        base=base,
        head=head,
        state="merged" if found.merged_at else open_,
        draft=bool(found.draft),
        opened_at=moment(found.created_at),
        updated_at=moment(found.updated_at),
        ref=f"refs/pull/{found.number}/head",
        document=document,
    )
