"""What Tidegate asks of a forge, in words that GitHub and GitLab share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct

PullState: TypeAlias = Literal["open", "merged", "closed"]
Conclusion: TypeAlias = Literal["success", "failure", "action_required", "neutral"]
Event: TypeAlias = Literal["pull", "review", "push", "group", "again", "claim", "installation", "other"]
"""What a message is about, in words of both forges.

pull: a pull request was opened, pushed to, edited, closed. review: its reviews or approvals. push: a branch moved.
group: a merge queue asks for a check of its head. again: a person asked for another run. claim: somebody, perhaps we,
reported under our name. installation: what we may see changed. other: nothing that we act on.
"""

NAME = "tidegate"
"""The name of our check and status at every forge: what a branch rule requires."""


class Delivery(Struct, frozen=True):
    """One authentic message of a forge, and only a hint: what it is about is read from the forge.

    `id` repeats when it is sent again; `pull` is 0 where it is about none or does not say. `ref` is the full ref that
    moved (push) or that a merge queue made (group), `base` what a group is built on. `action` is the forge's own word.
    """

    id: str
    event: Event
    slug: str
    action: str = ""
    pull: int = 0
    commit: str = ""
    ref: str = ""
    base: str = ""


class Refusal(Struct, frozen=True):
    """Why a message was not taken: an HTTP status of 400, 401, 404 or 413, and one sentence that tells no secret."""

    status: int
    problem: str


class Pull(Struct, frozen=True):
    """A pull or merge request as the forge knows it now. Ids of commits are full; times are RFC 3339."""

    slug: str
    number: int
    title: str
    body: str
    author: str
    target: str
    base: str
    head: str
    state: PullState
    draft: bool
    opened_at: str
    updated_at: str
    merge_queue: bool = False
    ref: str = ""
    """The ref of the clone that holds the head, also where it comes from a fork."""
    document: bytes = b"{}"
    """The forge's own JSON in the shape that `--pr` reads."""


class Annotation(Struct, frozen=True):
    """A finding at a line of the head."""

    path: str
    first: int
    last: int
    level: Literal["notice", "warning", "failure"]
    title: str
    message: str


class Check(Struct, frozen=True):
    """What is shown beside a commit: the verdict, why, and the lines it is about."""

    key: str
    head: str
    conclusion: Conclusion | None
    title: str
    summary: str
    text: str
    url: str
    annotations: tuple[Annotation, ...] = ()


class Missed(Struct, frozen=True):
    """A delivery that the forge says it sent: to compare with the inbox."""

    id: str
    forge_id: str
    event: str
    at: str


class CloneFrom(Struct, frozen=True):
    """Where to fetch a repository. `header` carries the credential, is never stored and never shown."""

    url: str
    header: str = ""

    def __repr__(self) -> str:
        return f"CloneFrom({self.url})"


class Repository(Struct, frozen=True):
    """A repository that we may see, and the branch that it is cloned at."""

    slug: str
    main: str
    url: str


class Forge(Protocol):
    """A forge. Each question may raise ForgeError: `retry_after` seconds where trying again may help, else None."""

    @property
    def name(self) -> Literal["github", "gitlab"]:
        """The word by which the tables know it."""
        ...

    def open(self, headers: Mapping[str, str], body: bytes) -> Delivery | Refusal:
        """The message, if a holder of one of the two secrets signed these very bytes."""
        ...

    def repositories(self) -> Sequence[Repository]:
        """Every repository that we were given."""
        ...

    def repository(self, slug: str) -> Repository: ...

    def branch(self, slug: str, name: str) -> str:
        """The commit that the branch is at; "" where there is none: what a message says of it may be late."""
        ...

    def pull(self, slug: str, number: int) -> Pull: ...

    def open_pulls(self, slug: str) -> Sequence[Pull]: ...

    def pulls_of(self, slug: str, commit: str) -> Sequence[int]:
        """The open pull requests whose head is this commit."""
        ...

    def reviews(self, slug: str, number: int) -> bytes:
        """The JSON that `--reviews` reads."""
        ...

    def clone(self, slug: str) -> CloneFrom: ...

    def put_check(self, slug: str, check: Check, forge_id: str | None) -> str:
        """Makes the check or brings it up to date, and it is the one that counts; its id at the forge.

        Sent twice, it is there once. `forge_id` is what it was called when it was sent before: a hint.
        """
        ...

    def put_comment(self, slug: str, number: int, body: str) -> str:
        """Our one comment on a change, found by its marker and edited in place; its id."""
        ...

    def forged(self, slug: str, commit: str) -> Sequence[str]:
        """Statuses and checks of our name on this commit that are not ours: overwritten, and named by their maker."""
        ...

    def missed(self, since: str) -> Sequence[Missed]:
        """What it says that it sent since then; empty where the forge keeps no such list."""
        ...

    def send_again(self, missed: Missed) -> None: ...

    def close(self) -> None:
        """Lets its connections go."""
        ...
