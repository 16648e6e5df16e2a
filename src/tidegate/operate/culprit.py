"""From an incident to the line: what was deployed, commit by commit, all evidence in one ranking, and who wrote what.

This is the whole path on one page: deployments -> commits -> evidence -> ranking -> hunks -> attribution.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from tidegate.change.configuration import read_settings
from tidegate.change.diff import read_commit_diffs
from tidegate.change.git import Repository
from tidegate.change.trees import tree_of
from tidegate.change.values import Commit, FileChange, show_path
from tidegate.errors import InputError
from tidegate.operate.batch import Batch, BatchChange, read_batch
from tidegate.operate.commits import Clues, temperature, weigh
from tidegate.operate.evidence.changes import Candidate
from tidegate.operate.frames import place
from tidegate.operate.lines import WrittenLines, hunks_behind, read_written
from tidegate.operate.suspects import suspects
from tidegate.operate.symptoms.values import Symptoms
from tidegate.operate.values import Evidence, Ranking
from tidegate.rollout.values import Deployment
from tidegate.settings import Settings

MOST_DEPLOYMENTS = 20
MOST_DIFF_BYTES = 100_000
MOST_TRACED = 3
MOST_LINES, MOST_HUNKS = 40, 5
LEAST_TRACED = 0.05
"""A suspect below this gets no lines: they would be read as an accusation."""
TOGETHER_SECONDS = 5.0
"""What moves this soon after the first moved with it: scrapes are not taken at one moment."""
WATCHED = 1.5
"""Log-odds, set: as much as a deployment that went live just before the first sign."""
_CODE = frozenset(("line", "innermost", "function", "file"))
"""Of the evidence of code that which only stack frames give; words, sizes and risk are weighed by the symptoms."""


class Change(Struct, frozen=True, kw_only=True):
    """A suspect as people know it. `at` is Unix seconds, when it was committed."""

    commit: str
    title: str
    author: str
    at: float
    deployment: str
    services: tuple[str, ...] = ()


class Traced(Struct, frozen=True, kw_only=True):
    """The answer: `lines` are those of the first suspects, in the order of the ranking; `changes` all candidates."""

    ranking: Ranking
    changes: tuple[Change, ...]
    lines: tuple[WrittenLines, ...]
    unknowns: tuple[str, ...] = ()


class Worse(Struct, frozen=True):
    """A metric of a service got worse at `moved` (Unix seconds), and the watch suspects this deployment."""

    deployment: str
    service: str
    metric: str
    moved: float


def trace(
    repositories: Mapping[str, Repository],
    symptoms: Symptoms,
    deployments: Sequence[Deployment],
    *,
    risk: Mapping[str, float] | None = None,
    worse: Sequence[Worse] = (),
) -> Traced:
    """Which change it was, or none, and the lines that did it.

    `deployments` are those of the environment before the incident, each with the revision that ran before; of more than
    20 the last are read. `repositories` by the name that deployments give. What cannot be read is in `unknowns`.
    """
    unknowns: list[str] = []
    latest = sorted(deployments, key=lambda one: (-one.started, one.id))
    if len(latest) > MOST_DEPLOYMENTS:
        unknowns.append(f"the {len(latest) - MOST_DEPLOYMENTS} oldest deployments were not looked into")
    unknowns += _unjoined(repositories, latest[:MOST_DEPLOYMENTS])
    found: dict[str, _Found] = {}
    for deployment in latest[:MOST_DEPLOYMENTS]:
        brought = _of_deployment(repositories, deployment, symptoms, risk or {}, unknowns)
        gone = _taken_back(repositories, deployment, [one for one in latest if one.started < symptoms.alert.started])
        for one in brought:
            if one.candidate.commit in gone:
                continue
            known = found.get(one.candidate.commit)
            if known is None or _better(one, known):
                found[one.candidate.commit] = one
    more = {commit: (*one.evidence, *_watched(one, worse)) for commit, one in found.items()}
    ranking = suspects(symptoms, [one.candidate for one in found.values()], more=more)
    named = {commit: (one.candidate.deployment.id if one.candidate.deployment else "") for commit, one in found.items()}
    ranking = replace(
        ranking, suspects=tuple(replace(one, deployment=named.get(one.change, "")) for one in ranking.suspects)
    )
    lines: list[WrittenLines] = []
    for suspect in ranking.suspects[:MOST_TRACED]:
        if suspect.probability >= LEAST_TRACED and suspect.change in found:
            one = found[suspect.change]
            hunks = hunks_behind(one.batch, one.clues, one.change, standing=MOST_LINES)[:MOST_HUNKS]
            written, untold = read_written(one.repository, one.settings, one.batch.deployed, hunks)
            lines += written
            unknowns += untold
    ordered = [found[suspect.change] for suspect in ranking.suspects if suspect.change in found]
    return Traced(
        ranking=ranking,
        changes=tuple(_described(one) for one in ordered),
        lines=tuple(lines),
        unknowns=tuple(dict.fromkeys(unknowns)),
    )


# Private


class _Found(Struct, frozen=True):
    """A commit as one deployment brought it."""

    candidate: Candidate
    evidence: tuple[Evidence, ...]
    repository: Repository
    settings: Settings
    batch: Batch
    change: BatchChange
    clues: Clues


def _of_deployment(
    repositories: Mapping[str, Repository],
    deployment: Deployment,
    symptoms: Symptoms,
    risk: Mapping[str, float],
    unknowns: list[str],
) -> Iterator[_Found]:
    where = f"deployment {deployment.id} of {deployment.service}"
    repository = repositories.get(deployment.repository)
    if repository is None or not deployment.revision or not deployment.previous:
        return
    if deployment.previous == deployment.revision:
        return
    try:
        settings = read_settings(repository, deployment.revision, {}).settings
        batch = read_batch(repository, settings, deployment.previous, deployment.revision)
        built = _services(repository, deployment.revision, batch)
        diffs = {diff.oid: diff.files for diff in read_commit_diffs(repository, _oids(batch), text=True)}
    except InputError as error:
        unknowns.append(f"{where}: {error.what}")
        return
    traces = tuple(place(error.frames, batch.paths, batch.packages) for error in symptoms.errors if error.frames)
    clues = Clues(traces=traces)
    weighed, _ = weigh(batch, clues)
    scale = temperature(clues)
    for change in batch.changes:
        oid = change.commit.oid
        files = diffs.get(oid, ())
        services = {name for file in files for name in built.get(show_path(file.path), ())}
        evidence = [one for one in weighed.get(oid, ()) if one.kind in _CODE]
        yield _Found(
            candidate=_candidate(change.commit, files, deployment, tuple(sorted(services)), risk.get(oid)),
            evidence=tuple(replace(one, weight=one.weight / scale) for one in evidence),
            repository=repository,
            settings=settings,
            batch=batch,
            change=change,
            clues=clues,
        )


def _unjoined(repositories: Mapping[str, Repository], deployments: Sequence[Deployment]) -> Iterator[str]:
    """What is not known of deployments, so that none of their commits is a suspect; one sentence for each reason."""
    reasons: dict[str, list[str]] = {}
    for one in deployments:
        if one.repository not in repositories:
            reasons.setdefault("their repository is not at hand", []).append(one.service)
        elif not one.revision:
            reasons.setdefault("nobody says which commit they brought", []).append(one.service)
        elif not one.previous:
            reasons.setdefault("nobody says what ran before", []).append(one.service)
    for reason, services in reasons.items():
        named = ", ".join(sorted(set(services)))
        yield f"{len(services)} deployments ({named}) bring no suspects: {reason}"


def _watched(one: _Found, worse: Sequence[Worse]) -> Iterator[Evidence]:
    """What the watch saw first: for a commit that the suspected deployment brought to the service that moved first."""
    brought = one.candidate.deployment
    if not worse or brought is None:
        return
    first = min(each.moved for each in worse) + TOGETHER_SECONDS
    for each in sorted(worse, key=lambda each: (each.moved, each.service, each.metric)):
        if each.deployment == brought.id and each.moved <= first and each.service in one.candidate.services:
            says = f"{each.metric} of {each.service}, which it changes, got worse first"
            yield Evidence(kind="watch", weight=WATCHED, says=says, source=f"{each.service} {each.metric}")
            return


def _taken_back(
    repositories: Mapping[str, Repository], deployment: Deployment, before: Sequence[Deployment]
) -> frozenset[str]:
    """The commits that this deployment brought and that no longer ran when it began: a later one took them back."""
    after = [
        one
        for one in before
        if (one.service, one.environment, one.repository)
        == (deployment.service, deployment.environment, deployment.repository)
        and one.status == "succeeded"
        and (one.started, one.id) > (deployment.started, deployment.id)
        and one.revision
    ]
    repository = repositories.get(deployment.repository)
    if not after or repository is None or not deployment.revision or not deployment.previous:
        return frozenset()
    runs = max(after, key=lambda one: (one.started, one.id)).revision
    try:
        ends = (
            repository.resolve(deployment.revision),
            repository.resolve(deployment.previous),
            repository.resolve(runs),
        )
        listed = repository.run("rev-list", "--end-of-options", ends[0], f"^{ends[1]}", f"^{ends[2]}")
    except InputError:
        return frozenset()  # it cannot be told: they stay suspects
    return frozenset(listed.decode("ascii").split())


def _oids(batch: Batch) -> list[str]:
    return [change.commit.oid for change in batch.changes]


def _services(repository: Repository, revision: str, batch: Batch) -> Mapping[str, tuple[str, ...]]:
    """By path the services that are built of it; nothing where the repository does not say."""
    from tidegate.reach.services import read_services, services_of

    tree = tree_of(repository, revision)
    services = read_services(tree.paths(), tree.read)
    touched = {path for change in batch.changes for path in (*change.sources, *change.lines)}
    found: dict[str, list[str]] = {}
    for hit in services_of(touched, services):
        found.setdefault(hit.path, []).append(hit.service.name)
    return {path: tuple(names) for path, names in found.items()}


def _candidate(
    commit: Commit, files: Sequence[FileChange], deployment: Deployment, services: tuple[str, ...], risk: float | None
) -> Candidate:
    return Candidate(
        commit=commit.oid,
        at=datetime.fromisoformat(commit.committed_at).timestamp(),
        author=str(commit.author),
        message=commit.message[:4000],
        files=tuple(show_path(file.path) for file in files),
        diff=_diff(files),
        deployment=deployment,
        services=services or (deployment.service,),
        risk=risk,
    )


def _diff(files: Sequence[FileChange]) -> str:
    out: list[str] = []
    left = MOST_DIFF_BYTES
    for file in files:
        out.append(f"+++ b/{show_path(file.path)}")
        for hunk in file.hunks:
            lines = [b"-" + line for line in hunk.removed] + [b"+" + line for line in hunk.added]
            text = "\n".join(line[:1000].decode("utf-8", "backslashreplace") for line in lines)
            left -= len(text)
            if left < 0:
                return "\n".join(out)
            out += [f"@@ -{hunk.old_start} +{hunk.new_start} @@", text]
    return "\n".join(out)


def _better(one: _Found, known: _Found) -> bool:
    """Of two deployments that brought a commit that counts whose service is built of it, then the first."""

    def fits(found: _Found) -> tuple[bool, float]:
        brought = found.candidate.deployment
        mine = brought is not None and brought.service in found.candidate.services
        return mine, -(brought.started if brought is not None else 0.0)

    return fits(one) > fits(known)


def _described(one: _Found) -> Change:
    commit = one.change.commit
    return Change(
        commit=commit.oid,
        title=commit.subject[:200],
        author=str(commit.author),
        at=one.candidate.at,
        deployment=one.candidate.deployment.id if one.candidate.deployment else "",
        services=one.candidate.services,
    )
