"""The facts of a change: the one document that collectors write, policy reads and reports render.

A section says how far it can be trusted:

    complete   every field holds
    partial    every field holds except those that `unknowns` names
    unknown    no field holds; `unknowns` says why

In memory a field that does not hold has its zero value and must not be read without asking `is_known`. In the
document (`to_document`) it is absent, so that a rule that reads it cannot be answered. There are no nulls: a text
that is missing is "", and what could not be told is an `Unknown` with its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct, field

SCHEMA = "tidegate.facts/1"

Status: TypeAlias = Literal["complete", "partial", "unknown"]
Severity: TypeAlias = Literal["note", "low", "medium", "high", "critical"]
Writer: TypeAlias = Literal["ai", "human", "mixed", "unknown"]
Evidence: TypeAlias = Literal["E5", "E4", "E3", "E2", "E1", "E0"]
Role: TypeAlias = Literal["author", "co-author", "suggestion", "review", "session", "none"]

Count = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Unknown(Struct, frozen=True):
    """Something that could not be told, and why. `path` is a path of the catalogue, or a section's name."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path} is unknown: {self.reason}"


class Place(Struct, frozen=True):
    """A run of lines of one file at the head of the change. Lines count from 1; 0 means the whole file."""

    path: str
    line: Count = 0
    end_line: Count = 0

    def __str__(self) -> str:
        if not self.line:
            return self.path
        if self.end_line <= self.line:
            return f"{self.path}:{self.line}"
        return f"{self.path}:{self.line}-{self.end_line}"


class Finding(Struct, frozen=True):
    """One thing that a check saw. `rule` is an id that `tidegate explain` knows."""

    rule: str
    severity: Severity
    message: str
    place: Place
    mend: str = ""


class Section(Struct, frozen=True, kw_only=True):
    """What every section of the facts begins with."""

    status: Annotated[Status, Meta(description="how far this section can be trusted")] = "unknown"
    unknowns: Annotated[tuple[Unknown, ...], Meta(description="what could not be told, each with its reason")] = ()
    findings: Annotated[tuple[Finding, ...], Meta(description="what the collector's own checks saw")] = ()


class Repository(Section, frozen=True, kw_only=True):
    """The repository that the change belongs to."""

    name: Annotated[str, Meta(description="owner/name of the remote, else the folder's name")] = ""
    head_branch: Annotated[str, Meta(description="branch that is checked out, empty when detached")] = ""
    default_branch: Annotated[str, Meta(description="branch that the remote calls its default, empty without one")] = ""
    object_format: Annotated[str, Meta(description="sha1 or sha256")] = "sha1"
    shallow: Annotated[bool, Meta(description="whether history is cut off")] = False


class CommitFact(Struct, frozen=True):
    """One commit of the change, as it names itself."""

    oid: str
    parents: Count
    author: str
    committer: str
    authored_at: str
    committed_at: str
    subject: str


FileStatus: TypeAlias = Literal["added", "modified", "deleted", "renamed", "copied", "type-changed"]
FileKind: TypeAlias = Literal["source", "test", "docs", "config", "data", "binary", "symlink", "submodule"]


class FileFact(Struct, frozen=True):
    """One changed file. `path` shows bytes that are not UTF-8 as \\xNN."""

    path: str
    old_path: str
    status: FileStatus
    kind: FileKind
    language: str
    added: Count
    deleted: Count
    generated: bool
    vendored: bool
    executable_changed: bool
    domains: tuple[str, ...]
    critical: bool


class DomainHit(Struct, frozen=True):
    """Why a file belongs to a domain."""

    domain: str
    path: str
    line: Count
    reason: str


class Intent(Struct, frozen=True):
    """What the author says the change is for. A part that is missing is empty and named in `missing`.

    `tests` is why tests were weakened or taken away; only a change that does so needs to say it.
    """

    what: str = ""
    why: str = ""
    rollback: str = ""
    ticket: str = ""
    missing: tuple[Literal["what", "why", "rollback", "ticket"], ...] = ("what", "why", "rollback", "ticket")
    tests: str = ""


PlaceTier: TypeAlias = Literal["", "T0", "T1", "T2", "T3"]


class PlaceFact(Struct, frozen=True):
    """The tier that `[place]` gives the application, before the change and after it.

    `missing` are the criteria that the tier after it asks for and that nobody vouches for at the head.
    """

    before: PlaceTier = ""
    after: PlaceTier = ""
    raised: bool = False
    missing: tuple[str, ...] = ()


ChangeKind: TypeAlias = Literal["range", "commit", "staged", "pull-request", "diff"]


class ChangeFacts(Section, frozen=True, kw_only=True):
    """What changed."""

    kind: Annotated[ChangeKind, Meta(description="how the change was named")] = "range"
    chosen: Annotated[str, Meta(description="which range was taken and why, in words")] = ""
    base: Annotated[str, Meta(description="commit the change starts from, empty for the empty tree")] = ""
    head: Annotated[str, Meta(description="commit the change ends with, empty for a staged tree")] = ""
    base_tree: Annotated[str, Meta(description="tree the change starts from")] = ""
    head_tree: Annotated[str, Meta(description="tree the change ends with; approvals are bound to it")] = ""
    target: Annotated[str, Meta(description="branch the change wants to go to")] = ""
    source: Annotated[str, Meta(description="branch the change comes from")] = ""
    title: Annotated[str, Meta(description="title of the pull request, else subject of the last commit")] = ""
    author: Annotated[str, Meta(description="who opened the pull request, else author of the last commit")] = ""
    labels: Annotated[tuple[str, ...], Meta(description="labels of the pull request")] = ()
    commits: Annotated[tuple[CommitFact, ...], Meta(description="commits of the change, oldest first")] = ()
    commits_total: Annotated[int, Meta(ge=0, description="number of commits")] = 0
    merges: Annotated[int, Meta(ge=0, description="number of merge commits among them")] = 0
    files: Annotated[tuple[FileFact, ...], Meta(description="changed files, in path order")] = ()
    files_total: Annotated[int, Meta(ge=0, description="number of changed files")] = 0
    lines_added: Annotated[int, Meta(ge=0, description="lines added, generated and vendored ones included")] = 0
    lines_deleted: Annotated[int, Meta(ge=0, description="lines deleted")] = 0
    source_files: Annotated[int, Meta(ge=0, description="changed source files written by hand")] = 0
    source_lines_added: Annotated[int, Meta(ge=0, description="lines added to source written by hand")] = 0
    source_lines_deleted: Annotated[int, Meta(ge=0, description="lines deleted from such source")] = 0
    test_files: Annotated[int, Meta(ge=0, description="changed test files that still exist at the head")] = 0
    test_lines_added: Annotated[
        int, Meta(ge=0, description="lines added to tests, blank and comment lines left out")
    ] = 0
    domains: Annotated[tuple[str, ...], Meta(description="sensitive areas that the change touches")] = ()
    domain_hits: Annotated[tuple[DomainHit, ...], Meta(description="why, one entry per file and domain")] = ()
    critical_domains: Annotated[tuple[str, ...], Meta(description="those of them that are critical")] = ()
    breadth: Annotated[int, Meta(ge=0, description="number of domains touched at once")] = 0
    policy_files: Annotated[tuple[str, ...], Meta(description="changed files that policy is read from")] = ()
    owners_files: Annotated[tuple[str, ...], Meta(description="changed CODEOWNERS files")] = ()
    intent: Annotated[Intent, Meta(description="what, why, roll-back plan and ticket")] = Intent()
    place: Annotated[PlaceFact, Meta(description="tier of the application, and whether it is raised")] = PlaceFact()


class Lines(Struct, frozen=True):
    """Added lines by who or what wrote them. `added` is the sum of the others."""

    added: Count = 0
    ai: Count = 0
    human: Count = 0
    mixed: Count = 0
    unknown: Count = 0


class EvidenceLines(Struct, frozen=True):
    """Added lines by the best evidence for who or what wrote them (the evidence ladder)."""

    E5: Count = 0
    E4: Count = 0
    E3: Count = 0
    E2: Count = 0
    E1: Count = 0
    E0: Count = 0


class AgentFact(Struct, frozen=True):
    """One tool and model that wrote part of the change, and the weakest evidence that counts lines for it."""

    tool: str
    model: str
    lines: Count
    sessions: Count
    evidence: Evidence


class SpanFact(Struct, frozen=True):
    """A run of added lines with one attribution; `blank` of them are white space alone. `prompt` is a salted digest."""

    path: str
    line: Count
    end_line: Count
    writer: Writer
    tool: str
    model: str
    session: str
    prompt: str
    human: str
    role: Role
    evidence: Evidence
    source: str
    commit: str
    blank: Count = 0


class AccountableFact(Struct, frozen=True):
    """A person who answers for lines of the change, whoever or whatever typed them."""

    person: str
    lines: Count
    ai_lines: Count


class FileProvenance(Struct, frozen=True):
    """Added lines of one file by who or what wrote them."""

    path: str
    added: Count
    ai: Count
    human: Count
    mixed: Count
    unknown: Count


class Claim(Struct, frozen=True):
    """What one source says about who or what wrote something."""

    writer: Writer
    tool: str
    model: str
    evidence: Evidence
    source: str


class Conflict(Struct, frozen=True):
    """Sources that contradict each other about the same lines. Both sides are shown, the strongest first."""

    path: str
    line: Count
    end_line: Count
    claims: tuple[Claim, ...]


class Declaration(Struct, frozen=True):
    """One mark of an agent on a commit or a pull request: where it was found and the text that was matched."""

    commit: str
    tool: str
    model: str
    role: Role
    evidence: Evidence
    where: str
    text: str
    session: str


class ProvenanceFacts(Section, frozen=True, kw_only=True):
    """Who or what wrote the change, and how we know. Binary, symlink and submodule changes have no lines."""

    lines: Annotated[Lines, Meta(description="added lines by writer")] = Lines()
    source_lines: Annotated[
        Lines, Meta(description="the same for the lines of source and tests written by hand that are not blank")
    ] = Lines()
    critical_lines: Annotated[
        Lines, Meta(description="the same for the lines of files of critical domains that are not blank")
    ] = Lines()
    ai_share: Annotated[float, Meta(ge=0, le=1, description="(ai + mixed) / added; 0 when none added")] = 0.0
    unknown_share: Annotated[float, Meta(ge=0, le=1, description="unknown / added; 0 when none added")] = 0.0
    evidence: Annotated[EvidenceLines, Meta(description="added lines by evidence level")] = EvidenceLines()
    agents: Annotated[tuple[AgentFact, ...], Meta(description="tools and models, most lines first")] = ()
    accountable: Annotated[tuple[AccountableFact, ...], Meta(description="who answers, most lines first")] = ()
    unaccountable_lines: Annotated[int, Meta(ge=0, description="AI lines for which nobody answers")] = 0
    prompters: Annotated[tuple[str, ...], Meta(description="people who prompted an agent here")] = ()
    authors: Annotated[tuple[str, ...], Meta(description="people who wrote, co-wrote or committed part of it")] = ()
    ai_domains: Annotated[tuple[str, ...], Meta(description="domains that AI lines were added to")] = ()
    files: Annotated[tuple[FileProvenance, ...], Meta(description="lines by file, in path order")] = ()
    spans: Annotated[tuple[SpanFact, ...], Meta(description="runs of lines with one attribution")] = ()
    declarations: Annotated[tuple[Declaration, ...], Meta(description="marks of agents that were found")] = ()
    conflicts: Annotated[tuple[Conflict, ...], Meta(description="sources that contradict each other")] = ()
    notes_read: Annotated[int, Meta(ge=0, description="notes and traces that were read")] = 0


class ServiceOwner(Struct, frozen=True):
    """Who answers for a service that the change reaches; `owner` is "" where neither catalogue nor CODEOWNERS says."""

    service: str
    owner: str


class Reach(Section, frozen=True, kw_only=True):
    """How far the change reaches: what can execute or feel it, found in the symbols of base and head."""

    symbols: Annotated[int, Meta(ge=0, description="symbols that the change touches")] = 0
    silent: Annotated[int, Meta(ge=0, description="of the changes, those that nothing can feel, with proof")] = 0
    reached: Annotated[int, Meta(ge=0, description="further symbols that can feel it, tests left out")] = 0
    tests: Annotated[int, Meta(ge=0, description="tests that can execute it")] = 0
    entry_points: Annotated[tuple[str, ...], Meta(description="routes, commands and jobs it can affect")] = ()
    services: Annotated[tuple[str, ...], Meta(description="services it can affect, packages left out")] = ()
    critical_services: Annotated[
        tuple[str, ...], Meta(description="those of the highest tier, or of a tier that nobody wrote down")
    ] = ()
    service_owners: Annotated[
        tuple[ServiceOwner, ...], Meta(description="who answers for each of the critical services")
    ] = ()
    owners: Annotated[tuple[str, ...], Meta(description="people and teams that own what it can affect")] = ()
    unresolved_share: Annotated[
        float, Meta(ge=0, le=1, description="share of the calls that may mean something here and could not be resolved")
    ] = 0.0
    unread_files: Annotated[int, Meta(ge=0, description="files of code and manifests that could not be read")] = 0
    recorded: Annotated[bool, Meta(description="whether recorded runs of the tests sharpened the answer")] = False


EffectCode: TypeAlias = Literal[
    "DATA_DESTROY",
    "DATA_DESTROY_DELAYED",
    "KEY_LOSS",
    "STATE_LOSS",
    "BACKUP_REDUCED",
    "GUARD_REMOVED",
    "OUTAGE_FULL",
    "OUTAGE_PARTIAL",
    "DNS_CHANGE",
    "NET_CUT",
    "NET_EXPOSE",
    "IAM_WIDEN",
    "IAM_TRUST",
    "PRIV_ESC",
    "IAM_CUT",
    "AUDIT_OFF",
    "OBSERV_DOWN",
    "TLS_OFF",
    "TLS_ON",
    "DATA_DURABILITY",
    "IRREVERSIBLE_UPGRADE",
    "RESTART",
    "CAPACITY_DOWN",
    "APPLY_FAIL",
    "IMMUTABLE_REJECT",
    "DRIFT_REVERT",
    "DRIFT_EXTERNAL_DELETE",
    "UNMANAGED",
    "PARTIAL_PLAN",
    "SECRET_CHANGE",
    "COST_UP",
    "SUPPLY_CHAIN",
    "LOCK",
    "DESTROY",
]
Certainty: TypeAlias = Literal["certain", "likely", "possible"]
Actor: TypeAlias = Literal["agent", "human", "unknown"]


class Effect(Struct, frozen=True):
    """What an infrastructure change does to the world.

    `reason` is the sentence that a careful engineer would say; `back` how it is taken back, and `reversible` whether
    that restores everything. `dependents` need the resource, nearest first. `path` existed before and does not after,
    entry first. `certainty`: a plan is certain, code alone likely, or possible where a value nobody can read decides.
    """

    code: EffectCode
    severity: Severity
    address: str
    reason: str
    reversible: bool
    back: str = ""
    dependents: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    mitigations: tuple[str, ...] = ()
    certainty: Certainty = "certain"
    environment: str = ""
    source: str = ""
    place: Place = Place("")


class Unjudged(Struct, frozen=True):
    """Something in an infrastructure change that nobody can judge from what is at hand, and why."""

    address: str
    reason: str
    mend: str = ""
    place: Place = Place("")


DriftKind: TypeAlias = Literal[
    "changed-by-hand", "deleted-by-hand", "unmanaged", "catches-up", "emergency-fix", "provider-noise"
]


class DriftFact(Struct, frozen=True):
    """Where the world and the code have come apart, and which way the change would settle it."""

    kind: DriftKind
    address: str
    reason: str
    attributes: tuple[str, ...] = ()
    undone: bool = False


class PlanFact(Struct, frozen=True):
    """A plan that was read: approvals of an apply are bound to its digest (SHA-256 of the file)."""

    name: str
    digest: str
    tool: str
    changes: Count


class Infra(Section, frozen=True, kw_only=True):
    """What the change does to infrastructure."""

    severity: Annotated[
        Literal["none", "note", "low", "medium", "high", "critical"], Meta(description="that of the gravest effect")
    ] = "none"
    effects: Annotated[tuple[Effect, ...], Meta(description="effects, most severe first")] = ()
    effects_total: Annotated[int, Meta(ge=0, description="number of effects")] = 0
    unjudged: Annotated[tuple[Unjudged, ...], Meta(description="what cannot be judged, and what would help")] = ()
    drift: Annotated[tuple[DriftFact, ...], Meta(description="where the world and the code have come apart")] = ()
    removals: Annotated[int, Meta(ge=0, description="resources that are destroyed or replaced")] = 0
    environments: Annotated[tuple[str, ...], Meta(description="environments that the effects are in")] = ()
    actor: Annotated[Actor, Meta(description="who or what wrote the infrastructure part of the change")] = "unknown"
    plans: Annotated[tuple[PlanFact, ...], Meta(description="plans that were read")] = ()
    files: Annotated[tuple[str, ...], Meta(description="changed files that were read as infrastructure")] = ()


class CoverageFacts(Struct, frozen=True):
    """Which of the changed lines that can be executed were executed by tests, by all reports together.

    A changed file of a measured language that no report speaks of counts with all its changed lines as not covered.
    `critical_*` are the lines in files of critical domains. Shares are 1 where there is nothing to cover.
    """

    lines: Count = 0
    covered: Count = 0
    share: Share = 1.0
    branches: Count = 0
    branches_covered: Count = 0
    critical_lines: Count = 0
    critical_share: Share = 1.0
    unmeasured_files: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()


class FailBeforeFacts(Struct, frozen=True):
    """What the changed tests do without the change, as `tidegate verify fail-before` saw it for this very change.

    `fail_before` fail without the change and pass with it: they prove something. Of these, `existence` fail only
    because what the change adds is not there: they show that it is, not that it does right. `pass_before` pass both
    times. `unknown` were skipped, broken or could not be run, without an accusation. `failed` fail with the change.
    """

    ran: Count = 0
    fail_before: Count = 0
    pass_before: Count = 0
    unknown: Count = 0
    failed: Count = 0
    existence: Count = 0


class Survivor(Struct, frozen=True):
    """A mutant that no test killed: what was changed in this line, in words."""

    place: Place
    mutation: str
    covered: bool


class MutationFacts(Struct, frozen=True):
    """What the tests notice of faults put into the changed lines, one at most a line.

    `killed_share` is killed / (killed + survived); mutants that no test executes count as survived. Shares are 1 where
    there were none.
    """

    mutants: Count = 0
    killed: Count = 0
    survived: Count = 0
    uncovered: Count = 0
    dismissed: Count = 0
    killed_share: Share = 1.0
    critical_mutants: Count = 0
    critical_killed_share: Share = 1.0
    survivors: tuple[Survivor, ...] = ()
    source: str = ""


class SuiteFacts(Struct, frozen=True):
    """What the change does to the tests themselves, read from their text."""

    added: Count = 0
    removed: Count = 0
    changed: Count = 0
    vacuous: Count = 0
    weakened: Count = 0


class RunFacts(Struct, frozen=True):
    """What JUnit reports of a run with the change say. `retried` passed only when they were run again."""

    tests: Count = 0
    failed: Count = 0
    skipped: Count = 0
    retried: Count = 0
    quarantined: Count = 0
    reports: tuple[str, ...] = ()


DependencyEvidence: TypeAlias = Literal["locked", "installed", "allowed", "unknown"]


class DependencyFact(Struct, frozen=True):
    """A dependency that the change adds, removes or moves to another version.

    `evidence` is what vouches for a new name: locked with a hash, installed, on the organisation's list, or nothing.
    """

    name: str
    ecosystem: str
    change: Literal["added", "removed", "changed"]
    before: str
    after: str
    evidence: DependencyEvidence
    development: bool
    place: Place


class CloneFact(Struct, frozen=True):
    """Added lines that do what lines elsewhere do already. `kind`: 1 alike, 2 renamed, 3 some lines differ."""

    place: Place
    other: Place
    lines: Count
    kind: Annotated[int, Meta(ge=1, le=3)]
    similarity: Share


class DebtFacts(Struct, frozen=True):
    """What the change leaves behind to be paid later: growth, never what was there before."""

    functions_grown: Count = 0
    complexity_added: Count = 0
    todos_added: Count = 0
    swallowed: Count = 0
    fragile_calls: Count = 0
    dead: Count = 0
    undocumented: Count = 0


class BreakFact(Struct, frozen=True):
    """A contract that the change breaks for whoever relies on it: an API, a schema, a public name."""

    contract: str
    what: str
    place: Place


class AccessFact(Struct, frozen=True):
    """Something that asks less than before who is there: `what` lost `guard`; `instead` is what opens it, often "".

    `base_line` is where the guard stood at the base, 0 where it came from elsewhere; `place` is at the head.
    """

    what: str
    guard: str
    instead: str
    base_line: Count
    place: Place


class Verification(Section, frozen=True, kw_only=True):
    """What was checked of exactly these lines, and what the change leaves behind."""

    coverage: Annotated[CoverageFacts, Meta(description="changed lines that tests execute")] = CoverageFacts()
    tests: Annotated[FailBeforeFacts, Meta(description="what the changed tests do without the change")] = (
        FailBeforeFacts()
    )
    mutation: Annotated[MutationFacts, Meta(description="what the tests notice of faults in the changed lines")] = (
        MutationFacts()
    )
    suite: Annotated[SuiteFacts, Meta(description="what the change does to the tests themselves")] = SuiteFacts()
    runs: Annotated[RunFacts, Meta(description="what reports of test runs say")] = RunFacts()
    dependencies: Annotated[tuple[DependencyFact, ...], Meta(description="dependencies that change")] = ()
    unknown_dependencies: Annotated[tuple[str, ...], Meta(description="new dependencies nothing vouches for")] = ()
    clones: Annotated[tuple[CloneFact, ...], Meta(description="added lines that are elsewhere already")] = ()
    cloned_lines: Annotated[int, Meta(ge=0, description="added lines in clones")] = 0
    debt: Annotated[DebtFacts, Meta(description="what is left to be paid later")] = DebtFacts()
    secrets: Annotated[int, Meta(ge=0, description="secrets that the change adds")] = 0
    breaks: Annotated[tuple[BreakFact, ...], Meta(description="contracts that the change breaks")] = ()
    access_removed: Annotated[tuple[AccessFact, ...], Meta(description="functions and routes that ask less")] = ()
    scanners: Annotated[tuple[str, ...], Meta(description="tools whose results were read")] = ()


class RiskFactor(Struct, frozen=True):
    """One thing that moved the probability or the impact, in words that stand alone.

    `weight` is its share of the log-odds of repair against an ordinary change here, 0 where it only adds to the impact.
    """

    name: str
    words: str
    weight: float


class RiskyLine(Struct, frozen=True):
    """An added line that deserves the first look, and why."""

    path: str
    line: Count
    words: str


RiskBand: TypeAlias = Literal["low", "moderate", "high", "very high"]
RiskModel: TypeAlias = Literal["prior", "adapted", "own"]


class Risk(Section, frozen=True, kw_only=True):
    """How likely the change is to need repair, and what is hit if it does: two numbers that stay two."""

    probability: Annotated[
        float,
        Meta(
            ge=0, le=1, description="calibrated probability of repair within a year; unknown below 300 matured changes"
        ),
    ] = 0.0
    usual: Annotated[
        float, Meta(ge=0, le=1, description="the same probability of a change as this repository has them")
    ] = 0.0
    percentile: Annotated[float, Meta(ge=0, le=1, description="rank among the earlier changes of this repository")] = (
        0.0
    )
    band: Annotated[RiskBand, Meta(description="the rank in words: low up to .5, moderate .8, high .95")] = "low"
    impact: Annotated[float, Meta(ge=0, le=1, description="how much is hit if it fails")] = 0.0
    impact_band: Annotated[RiskBand, Meta(description="the impact in words")] = "low"
    factors: Annotated[tuple[RiskFactor, ...], Meta(description="what moved the probability, the most first")] = ()
    impact_factors: Annotated[tuple[RiskFactor, ...], Meta(description="what the impact is made of")] = ()
    lines: Annotated[tuple[RiskyLine, ...], Meta(description="the five lines to look at first")] = ()
    model: Annotated[
        RiskModel, Meta(description="prior: no labels of its own; adapted: some hundred; own: thousands")
    ] = "prior"
    model_digest: Annotated[str, Meta(description="SHA-256 of the model that answered")] = ""


class AgentEffect(Struct, frozen=True):
    """How the changes of one tool and model fared here, against human changes of the same size and place.

    An odds ratio above 1 says that they were repaired more often. `low` to `high` is its 95 % interval; where it holds
    1, no difference has been shown.
    """

    tool: str
    model: str
    changes: Count
    odds_ratio: float
    low: float
    high: float


class History(Section, frozen=True, kw_only=True):
    """What became of earlier changes here."""

    changes: Annotated[int, Meta(ge=0, description="earlier changes that were read")] = 0
    since: Annotated[str, Meta(description="the oldest of them, RFC 3339")] = ""
    matured: Annotated[int, Meta(ge=0, description="those old enough that a repair would be known by now")] = 0
    repaired: Annotated[int, Meta(ge=0, description="of those, the ones that had to be repaired")] = 0
    repaired_share: Annotated[float, Meta(ge=0, le=1, description="repaired / matured")] = 0.0
    reverted: Annotated[int, Meta(ge=0, description="earlier changes that were reverted")] = 0
    author_changes: Annotated[int, Meta(ge=0, description="earlier changes by the author of this one")] = 0
    files_repaired: Annotated[
        int, Meta(ge=0, description="files of this change that earlier changes broke in the last 180 days")
    ] = 0
    agents: Annotated[tuple[AgentEffect, ...], Meta(description="how the changes of each agent fared here")] = ()


ReviewEvidence: TypeAlias = Literal["forge-click", "ssh", "sk-ssh", "webauthn"]
"""How the person showed that it was them: their account at the forge, a key in a file, one that hardware keeps."""


class ReviewFact(Struct, frozen=True):
    """One review. `person` is empty when no one in the identity map has the account.

    `commit` is the commit that was reviewed; `tree` its tree, empty when it could not be read. A signed approval has
    no account; its `tree` is the one that merging was to make, `policy` and `facts` are the digests of what it was
    given on, and `expires` is its end. `problem` is why it cannot count whatever the policy says.
    """

    account: str
    person: str
    kind: Literal["human", "bot", "unknown"]
    state: Literal["approved", "changes-requested", "commented", "dismissed"]
    commit: str
    tree: str
    target: str
    policy: str
    at: str
    evidence: ReviewEvidence = "forge-click"
    facts: str = ""
    expires: str = ""
    problem: str = ""


class ReaderFact(Struct, frozen=True):
    """How closely somebody read the change, where a console measured it. `person` is empty when nobody is known by it.

    `lines` are all that people read of it, also those of the `unopened` hunks; `seconds` with them before the person's
    eyes; `understood` are the hunks of which they said that they have read and understand them.
    """

    person: str
    lines: Count
    seconds: Annotated[float, Meta(ge=0)]
    lines_per_hour: Annotated[float, Meta(ge=0)]
    hunks: Count
    unopened: Count
    understood: Count


class ReviewFacts(Section, frozen=True, kw_only=True):
    """Who reviewed the change, as the forge reports it."""

    reviews: Annotated[tuple[ReviewFact, ...], Meta(description="reviews, oldest first")] = ()
    reviews_total: Annotated[int, Meta(ge=0, description="number of reviews")] = 0
    opened_at: Annotated[str, Meta(description="when the change could first be read, RFC 3339")] = ""
    head_at: Annotated[str, Meta(description="when the head could first be read, RFC 3339")] = ""
    merge_tree: Annotated[
        str, Meta(description="tree that merging makes, which signed approvals are bound to; empty: none was given")
    ] = ""
    lines_per_hour: Annotated[
        float,
        Meta(
            ge=0,
            description="slowest pace possible for the latest approval of the head, or as measured; 0: no approval",
        ),
    ] = 0.0
    readers: Annotated[tuple[ReaderFact, ...], Meta(description="who read it how closely, where it was measured")] = ()


def _not_collected(path: str) -> Any:
    return Unknown(path=path, reason="not collected")


class Facts(Struct, frozen=True, kw_only=True):
    """Everything that is known of one change, and everything that is not."""

    schema: Literal["tidegate.facts/1"] = "tidegate.facts/1"
    now: Annotated[str, Meta(description="the moment the question was asked, RFC 3339 in UTC")]
    repository: Repository = field(default_factory=lambda: Repository(unknowns=(_not_collected("repository"),)))
    change: ChangeFacts = field(default_factory=lambda: ChangeFacts(unknowns=(_not_collected("change"),)))
    provenance: ProvenanceFacts = field(
        default_factory=lambda: ProvenanceFacts(unknowns=(_not_collected("provenance"),))
    )
    reach: Reach = field(default_factory=lambda: Reach(unknowns=(_not_collected("reach"),)))
    infra: Infra = field(default_factory=lambda: Infra(unknowns=(_not_collected("infra"),)))
    verification: Verification = field(default_factory=lambda: Verification(unknowns=(_not_collected("verification"),)))
    risk: Risk = field(default_factory=lambda: Risk(unknowns=(_not_collected("risk"),)))
    review: ReviewFacts = field(default_factory=lambda: ReviewFacts(unknowns=(_not_collected("review"),)))
    history: History = field(default_factory=lambda: History(unknowns=(_not_collected("history"),)))


SECTIONS: tuple[str, ...] = tuple(name for name in Facts.__struct_fields__ if name not in ("schema", "now"))
_ALWAYS = ("status", "unknowns", "findings")


def is_known(section: Section, name: str) -> bool:
    """Whether the field `name` of this section holds."""
    if section.status == "unknown":
        return False
    own_paths = (unknown.path.partition(".")[2] for unknown in section.unknowns)
    return not any(path == "" or path == name or path.startswith((f"{name}.", f"{name}[")) for path in own_paths)


def to_document(facts: Facts) -> dict[str, Any]:
    """The facts as plain values, without the fields that do not hold. This is what rules read."""
    document: dict[str, Any] = {"schema": facts.schema, "now": facts.now}
    for name in SECTIONS:
        section: Section = getattr(facts, name)
        kept = (
            *_ALWAYS,
            *(f for f in section.__struct_fields__ if f not in _ALWAYS and is_known(section, f)),
        )
        fields = {f: msgspec.to_builtins(getattr(section, f)) for f in kept}
        document[name] = {**fields, "totals": totals_of(fields)}
    return document


def totals_of(fields: Mapping[str, Any]) -> dict[str, int]:
    """How many elements the lists of each field hold, at any depth: an element that is lost can be noticed."""
    listed = (
        f for f, value in fields.items() if isinstance(value, (list, tuple, dict)) and f not in ("unknowns", "totals")
    )
    return {f: _elements(fields[f]) for f in listed}


def _elements(value: Any) -> int:
    if isinstance(value, (list, tuple)):
        return len(value) + sum(map(_elements, value))
    return sum(map(_elements, value.values())) if isinstance(value, dict) else 0


def to_json(value: object) -> bytes:
    """Canonical JSON: sorted keys, no white space, UTF-8. Same value in, same bytes out."""
    return msgspec.json.encode(value, order="sorted")
