"""What the real repository says to what people claim in a drill: owners, revisions, the gate."""

from __future__ import annotations

import re

from msgspec import Struct

from tidegate.change.git import Repository
from tidegate.drill.ground import Ground
from tidegate.drill.values import Criterion, Gate, Truth
from tidegate.errors import GitError, InputError
from tidegate.report.escape import plain

MIGRATIONS = re.compile(r"(?:^|/)(?:migrations?|migrate|versions)/[^/]+\.(?:py|rb|sql)$")


class Back(Struct, frozen=True):
    """A revision to go back to. `lacks` says that it does not hold the change, `before` that it lies before it on the
    same line; `commits` others would go back with it, `migrations` of their files with them."""

    name: str
    oid: str = ""
    lacks: bool = False
    before: bool = False
    commits: int = 0
    migrations: int = 0

    @property
    def exists(self) -> bool:
        return bool(self.oid)

    def __str__(self) -> str:
        if not self.exists:
            return f"{self.name} does not exist in this repository"
        if not self.lacks:
            return f"{self.name} exists, and holds the change"
        if not self.before:
            return f"{self.name} exists and lacks the change, but it is not on the way to what runs"
        if not self.commits:
            return f"{self.name} exists, lacks the change, and takes nothing else back"
        others = f"{self.commits} other {'commit' if self.commits == 1 else 'commits'}"
        schema = (
            f", {self.migrations} of them with a migration that stays in the database" if self.migrations == 1 else ""
        )
        if self.migrations > 1:
            schema = f", with {self.migrations} migrations that stay in the database"
        return f"{self.name} exists and lacks the change, and takes {others} back as well{schema}"


def look_back(clone: Repository, base: str, hidden: str, name: str) -> Back:
    """What a revision that people name is worth: asked of git."""
    shown = plain(name, 80)
    try:
        oid = clone.resolve(name)
    except (GitError, InputError):
        return Back(shown)
    lacks = not _is_in(clone, hidden, oid)
    before = lacks and _is_in(clone, oid, base)
    if not before:
        return Back(shown, oid, lacks)
    count = int(clone.run("rev-list", "--count", f"{oid}..{base}"))
    names = clone.run("diff", "--name-only", "--no-renames", "--diff-filter=A", "-z", oid, base)
    added = [one.decode("utf-8", "replace") for one in names.split(b"\0")]
    return Back(shown, oid, lacks, before, count, sum(bool(MIGRATIONS.search(one)) for one in added))


def last_tag(clone: Repository, base: str) -> str:
    """The newest tag that the base holds, "" where it holds none."""
    form = "--format=%(refname:strip=2)"
    listed = clone.run("for-each-ref", f"--merged={base}", "--sort=-creatordate", "--count=20", form, "refs/tags")
    names = [name for name in listed.decode("utf-8", "replace").splitlines() if _TAG.fullmatch(name)]
    return names[0] if names else ""


def next_tag(clone: Repository, tag: str) -> str:
    """A likely name of a release that nobody made."""
    head, number, tail = _number(tag)
    for step in range(1, 200):
        name = f"{head}{number + step}{tail}"
        if not clone.exists(f"refs/tags/{name}"):
            return name
    return f"{tag}-stable"


def criteria_of(
    ground: Ground, truth: Truth, gate: Gate, *, back: bool, tag: str, services: bool
) -> tuple[Criterion, ...]:
    """The questions that the real system answers, with what it said."""
    owners = ground.owners_of(truth.path)
    place = ground.owners.path
    if owners:
        said = f"{place} at the base names {', '.join(owners)} for {truth.path}"
    elif place:
        said = f"{place} at the base names nobody for {truth.path}"
    else:
        said = "there is no CODEOWNERS file at the base"
    before = look_back(ground.clone, ground.base, truth.commit, ground.base)
    release = look_back(ground.clone, ground.base, truth.commit, tag) if tag else None
    saw, where = gate.saw, gate.place
    held = ", ".join(rule.id for rule in (*saw, *where)[:6])
    found = [
        Criterion("owner", f"Is somebody named who owns {truth.path}?", "yes" if owners else "no", said),
        Criterion(
            "commit-before",
            "Is there a commit to go back to that lacks the change?",
            "yes" if before.exists and before.lacks else "no",
            str(look_back(ground.clone, ground.base, truth.commit, ground.base[:12])),
        ),
        Criterion(
            "release-before",
            "Is there a release to go back to that lacks the change?",
            "unknown" if release is None else "yes" if release.lacks and release.before else "no",
            "no tag lies on the way to the base" if release is None else str(release),
        ),
        Criterion(
            "comes-back",
            "Does going back also bring back what the change did?",
            "yes" if back else "no",
            "the code is all that changed" if back else "what it destroyed or gave away does not come back with git",
        ),
        Criterion(
            "gate-held",
            "Would the gate have held the change, beside what it asks of every change?",
            "yes" if saw or where else "no",
            f"held by {held}" if saw or where else "no rule but those that hold every change",
        ),
        Criterion(
            "gate-saw",
            "Would it have held it for what it does, and not only for where it is?",
            "yes" if saw else "no",
            f"{', '.join(rule.id for rule in saw[:6])}: an empty change of the same files would have passed them"
            if saw
            else "what holds it looks at where it is, who wrote it or how far it reaches",
        ),
    ]
    if not services:
        found.append(
            Criterion(
                "graph",
                "Does the graph say what depends on it?",
                "no",
                "no service or entry point was found to reach it",
            )
        )
    return tuple(found)


# Private

_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@/-]{0,78}")


def _is_in(clone: Repository, commit: str, head: str) -> bool:
    """Whether the history of `head` holds the commit."""
    return clone.run("rev-list", "--count", "--max-count=1", f"{head}..{commit}").strip() == b"0"


def _number(tag: str) -> tuple[str, int, str]:
    match = re.fullmatch(r"(.*?)(\d{1,6})(\D*)", tag)
    return (match[1], int(match[2]), match[3]) if match else (f"{tag or 'v1.0.'}", 0, "")
