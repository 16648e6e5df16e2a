"""Writes the sections `risk` and `history` of the facts."""

from __future__ import annotations

import math
import posixpath
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from tidegate.change.git import Repository
from tidegate.change.values import Change, Context, show_path
from tidegate.errors import GitError, InputError
from tidegate.facts import (
    ChangeFacts,
    History,
    Infra,
    ProvenanceFacts,
    Reach,
    Risk,
    RiskBand,
    RiskFactor,
    Unknown,
    is_known,
)
from tidegate.risk.impact import Impact, impact_of
from tidegate.risk.values import RECENT_SECONDS, REPAIRED

if TYPE_CHECKING:
    from tidegate.risk.features.row import Row
    from tidegate.risk.history.mine import Mined
    from tidegate.risk.knowledge import Figures, Knowledge
    from tidegate.risk.values import PathTouch
    from tidegate.settings import Settings

LEAST_RANKED = 30
"""Earlier changes below which a rank among them says nothing."""
LEAST_LABELS = 300
"""Matured changes that a calibration needs before a probability is said; below it only a rank and a band."""

BANDS: tuple[tuple[float, RiskBand], ...] = ((0.95, "very high"), (0.8, "high"), (0.5, "moderate"), (0.0, "low"))
"""Ranks among the earlier changes: one in twenty is very high, three in twenty are high."""

FEW_UNCOUNTED = 0.05
"""Share of the commits whose lines may be lost without a score becoming unknown: sums over thousands hardly feel it."""

_WAY_OUT = "the change that brings it is judged with --config FILE, without risk.model"
_PROBABILITY = ("probability", "usual")
_SCORE = (*_PROBABILITY, "percentile", "band", "factors", "lines", "model", "model_digest")


class Read(NamedTuple):
    """What other collectors wrote of this change."""

    change: ChangeFacts
    provenance: ProvenanceFacts
    reach: Reach
    infra: Infra


def collect(change: Change, context: Context, read: Read) -> tuple[Risk, History]:
    """How likely the change is to need repair, what is hit if it does, and what became of earlier changes here.

    History is read as it stood at the base of the change. What could not be read leaves the probability unknown.
    """
    impact = impact_of(read.change, read.reach, read.infra)
    if read.change.status == "unknown" or not is_known(read.change, "files"):
        return _without_history(impact, "what changed could not be read")
    try:
        return _judged(change, context, read, impact)
    except GitError as error:
        return _without_history(impact, str(error))


def band_of(percentile: float) -> RiskBand:
    """The rank in words."""
    return next(name for least, name in BANDS if percentile >= least)


# Private


class _Past(NamedTuple):
    """The history that a change is judged by, and what was learnt from it."""

    mined: Mined
    knowledge: Knowledge
    row: Row
    touches: Mapping[str, tuple[PathTouch, ...]]
    outside: tuple[RiskFactor, ...]


def _judged(change: Change, context: Context, read: Read, impact: Impact) -> tuple[Risk, History]:
    # Imported here: where nothing was learnt, a check must not pay for what scores.
    from tidegate.risk.features.single import features_of
    from tidegate.risk.history.mine import open_history, store_folder

    repository, settings = context.repository, context.settings
    if repository is None:
        return _without_history(impact, "there is no repository to read the history of")
    if change.kind == "diff":
        return _without_history(impact, "a diff does not say which history it is based on")
    knowledge = _knowledge(change, context, repository)
    if knowledge is None:
        return _without_history(impact, "nothing learnt here yet (tidegate risk train)")
    with open_history(repository, change.base, store_folder(repository)) as mined:
        row = features_of(_until_now(change, context.now), read.change, read.provenance, mined, settings, repository)
        names = sorted({show_path(file.old_path) for file in change.files})
        past = _Past(mined, knowledge, row, mined.touching(names), _outside(change, row, settings))
        return _risk(impact, _scored(change, past)), _history(past)


def _outside(change: Change, row: Row, settings: Settings) -> tuple[RiskFactor, ...]:
    """The factor that says so where a change is of a kind that is left out of what models learn from, else nothing.

    The code that a bot writes is rated like any other, and so is what declares an agent: only a bot's upkeep of
    versions is nothing that anybody repairs.
    """
    from tidegate.change.people import People
    from tidegate.risk.features.explain import outside
    from tidegate.risk.labels.fixes import paths_beside

    paths = {show_path(file.path) for file in change.files}
    if paths and paths == paths_beside(paths, settings):
        return outside(change)
    people, commits = People(settings), [commit for commit in change.commits if len(commit.parents) < 2]
    by_bots = row.of("ai") == 0 and bool(commits) and all(people.is_bot(commit.author) for commit in commits)
    if by_bots and not any(file.kind == "source" and file.by_hand for file in change.files):
        return outside(change, by_bots=True)
    return ()


def _until_now(change: Change, now: str) -> Change:
    """A commit that is dated later than now was not committed later: a date in the future would hide what is recent."""
    if all(commit.committed_at <= now for commit in change.commits):
        return change
    commits = (replace(commit, committed_at=min(commit.committed_at, now)) for commit in change.commits)
    return replace(change, commits=tuple(commits))


def _knowledge(change: Change, context: Context, repository: Repository) -> Knowledge | None:
    """What was learnt: from the file that the settings name, as it stands at the base, else what this clone keeps."""
    from tidegate.risk.knowledge import LIMIT_BYTES, decode, read_for_scores

    path = context.settings.risk.model
    if not path:
        return read_for_scores(repository)
    where = f"risk.model = {path}"
    name = posixpath.normpath(path)
    if name.startswith(("/", "../")) or not name.isprintable() or name in (".", ".."):
        raise InputError("this names no file of the repository", where=where, mend="write a path from its top")
    if not change.base:
        raise InputError("there is no commit yet to read it from", where=where, mend=f"commit it first; {_WAY_OUT}")
    (blob,) = repository.read_blobs([f"{change.base}:{name}"], limit=LIMIT_BYTES)
    if blob.kind != "blob":
        what = "it is too large" if blob.kind == "too-large" else f"there is no such file at the base ({blob.kind})"
        raise InputError(what, where=where, mend=f"commit what risk train -o writes; {_WAY_OUT}")
    try:
        return decode(blob.content, where)
    except InputError as error:
        raise InputError(error.what, where=where, mend=f"{error.mend}; {_WAY_OUT}") from error


def _scored(change: Change, past: _Past) -> Risk:
    from tidegate.risk.features.explain import explain
    from tidegate.risk.features.lines import FEW_AUTHORS, risky_lines

    knowledge, model = past.knowledge, past.knowledge.model
    score = model.score(past.row.names, past.row.values)
    authors = {path: len({touch.author for touch in touches}) for path, touches in past.touches.items()}
    if knowledge.habits.usual.get("ndev", 0.0) <= FEW_AUTHORS:
        authors = {}  # where one person alone is the rule, it is no reason to look
    unknowns = [Unknown(f"risk.{name}", reason) for reason in _gaps(past) for name in _SCORE]
    said = score.probability if knowledge.figures.matured >= LEAST_LABELS else None
    if said is None:
        unknowns += [Unknown(f"risk.{name}", _too_few(knowledge.figures)) for name in _PROBABILITY]
    if len(knowledge.model.ranks) == 0 or knowledge.figures.changes < LEAST_RANKED:
        few = f"only {knowledge.figures.changes} earlier changes to rank it among"
        unknowns += [Unknown(f"risk.{name}", few) for name in ("percentile", "band")]
    return Risk(
        unknowns=tuple(unknowns),
        probability=round(said or 0.0, 4),
        usual=round(model.usual, 4),
        percentile=round(score.percentile, 4),
        band=band_of(score.percentile),
        factors=past.outside or explain(past.row, score.contributions, change, knowledge.habits),
        lines=risky_lines(change, knowledge.words, authors),
        model=model.kind,
        model_digest=model.digest,
    )


def _gaps(past: _Past) -> list[str]:
    """What is missing of the history that a score is made of; nothing where so little is that no figure would move."""
    uncounted, changes = past.mined.uncounted, past.knowledge.figures.changes
    if uncounted is not None and uncounted <= FEW_UNCOUNTED * changes:
        return []
    return [unknown.reason for unknown in past.mined.unknowns]


def _too_few(figures: Figures) -> str:
    if figures.matured >= LEAST_LABELS:
        return f"too few of the {figures.matured} matured changes were repaired, or not, to say a probability"
    return f"{figures.matured} earlier changes have matured here, and a probability needs {LEAST_LABELS}"


def _history(past: _Past) -> History:
    figures, row = past.knowledge.figures, past.row
    # Lines that cannot be read hide at most a repair that would have been traced to them.
    path = "history" if _gaps(past) else "history.repaired"
    unknowns = [Unknown(path, unknown.reason) for unknown in past.mined.unknowns]
    mine = row.of("exp")
    if not math.isfinite(mine):
        unknowns.append(Unknown("history.author_changes", "nobody has committed this change yet"))
    return History(
        status="partial" if unknowns else "complete",
        unknowns=tuple(unknowns),
        changes=figures.changes,
        since=_moment(figures.since) if figures.changes else "",
        matured=figures.matured,
        repaired=figures.repaired,
        repaired_share=round(figures.repaired / figures.matured, 4) if figures.matured else 0.0,
        reverted=figures.reverted,
        author_changes=int(mine) if math.isfinite(mine) else 0,
        files_repaired=_files_repaired(past),
        agents=past.knowledge.agents,
    )


def _files_repaired(past: _Past) -> int:
    """Files of the change that had a change in their past of which a repair became known in the last 180 days."""
    since = past.knowledge.at - RECENT_SECONDS
    lately = {
        label.commit for label in past.knowledge.labels if label.known_at > since and label.confidence >= REPAIRED
    }
    return sum(any(touch.oid in lately for touch in touches) for touches in past.touches.values())


def _without_history(impact: Impact, reason: str) -> tuple[Risk, History]:
    unknowns = [Unknown(f"risk.{name}", reason) for name in _SCORE]
    return (
        _risk(impact, Risk(unknowns=tuple(unknowns))),
        History(status="unknown", unknowns=(Unknown("history", reason),)),
    )


def _risk(impact: Impact, risk: Risk) -> Risk:
    unknowns = (*risk.unknowns, *impact.unknowns)
    return replace(
        risk,
        status="partial" if unknowns else "complete",
        unknowns=unknowns,
        impact=impact.value,
        impact_band=impact.band,
        impact_factors=impact.factors,
    )


def _moment(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return ""
