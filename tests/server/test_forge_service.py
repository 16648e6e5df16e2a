"""The service and a forge on loopback together: a webhook comes in at the door, a check and a comment go out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from demo.forge import FakeForge
from demo.forge.world import Project
from msgspec import Struct
from msgspec.structs import replace
from starlette.testclient import TestClient

from tests.repos import Repo
from tests.server import forges
from tests.server.forges import SECRET, SLUG, Message
from tidegate.report.markdown import MARKER
from tidegate.server.app import make_app
from tidegate.server.config import GitHub, GitLab, Secrets
from tidegate.server.forge.github import GitHubForge
from tidegate.server.forge.values import Forge
from tidegate.server.mirrors import open_mirrors
from tidegate.server.service import Service
from tidegate.server.work.errands import Errands
from tidegate.server.work.journey import Way
from tidegate.server.work.sweep import Sweeper
from tidegate.store import inbox
from tidegate.store.clock import later

app_key, source, running = forges.app_key, forges.source, forges.running
fake, received = forges.fake, forges.received
github, by_token, gitlab = forges.github, forges.by_token, forges.gitlab


class House(Struct, frozen=True):
    """A service with one forge; what arrived is brought to its door and worked off."""

    service: Service
    client: TestClient
    errands: Errands
    fake: FakeForge
    received: Callable[[], list[Message]]
    seen: list[int]

    def bring(self) -> list[int]:
        """Everything that arrived since: the statuses of the door."""
        self.fake.hooks.settle()
        name = next(iter(self.service.forges))
        fresh = self.received()[sum(self.seen) :]
        self.seen.append(len(fresh))
        mine = [message for message in fresh if f"x-{name}-event" in message[0]]
        return [self.client.post(f"/hooks/{name}", content=body, headers=head).status_code for head, body in mine]

    def work(self) -> None:
        now = self.service.now()
        taken = self.service.database.change(lambda connection: inbox.claim(connection, "w", now, most=100))
        for group in self.errands.grouped(taken):
            identifiers = [each.id for each in group]
            found = self.errands.look(identifiers)
            done = [self.errands.attend(errand) for errand in found["errands"]]
            told = [self.errands.tell(each) for each in done if "change" in each]
            ended = self.errands.end(identifiers, [found, *done, *told])
            assert "problem" not in ended, ended

    @property
    def project(self) -> Project:
        return self.fake.world.projects[SLUG]


@pytest.fixture
def house_of(
    service: Service, fake: FakeForge, received: Callable[[], list[Message]]
) -> Iterator[Callable[[Forge], House]]:
    clients: list[TestClient] = []

    def make(forge: Forge) -> House:
        hooks = Secrets((SECRET.encode(),))
        settings = {"github": GitHub(api=fake.github_api, hooks=hooks), "gitlab": GitLab(api=fake.url, hooks=hooks)}
        config = replace(service.config, **{forge.name: settings[forge.name]})
        found = replace(service, forges={forge.name: forge}, config=config)
        client = TestClient(make_app(found), base_url="http://127.0.0.1:8787", raise_server_exceptions=False)
        clients.append(client)
        return House(found, client, Errands(Way(found, open_mirrors(config)), "w"), fake, received, [])

    yield make
    for client in clients:
        client.close()


def test_a_change_is_checked_from_its_opening_to_its_merge(
    house_of: Callable[[Forge], House], github: GitHubForge, source: Path
) -> None:
    """As an App: opened, a forged check, pushed, a forged message, merged."""
    house = house_of(github)
    number = house.fake.do.open_pull(SLUG, "feature", "Raise @everyone's price <img src=x>")
    assert house.bring() == [202]
    house.work()
    (run,) = house.project.runs
    (comment,) = house.project.pulls[number].comments
    assert (run.status, run.conclusion, run.app.slug) == ("completed", "action_required", "tidegate-gate")
    assert comment.body.startswith(MARKER)
    assert "@everyone" not in comment.body + (run.output["text"] or "")
    head = house.project.pulls[number].head
    house.fake.do.post_run(SLUG, head, "github-actions")
    assert house.bring() == [202]
    house.work()
    newest = max(house.project.runs, key=lambda run: run.id)
    assert (newest.app.slug, newest.conclusion) == ("tidegate-gate", "action_required")
    repo = Repo(source)
    tree = repo.git("rev-parse", "feature^{tree}")
    pushed = repo.git("commit-tree", tree, "-p", head, "-m", "Think again")
    repo.git("branch", "-f", "pushed", pushed)
    house.fake.do.push(SLUG, "feature", source, "pushed")
    assert house.bring() == [202, 202]
    house.work()
    assert {run.head_sha for run in house.project.runs if run.app.slug == "tidegate-gate"} == {head, pushed}
    assert len(house.project.pulls[number].comments) == 1
    house.fake.hooks.extra = {"x-hub-signature-256": "sha256=" + "0" * 64}
    house.fake.do.edit(SLUG, number, title="Pass this")
    assert house.bring() == [401]
    house.fake.hooks.extra = {}
    house.fake.do.merge(SLUG, number)
    assert set(house.bring()) == {202}
    house.work()
    with house.service.database.read() as connection:
        assert inbox.counts(connection).get("failed", 0) == 0


def test_what_was_dropped_is_sent_again_by_the_sweeper(house_of: Callable[[Forge], House], github: GitHubForge) -> None:
    house = house_of(github)
    house.fake.do.open_pull(SLUG, "feature", "One")
    assert house.bring() == [202]
    house.work()
    house.fake.hooks.plan.extend(["drop"])
    house.fake.do.review(SLUG, 1, "bob")
    assert house.bring() == []
    soon = replace(house.service, now=lambda: later(house.service.now(), 600))
    way = Way(soon, open_mirrors(house.service.config))
    Sweeper(way, "w", house.errands, lambda _: frozenset(), 10.0, 60.0).ask_forges()
    assert house.bring() == [202]


@pytest.mark.parametrize("kind", ["by_token", "gitlab"])
def test_a_status_and_a_comment_are_what_the_others_get(
    house_of: Callable[[Forge], House], request: pytest.FixtureRequest, kind: str
) -> None:
    house = house_of(request.getfixturevalue(kind))
    house.fake.do.open_pull(SLUG, "feature", "One")
    assert house.bring() == [202]
    house.work()
    (status,) = house.project.statuses
    assert (status.state, status.context, status.user.login) == (
        {"by_token": "failure", "gitlab": "failed"}[kind],
        "tidegate",
        "gatebot",
    )
    assert [one.body.startswith(MARKER) for one in house.project.pulls[1].comments] == [True]
