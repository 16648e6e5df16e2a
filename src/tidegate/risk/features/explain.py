"""What moved the probability of one change, in words that stand alone, with the figures of this repository.

Features that say the same (lines, tokens, hunks) are one factor, with the sum of what they moved. The words state what
was counted and what is usual; none calls anything good or bad, and none judges a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tidegate.change.values import Change, show_path
from tidegate.facts import RiskFactor
from tidegate.risk.features.definitions import FEATURES
from tidegate.risk.features.habits import Habits, Rate, folders_above
from tidegate.risk.features.row import Row
from tidegate.risk.values import OUTSIDE

MOST = 6
LEAST = 0.1
"""Log-odds; what moved less than this moved nothing that a reader could see."""
LEAST_ODD = 0.2
"""The same for what a reader can do nothing about, and for what goes against all expectation."""
DIFFERENT = 1.25
"""A count is told of where it is so many times the usual one, or less than one so many-th."""
DIFFERENT_SHARE = 0.05
FEWEST_LINES = 10
"""Added lines below which shares of them are not told of."""
MANY_GENERATED = 0.2
"""Share of such lines among the added ones from which on it is told."""
MOSTLY_NONE = 0.5
"""A usual count below this is told as none: half a person or a tenth of an area is nothing that a reader can see."""
TELLING = 1.25
"""A place is told of where its rate is so many times that of the repository, or less than one so many-th."""


def outside(change: Change, by_bots: bool = False) -> tuple[RiskFactor, ...]:
    """The one factor of a change that is of no kind that models learn from: nothing of the product, or bots' upkeep."""
    files = len(change.files)
    what = f"upkeep by a bot alone ({_counted(files, 'file')})"
    if not by_bots:
        kinds = dict.fromkeys(_OUTSIDE.get(one.kind, "") if one.by_hand else "generated files" for one in change.files)
        names = sorted(name or "build and CI" for name in kinds)
        what = f"nothing but {', '.join(dict.fromkeys(names))} ({_counted(files, 'file')})"
    tail = "such changes are left out of what is learnt, for no repair is traced to them"
    return (RiskFactor(OUTSIDE, f"{what}: {tail}", 0.0),)


def explain(
    row: Row, contributions: Sequence[tuple[str, float]], change: Change, habits: Habits
) -> tuple[RiskFactor, ...]:
    """The factors that moved a score the most, at most six, the strongest first; of equals by name.

    `contributions` are those of the model: feature and log-odds against an ordinary change. A factor whose figures are
    not known is left out.
    """
    known = dict(zip(row.names, row.values, strict=True))
    seen = _Seen({name: value for name, value in known.items() if value == value}, habits, change)
    moved: dict[str, list[tuple[str, float]]] = {}
    for name, weight in contributions:
        if name in _THEMES and name in seen.values:
            moved.setdefault(_THEMES[name], []).append((name, weight))
    found = [_factor(theme, parts, seen) for theme, parts in moved.items()]
    told = [factor for factor in found if factor is not None]
    return tuple(sorted(told, key=lambda one: (-abs(one.weight), one.name))[:MOST])


# Private


class _Seen(NamedTuple):
    """What there is to tell of: the values that are known, what is usual, and the change itself."""

    values: Mapping[str, float]
    habits: Habits
    change: Change

    def of(self, name: str) -> float:
        return self.values.get(name, 0.0)

    def usual(self, name: str) -> float | None:
        return self.habits.usual.get(name)


class _Theme(NamedTuple):
    """Features that are one factor, and its words: `tell` gets the leading feature and the weight ("" for none)."""

    features: tuple[str, ...]
    tell: Callable[[_Seen, str, float], str]


def _factor(theme: str, parts: Sequence[tuple[str, float]], seen: _Seen) -> RiskFactor | None:
    weight = sum(part for _, part in parts)
    if abs(weight) < (LEAST_ODD if theme in ("pace", "message") else LEAST):
        return None
    along = sorted((-abs(part), name) for name, part in parts if part * weight > 0 and _is_telling(seen, name))
    if not along:
        return None
    lead = along[0][1]
    words = _TABLE[theme].tell(seen, lead, weight) or _plain(seen, lead)
    if not words.startswith("touches ") and _is_against(seen, lead, weight):
        if abs(weight) < LEAST_ODD:
            return None
        words += f"; the model takes that as a {'warning' if weight > 0 else 'calming sign'}"
    return RiskFactor(theme, words, round(weight, 4))


def _is_against(seen: _Seen, lead: str, weight: float) -> bool:
    """Whether the model goes against what a reader expects of the figure."""
    usual = seen.usual(lead)
    return usual is not None and _EXPECTED.get(lead, 0) * (seen.of(lead) - usual) * weight < 0


def _is_telling(seen: _Seen, name: str) -> bool:
    """Whether a reader can use the figure: a share of a handful of lines is chance, one of blank lines says nothing,
    and nobody looks for what is not there."""
    if _FEATURES[name].group == "content" and name.endswith("_share"):
        more = seen.of(name) > (seen.usual(name) or 0.0)
        return more and name != "blank_share" and seen.of("la") >= FEWEST_LINES and _differs(seen, name)
    return _differs(seen, name)


def _differs(seen: _Seen, name: str) -> bool:
    """Whether the figure is so far from the usual one that a reader would call it another."""
    usual, value = seen.usual(name), seen.of(name)
    if usual is None:
        return True
    if _FEATURES[name].unit == "share":
        return abs(value - usual) >= DIFFERENT_SHARE
    if value == 0 and usual < MOSTLY_NONE:
        return False
    return _number(value) != _number(usual) and not usual / DIFFERENT < value < usual * DIFFERENT


def _shown(name: str, value: float) -> str:
    return f"{100 * value:.0f} %" if _FEATURES[name].unit == "share" else _number(value)


def _size(seen: _Seen, lead: str, _: float) -> str:
    if lead == "definitions":
        return f"{_counted(seen.of(lead), 'definition')} of functions and types edited{_usual(seen, lead)}"
    if lead == "hunks":
        return f"edits in {_counted(seen.of(lead), 'separate place')}{_usual(seen, lead)}"
    if lead.startswith("tokens_"):
        lines = "la" if lead == "tokens_added" else "ld"
        more, usual = seen.usual(lead), seen.usual(lines)
        if (
            more is not None
            and usual is not None
            and (not _differs(seen, lines) or (seen.of(lead) - more) * (seen.of(lines) - usual) < 0)
        ):
            return f"{_counted(seen.of(lead), 'word')} {lead.removeprefix('tokens_')}; usual here: {_number(more)}"
        lead = lines
    usual = seen.usual(lead)
    tail = f"; the usual change here {'adds' if lead == 'la' else 'deletes'} {_number(usual)}" if usual else ""
    if lead == "ld":
        return f"{_counted(seen.of('ld'), 'line')} deleted, {_number(seen.of('la'))} added{tail}"
    return f"{_counted(seen.of('la'), 'line')} added{_generated(seen)}, {_number(seen.of('ld'))} deleted{tail}"


def _generated(seen: _Seen) -> str:
    """How many of the added lines are no code, where a reader would else look for it in vain."""
    files = seen.change.files
    lines = sum(file.added for file in files if not file.by_hand or file.kind in ("data", "docs"))
    return (
        f" ({lines:,} of them generated, data or documents)" if lines >= MANY_GENERATED * max(seen.of("la"), 1) else ""
    )


def _content(seen: _Seen, lead: str, _: float) -> str:
    if lead != "depth":
        return ""
    usual = seen.usual("depth")
    tail = f"; usual here: {_number(usual * _COLUMNS)}" if usual is not None else ""
    return f"the deepest added line is indented by {_counted(seen.of('depth') * _COLUMNS, 'column')}{tail}"


def _spread(seen: _Seen, lead: str, _: float) -> str:
    files, new = seen.of("nf"), round(seen.of("new_share") * seen.of("nf"))
    if lead == "new_share":
        if files == 1:
            return "the 1 file is new" if new else "the 1 file is not new"
        return f"{_number(new) if new else 'none'} of the {_number(files)} files {'is' if new == 1 else 'are'} new"
    if lead == "ent" and files > 1:
        return _most_changed(seen, files)
    if lead in ("ns", "nd"):
        noun = "subsystem" if lead == "ns" else "folder"
        usual = seen.usual(lead)
        tail = f"; usual here: {_counted(usual, noun)}" if usual is not None else ""
        return f"{_counted(files, 'file')} in {_counted(seen.of(lead), noun)}{tail}"
    if lead not in ("nf", "ent"):
        return ""
    usual = seen.usual("nf")
    tail = f"; the usual change here touches {_number(usual)}" if usual is not None else ""
    wide, noun = (seen.of("ns"), "subsystem") if seen.of("ns") > 1 else (seen.of("nd"), "folder")
    return f"{_counted(files, 'file')} in {_counted(wide, noun)}{tail}"


def _most_changed(seen: _Seen, files: float) -> str:
    sizes = [file.added + file.deleted for file in seen.change.files]
    share = max(sizes, default=0) / max(sum(sizes), 1)
    return f"changed lines in {_number(files)} files, at most {100 * share:.0f} % of them in one"


def _files(seen: _Seen, lead: str, weight: float) -> str:
    """The rate of the place where it points the same way as the model, else what the model went by."""
    if place := _place(seen, weight):
        return place
    files = _these(seen)
    if lead == "fixes_180":
        return f"{files} had {_counted(seen.of('fixes_180'), 'fix', 'fixes')} in the last 180 days{_usual(seen, lead)}"
    if lead == "ndev":
        return f"{files} had changes by {_counted(seen.of('ndev'), 'person', 'people')} before{_usual(seen, lead)}"
    if lead == "nuc":
        by = f" by {_counted(seen.of('ndev'), 'person', 'people')}" if seen.of("nuc") else ""
        usual = seen.usual("nuc")
        tail = f"; usual here: {_number(usual)}" if usual is not None else ""
        return f"{files} had {_counted(seen.of('nuc'), 'earlier change')}{by}{tail}"
    if lead == "age" and seen.of("nuc"):
        return f"{files} last changed {_counted(seen.of('age'), 'day')} ago{_on_average(seen)}{_usual(seen, 'age')}"
    if lead == "lt":
        return f"{files} had {_counted(seen.of('lt'), 'line')} before{_on_average(seen)}{_usual(seen, 'lt')}"
    return ""


def _place(seen: _Seen, weight: float) -> str:
    whole = seen.habits.whole
    lines: Counter[str] = Counter()
    for file in seen.change.files:
        folder = next((one for one in folders_above(show_path(file.path)) if one in seen.habits.folders), "")
        lines[folder] += file.added + file.deleted + 1
    if not lines or not whole.repaired:
        return ""
    folder = min(lines, key=lambda one: (-lines[one], one))
    rate = seen.habits.folders.get(folder)
    if rate is None or (rate.share - whole.share) * weight <= 0:
        return ""
    if TELLING > rate.share / whole.share > 1 / TELLING:
        return ""
    return f"touches {folder}, where {_rate(rate)}; in the whole repository {_short(whole)}"


def _experience(seen: _Seen, lead: str, _: float) -> str:
    old = round(seen.of("nf") * (1 - seen.of("new_share")))
    familiar = round(seen.of("familiar_share") * old)
    before = seen.of("sexp") if lead == "sexp" else seen.of("exp")
    where = "in these subsystems" if lead == "sexp" else "in this repository"
    done = f"{_counted(before, 'earlier change')} by the author {where}"
    if lead in ("exp", "sexp") and (usual := seen.usual(lead)) is not None:
        done += f" (usual here: {_number(usual)})"
    if not old or not seen.of("nuc"):
        return done
    if old == 1:
        return f"{done}, {'some' if familiar else 'none'} of them to this file"
    share = "all" if familiar == old else _number(familiar) + " of the" if familiar else "none of the"
    return f"{done}; {share} {_number(old)} files changed by them before"


def _others(seen: _Seen, _lead: str, _: float) -> str:
    week, day = seen.of("others_week"), seen.of("others_day")
    tail = f", {_number(day)} of them in the last 24 hours" if day else ""
    if not week:
        return f"{_these(seen)} had changes by 0 other people in the last 7 days"
    return f"{_these(seen)} had changes by {_counted(week, 'other person', 'other people')} in the last 7 days{tail}"


def _pace(seen: _Seen, lead: str, _: float) -> str:
    if lead == "pace":
        return f"{_counted(seen.of('pace'), 'line')} an hour since the author's change before{_usual(seen, 'pace')}"
    hours, name = ("hour", "burst_hour") if lead == "burst_hour" else ("24 hours", "burst_day")
    return f"{_counted(seen.of(name), 'change')} by the author in the {hours} before{_usual(seen, name)}"


def _tests(seen: _Seen, _lead: str, _: float) -> str:
    source = sum(file.kind == "source" and file.by_hand for file in seen.change.files)
    usual = seen.usual("test_share")
    tail = f"; usual here: {100 * usual:.0f} %" if usual is not None else ""
    if not seen.of("test_files"):
        beside = f" beside {_counted(source, 'file')} of source" if source else ""
        return f"0 tests changed{beside}" + (f"; usual here: {100 * usual:.0f} % of the added lines" if usual else "")
    share = f"{100 * seen.of('test_share'):.0f} % of the lines added to source and tests"
    return f"{_counted(seen.of('test_files'), 'test file')} changed, with {share}{tail}"


def _agent(seen: _Seen, _lead: str, _: float) -> str:
    commits = max(sum(len(commit.parents) < 2 for commit in seen.change.commits), 1)
    declared = round(seen.of("ai") * commits)
    usual = seen.usual("ai")
    tail = f"; of all commits here {100 * usual:.0f} % do" if usual is not None else ""
    if commits > 1:
        return f"{_number(declared)} of {_counted(commits, 'commit')} declare an agent{tail}"
    return f"{'declares an' if declared else 'declares no'} agent{tail or f' ({declared} of 1 commit)'}"


def _purpose(seen: _Seen, lead: str, _: float) -> str:
    if lead == "fix":
        fixes = seen.habits.fixes
        tail = f"; of fixes here {_rate(fixes)}" if fixes.changes else ""
        return (
            f"calls itself a fix or a revert{tail}" if seen.of("fix") else f"calls itself neither fix nor revert{tail}"
        )
    return f"a message of {_counted(seen.of('message_words'), 'word')}{_usual(seen, 'message_words')}"


def _plain(seen: _Seen, name: str) -> str:
    feature = _FEATURES[name]
    value, usual = seen.of(name), seen.usual(name)
    of = " of the added lines" if feature.group == "content" else ""
    if feature.unit == "share":
        tail = f"; usual here: {_shown(name, usual)}" if usual is not None else ""
        return f"{feature.words}: {_shown(name, value)}{of}{tail}"
    return f"{feature.words}: {_number(value)}{_usual(seen, name)}"


def _surface(seen: _Seen, _lead: str, _: float) -> str:
    areas, critical = seen.of("domains"), seen.of("critical")
    hits = (hit for file in seen.change.files for hit in file.domains if not hit.line)
    names = sorted({hit.domain for hit in hits})[:3]
    listed = f" ({', '.join(names)})" if names else ""
    tail = f", {_counted(critical, 'file')} in critical ones" if critical else ""
    return f"paths of {_counted(areas, 'sensitive area')}{listed}{tail}{_usual(seen, 'domains')}"


def _these(seen: _Seen) -> str:
    files = seen.of("nf")
    return "this file" if files == 1 else f"these {_number(files)} files"


def _on_average(seen: _Seen) -> str:
    return " on average" if seen.of("nf") > 1 else ""


def _usual(seen: _Seen, name: str) -> str:
    usual = seen.usual(name)
    if usual is not None and usual < MOSTLY_NONE and name != "age":
        return "; usual here: none"
    return f"; usual here: {_number(usual)}" if usual is not None else ""


def _rate(rate: Rate) -> str:
    if not rate.repaired:
        return f"none of {_counted(rate.changes, 'change')} was repaired"
    return f"{_short(rate)} was repaired ({rate.repaired:,} of {rate.changes:,})"


def _short(rate: Rate) -> str:
    """`1 change in 6`; a rate above two in three is said per ten."""
    if rate.share > 2 / 3:
        return f"{round(rate.share * 10)} changes in 10"
    return f"1 change in {round(1 / rate.share)}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") if 0 < value < 10 else f"{value:,.0f}"


def _counted(value: float, noun: str, plural: str = "") -> str:
    return f"{_number(value)} {noun if _number(value) == '1' else plural or noun + 's'}"


_TABLE: dict[str, _Theme] = {
    "size": _Theme(("la", "ld", "tokens_added", "tokens_deleted", "hunks", "definitions"), _size),
    "spread": _Theme(("ns", "nd", "nf", "ent", "new_share"), _spread),
    "files": _Theme(("nuc", "ndev", "lt", "age", "fixes_180"), _files),
    "experience": _Theme(("exp", "rexp", "sexp", "familiar_share"), _experience),
    "others": _Theme(("others_day", "others_week"), _others),
    "pace": _Theme(("burst_hour", "burst_day", "pace"), _pace),
    "content": _Theme(
        (
            *("comment_share", "blank_share", "import_share", "condition_share", "literal_share", "moved_share"),
            "depth",
        ),
        _content,
    ),
    "tests": _Theme(("test_files", "test_share"), _tests),
    "agent": _Theme(("ai",), _agent),
    "purpose": _Theme(("fix",), _purpose),
    "message": _Theme(("message_length", "message_words"), _purpose),
    "surface": _Theme(("domains", "critical"), _surface),
}
_THEMES = {name: theme for theme, one in _TABLE.items() for name in one.features}
_FEATURES = {feature.name: feature for feature in FEATURES}
_OUTSIDE = {"docs": "documents", "test": "tests"}
_COLUMNS = 4
_EXPECTED = dict.fromkeys(
    ("la", "ld", "tokens_added", "tokens_deleted", "hunks", "ns", "nd", "nf", "fixes_180", "domains", "critical"), 1
) | dict.fromkeys(("exp", "rexp", "sexp", "familiar_share", "test_share", "test_files"), -1)
"""Which way a reader expects more of something to move a risk; what is not here may go either way."""
