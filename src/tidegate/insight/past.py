"""What a repository itself knows: what landed, who wrote it, what became of it, and when it went out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from tidegate.change.git import Repository
from tidegate.change.people import FORGE_EMAILS
from tidegate.change.scrutiny import READ_BY_PEOPLE
from tidegate.facts import Facts, FileFact, Lines
from tidegate.insight.values import Fate, Ran, Shipped, Writer
from tidegate.policy.backtest.values import PastChange
from tidegate.rollout.values import Deployment

MOSTLY = 0.8
"""From this share of its lines on a change is somebody's; between two it is mixed."""
FATES: Mapping[str, Fate] = {"revert": "reverted", "incident": "incident", "rollback": "rolled-back"}


def shipped_of(
    past: Iterable[PastChange],
    released: Mapping[str, float],
    repository: str = "",
    teams: Mapping[str, str] | None = None,
    again: Mapping[str, int] | None = None,
) -> tuple[Shipped, ...]:
    """The changes of the past as insight counts them. `released`: when each first went out; `teams` by person; `again`:
    how often each commit was deployed again, None where nobody reported deployments."""
    changes = list(past)
    told = any(one.fate.incident for one in changes)
    found = (_shipped(one, released, repository, teams or {}) for one in changes)
    return tuple(
        replace(
            each,
            redeploys=None if not again or each.deployed is None else again.get(each.commit, 0),
            debugged=one.fate.incident if told and one.fate.matured else None,
        )
        for one, each in zip(changes, found, strict=True)
    )


def effort_of(files: Iterable[FileFact]) -> tuple[int, int]:
    """Changed lines that people write and read, and those of tests among them."""
    mine = [file for file in files if file.kind in READ_BY_PEOPLE and not file.generated and not file.vendored]
    return sum(f.added + f.deleted for f in mine), sum(f.added + f.deleted for f in mine if f.kind == "test")


def author_of(facts: Facts) -> str:
    """Who wrote what a change brought: of a merge not whoever merged it."""
    wrote = [commit.author for commit in facts.change.commits if commit.parents < 2]
    return wrote[-1] if wrote else facts.change.author


def writer_of(lines: Lines) -> Writer:
    """Whose change it is, by its lines: unknown where half or more of them are, or none were added."""
    if not lines.added or lines.unknown >= lines.added / 2:
        return "unknown"
    known = lines.ai + lines.human + lines.mixed
    if lines.ai >= MOSTLY * known:
        return "ai"
    return "human" if lines.human >= MOSTLY * known else "mixed"


def read_releases(repository: Repository, until: str) -> dict[str, float]:
    """When each commit of the first-parent history of `until` was first under a tag. One process of git.

    Where nobody reports deployments, a tag on the branch is the nearest to one that a repository knows.
    """
    text = repository.run(
        "log", "--first-parent", "--decorate-refs=refs/tags/", "--format=%H%x00%ct%x00%D", "--end-of-options", until
    ).decode("utf-8", "surrogateescape")
    found: dict[str, float] = {}
    at: float | None = None
    for line in text.splitlines():
        oid, committed, tags = line.split("\0")
        at = float(committed) if tags else at
        if at is not None:
            found[oid] = at
    return found


def deployed_first(deployments: Sequence[Deployment], order: Sequence[str], environment: str) -> dict[str, float]:
    """When each commit of `order` (newest first) was first within a deployed revision of the environment."""
    ran = sorted(
        (one for one in deployments if one.environment == environment and one.status == "succeeded"),
        key=lambda one: one.finished or one.started,
    )
    place = {oid: number for number, oid in enumerate(order)}
    found: dict[str, float] = {}
    for one in ran:
        for oid in order[place[one.revision] :] if one.revision in place else ():
            if oid in found:
                break
            found[oid] = one.finished or one.started
    return found


def ran_of(deployments: Sequence[Deployment], writers: Mapping[str, Writer], environment: str) -> tuple[Ran, ...]:
    """The deployments of an environment. One failed if it did not succeed, or if the next one took it back; whether one
    was rework is known of roll-backs only."""
    ran = sorted((one for one in deployments if one.environment == environment), key=lambda one: (one.started, one.id))
    found = []
    for number, one in enumerate(ran):
        after = next((each for each in ran[number + 1 :] if each.service == one.service), None)
        earlier = {each.revision for each in ran[:number] if each.service == one.service}
        back = after is not None and (after.action == "roll_back" or after.revision in earlier)
        failed = one.status in ("failed", "rolled_back") or back
        mended = (after.finished or after.started) - one.started if failed and after is not None else None
        mine = one.action == "roll_back" or (one.revision in earlier)
        found.append(
            Ran(
                at=one.started,
                writer=writers.get(one.revision, "unknown"),
                failed=failed if one.status != "started" else None,
                service=one.service,
                repository=one.repository,
                recovered=mended,
                rework=True if mine else None,
            )
        )
    return tuple(found)


# Private


def _shipped(one: PastChange, released: Mapping[str, float], repository: str, teams: Mapping[str, str]) -> Shipped:
    facts = one.facts
    wrote = facts.provenance
    lines = wrote.source_lines if wrote.source_lines.added else wrote.lines
    agent = wrote.agents[0] if wrote.agents else None
    effort, tests = effort_of(facts.change.files)
    author = author_of(facts)
    return Shipped(
        commit=one.oid,
        landed=float(one.landed_at),
        writer=writer_of(lines),
        size=facts.change.source_lines_added + facts.change.source_lines_deleted,
        fate=_fate(one),
        repository=repository,
        team=teams.get(author, ""),
        author=author,
        tool=agent.tool if agent else "",
        model=agent.model if agent else "",
        began=_began(facts),
        deployed=released.get(one.oid),
        lines={"ai": lines.ai, "human": lines.human, "mixed": lines.mixed, "unknown": lines.unknown},
        merged_by=_merged_by(one),
        effort=effort,
        test_lines=tests,
    )


def _merged_by(one: PastChange) -> str:
    """Who wrote the merge, else who committed it: of the forge itself nobody knows who pressed its button."""
    last = next((each for each in reversed(one.facts.change.commits) if each.oid == one.oid), None)
    if last is None:
        return ""
    who = last.author if last.parents > 1 else last.committer
    return "" if any(address in who for address in FORGE_EMAILS) else who


def _fate(one: PastChange) -> Fate:
    """Of young changes the repaired ones are known first: none of them is judged, else they would look bad together."""
    if not one.fate.matured:
        return "pending"
    return FATES.get(one.fate.source, "fixed") if one.fate.repaired else "clean"


def _began(facts: Facts) -> float | None:
    times = []
    for commit in facts.change.commits:
        try:
            times.append(datetime.fromisoformat(commit.authored_at).timestamp())
        except ValueError:
            return None
    return min(times, default=None)
