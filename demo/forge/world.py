"""What the forge knows: accounts, an App, projects with their pull requests, and the tokens that it gave out."""

from __future__ import annotations

import os
import secrets
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

from joserfc.jwk import RSAKey

ALL_PERMISSIONS = {"metadata": "read", "contents": "read", "checks": "write", "statuses": "write"} | {
    "pull_requests": "write",
    "issues": "write",
    "deployments": "write",
}


@dataclass(frozen=True)
class User:
    id: int
    login: str
    type: str = "User"


@dataclass(frozen=True)
class App:
    """A GitHub App and the PEM of its key: a real forge would not keep the private half."""

    id: int
    slug: str
    pem: bytes

    @cached_property
    def key(self) -> RSAKey:
        return RSAKey.import_key(self.pem)


@dataclass
class Review:
    id: int
    user: User
    state: str
    commit: str
    at: str
    body: str = ""


@dataclass
class Comment:
    id: int
    user: User
    body: str
    created_at: str
    updated_at: str


@dataclass
class Run:
    """A check run. `output` holds title, summary and text."""

    id: int
    name: str
    head_sha: str
    app: App
    at: str
    status: str = "queued"
    conclusion: str | None = None
    external_id: str = ""
    details_url: str | None = None
    output: dict[str, str | None] = field(default_factory=dict)
    annotations: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Protected:
    """A deployment that waits for a protection rule: what its App said, in order. `state` "": nothing yet."""

    run: int
    environment: str
    state: str = ""
    said: list[str] = field(default_factory=list)


@dataclass
class Status:
    id: int
    sha: str
    context: str
    state: str
    user: User
    at: str
    description: str | None = None
    target_url: str | None = None


@dataclass
class Pull:
    number: int
    title: str
    body: str | None
    user: User
    branch: str
    target: str
    head: str
    base: str
    created_at: str
    updated_at: str
    state: str = "open"
    draft: bool = False
    merged_at: str | None = None
    merged_by: User | None = None
    merge_commit: str | None = None
    labels: list[str] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    versions: list[tuple[int, str, str]] = field(default_factory=list)
    """Id, head and time of each push, for GitLab."""
    unprepared: bool = False
    """GitLab has not found out yet what it is compared with."""


@dataclass
class Project:
    """A bare repository at `path`."""

    id: int
    slug: str
    path: Path
    main: str
    pulls: dict[int, Pull] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    statuses: list[Status] = field(default_factory=list)
    protected: list[Protected] = field(default_factory=list)

    def git(self, *arguments: str, stdin: bytes | None = None) -> str:
        """What git prints, stripped. CalledProcessError where it fails."""
        return run_git(self.path, *arguments, stdin=stdin)

    def tip(self, branch: str) -> str:
        """The commit of a branch, "" where there is none."""
        try:
            return self.git("rev-parse", "--verify", "-q", "--end-of-options", f"refs/heads/{branch}")
        except subprocess.CalledProcessError:
            return ""


@dataclass
class Token:
    """Who holds it and until when. `projects` None: every one; `permissions` as GitHub words them."""

    text: str
    user: User
    ends: float = float("inf")
    permissions: dict[str, str] = field(default_factory=lambda: dict(ALL_PERMISSIONS))
    projects: frozenset[str] | None = None
    app: App | None = None


@dataclass
class Fault:
    """What the next `times` answers suffer whose path holds `path`.

    502, primary, secondary, hang, huge, redirect, garbage, expired, or lost (done, but the answer is a 502).
    """

    kind: str
    times: int = 1
    path: str = ""
    seconds: float = 60.0
    method: str = ""


@dataclass
class World:
    """Everything. Take `lock` before reading or changing it. `clock` gives seconds of the epoch."""

    folder: Path
    clock: Callable[[], float] = time.time
    lock: threading.RLock = field(default_factory=threading.RLock)
    projects: dict[str, Project] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    apps: dict[int, App] = field(default_factory=dict)
    installations: dict[str, int] = field(default_factory=dict)
    """By owner, in lower case."""
    permissions: dict[str, str] = field(default_factory=lambda: dict(ALL_PERMISSIONS))
    tokens: dict[str, Token] = field(default_factory=dict)
    token_seconds: float = 3600.0
    hourly: int = 5000
    content_a_minute: int = 0
    """0: no secondary limit unless a fault asks for one. GitHub's own is about 80."""
    used: dict[str, int] = field(default_factory=dict)
    made: deque[float] = field(default_factory=deque)
    faults: list[Fault] = field(default_factory=list)
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    """Method, path with query, and status of every request to an API."""
    maintained: set[str] = field(default_factory=set)
    """Projects whose webhooks the bot may read, at GitLab."""
    trains: dict[str, dict[int, str]] = field(default_factory=dict)
    """By project, the state of each merge request that is on its merge train."""
    links: deque[str] = field(default_factory=deque)
    """What the next lists name as their next page instead of the truth."""
    ids: count[int] = field(default_factory=lambda: count(1001))

    def forget(self, folder: Path) -> None:
        """As new, but for the Apps that have a key. What comes is kept under `folder`."""
        fresh = World(folder, self.clock)
        fresh.apps = {number: app for number, app in self.apps.items() if app.pem}
        for name in ("lock", "ids"):
            setattr(fresh, name, getattr(self, name))
        self.__dict__.update(fresh.__dict__)

    def stamp(self) -> str:
        return datetime.fromtimestamp(self.clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def user(self, login: str) -> User:
        """The account, made when it is first named; `[bot]` at its end makes it a bot."""
        if login not in self.users:
            kind = "Bot" if login.endswith("[bot]") else "User"
            self.users[login] = User(next(self.ids), login, kind)
        return self.users[login]

    def add_app(self, slug: str, pem: bytes | None = None) -> App:
        """With a key of its own; with b"" it can do nothing itself."""
        if pem is None:
            pem = RSAKey.generate_key(2048, private=True).as_pem(private=True)
        app = App(next(self.ids), slug, pem)
        self.apps[app.id] = app
        return app

    def give_token(self, login: str, **limits: Any) -> Token:
        """A personal token of the account."""
        token = Token(f"ghp_{secrets.token_hex(18)}", self.user(login), **limits)
        self.tokens[token.text] = token
        return token

    def installation_token(self, app: App, owner: str, only: frozenset[str] | None, narrow: dict[str, str]) -> Token:
        """A token of the App on the owner's repositories, which ends."""
        token = Token(
            f"ghs_{secrets.token_hex(18)}",
            self.user(f"{app.slug}[bot]"),
            self.clock() + self.token_seconds,
            narrow or dict(self.permissions),
            only or frozenset(slug for slug in self.projects if slug.partition("/")[0].lower() == owner),
            app,
        )
        self.tokens[token.text] = token
        return token


def run_git(path: Path, *arguments: str, stdin: bytes | None = None) -> str:
    done = subprocess.run(
        ["git", "-C", str(path), *arguments], input=stdin, capture_output=True, check=True, env=git_environment()
    )
    return done.stdout.decode("utf-8", "replace").strip()


def git_environment() -> dict[str, str]:
    """No settings of whoever runs this."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    names = {f"GIT_{who}_{what}": text for who in ("AUTHOR", "COMMITTER") for what, text in _FORGE.items()}
    return {**kept, **names, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}


_FORGE = {"NAME": "Forge", "EMAIL": "forge@example.com"}
