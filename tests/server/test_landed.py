"""What deployments brought, joined to the changes that are known here: by what git says, never by a title alone."""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from pathlib import Path

from msgspec.structs import replace

from tests.repos import Repo, build
from tidegate.rollout.joined import Joined, Unjoined
from tidegate.server.mirrors import Mirrors
from tidegate.server.production.landed import Came, Lookup, holding, landed_as
from tidegate.server.service import Service
from tidegate.store import changes, repositories
from tidegate.store.clock import now
from tidegate.store.deployments import Deployment
from tidegate.store.repositories import NewRepository

SCRIPT = """
commit First
  file a.py
    . x = 1
branch feature
commit Work
  file b.py
    . y = 2
"""


def test_a_squash_is_known_by_its_merge_and_no_title_is_believed(service: Service, tmp_path: Path) -> None:
    repo = build(tmp_path / "shop", SCRIPT)
    head = repo.head("feature")
    base = repo.head("main")
    repo.git("checkout", "-q", "main")
    squash = _commit(repo, "b.py", "Squashed work (#1)")
    liar = _commit(repo, "c.py", "Something else (#2)")
    number = _mirror(service, repo)
    _keep(service, number, 1, head, base, {"merged_at": "2026-01-01T00:00:00Z", "merge_commit": squash})
    _keep(service, number, 2, "f" * 40, base, {})

    came = _came(service, _deployment(base, liar))
    assert [(each.landed.title, each.change.number if each.change else None) for each in came] == [
        ("Something else (#2)", None),
        ("Squashed work (#1)", 1),
    ]


def test_what_cannot_be_joined_is_said(service: Service, tmp_path: Path) -> None:
    repo = build(tmp_path / "shop", SCRIPT)
    base, head = repo.head("main"), repo.head("feature")
    told = _deployment(base, head)
    assert _why(service, told) == "acme/shop is not looked after here"
    _mirror(service, repo)
    assert _why(service, replace(told, repository="")) == "nobody says of which"
    assert _why(service, replace(told, revision="")) == "nobody says which commit it is"
    assert _why(service, replace(told, previous="")) == "nobody says what ran there before"
    assert "no commit" in _why(service, replace(told, revision="9" * 40))
    assert _joined(service, told, seconds=-1) is None, "no time is left"
    assert isinstance(_joined(service, told), Joined)
    assert isinstance(_joined(service, told, seconds=-1), Joined), "it is kept"


def test_which_revisions_hold_a_commit(service: Service, tmp_path: Path) -> None:
    repo = build(tmp_path / "shop", SCRIPT)
    base, head = repo.head("main"), repo.head("feature")
    repo.git("checkout", "-q", "main")
    other = _commit(repo, "c.py", "Other")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge", "feature")
    merge = repo.head("main")
    number = _mirror(service, repo)
    _keep(service, number, 1, head, base, {})
    with service.database.read() as connection, ExitStack() as stack:
        repository = repositories.get(connection, number)
        change = changes.find(connection, number, 1)
        assert repository is not None
        assert change is not None
        git = Lookup(service, connection, stack, 1).mirror(repository)
        assert git is not None
        assert landed_as(change, git) == head
        assert holding(git, head, (base, head, other, merge, "9" * 40, "no id")) == {head, merge}
        assert landed_as(replace(change, head="9" * 40), git) == ""
        assert holding(git, head, ("9" * 40,)) == frozenset()


# Private


def _commit(repo: Repo, path: str, title: str) -> str:
    (repo.path / path).write_text("z = 3\n")
    repo.git("add", path)
    repo.git("commit", "-q", "-m", title)
    return repo.git("rev-parse", "HEAD")


def _mirror(service: Service, repo: Repo) -> int:
    mirror = Mirrors(service.config.data / "mirrors").path_of("github", "acme/shop")
    subprocess.run(["git", "clone", "-q", "--mirror", str(repo.path), str(mirror)], check=True)
    new = NewRepository("github", "acme/shop", "https://example.com/acme/shop", "main")
    with service.database.write() as connection:
        return repositories.add(connection, new, now()).id


def _keep(service: Service, repository: int, number: int, head: str, base: str, said: dict[str, str]) -> None:
    read = changes.Read(
        repository=repository,
        number=number,
        title="Work",
        author="ada",
        target="main",
        base=base,
        head=head,
        state="merged",
        forge_state=json.dumps(said),
        opened_at=now(),
        read_at=now(),
    )
    with service.database.write() as connection:
        changes.keep(connection, read)


def _deployment(previous: str, revision: str) -> Deployment:
    told = {"repository": "https://example.com/acme/shop.git", "revision": revision, "previous": previous}
    return Deployment(
        id=1,
        key="plain/1",
        sender="plain",
        environment="production",
        service="pay",
        status="succeeded",
        action="deploy",
        started=100.0,
        finished=110.0,
        artifact="",
        share=None,
        actor="",
        url="",
        chain="",
        changed_at=now(),
        entry=None,
        signed=0,
        **told,
    )


def _joined(service: Service, one: Deployment, seconds: float = 5) -> Joined | Unjoined | None:
    with service.database.read() as connection, ExitStack() as stack:
        return Lookup(service, connection, stack, seconds).joined(one)


def _why(service: Service, one: Deployment) -> str:
    found = _joined(service, one)
    assert isinstance(found, Unjoined)
    return found.why.replace("https://example.com/", "").replace(".git", "")


def _came(service: Service, one: Deployment) -> tuple[Came, ...]:
    with service.database.read() as connection, ExitStack() as stack:
        lookup = Lookup(service, connection, stack, 5)
        joined = lookup.joined(one)
        assert isinstance(joined, Joined)
        return lookup.came(one, joined.comes)
