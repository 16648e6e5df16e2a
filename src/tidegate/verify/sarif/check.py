"""The check `scanners`: what scanners found in the lines that the change adds, each thing once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, structs

from tidegate.facts import Finding, Place, Severity, Unknown
from tidegate.verify.places import Places
from tidegate.verify.reports import open_report
from tidegate.verify.sarif.fingerprint import Text, text_of
from tidegate.verify.sarif.log import Result, Run, Spot, read_log
from tidegate.verify.sarif.rules import Rule, cwes_of, families_of, severity_of
from tidegate.verify.sarif.uris import path_of
from tidegate.verify.values import Part, Subject, added_lines

_FIELD = "verification.scanners"
_MOST = 200
_GRAVE: Sequence[Severity] = ("note", "low", "medium", "high", "critical")
_SILENT = frozenset({"pass", "notApplicable", "informational"})
_MESSAGE_LIMIT = 300


class Hit(Struct, frozen=True):
    """One result on an added line. `means` are the weaknesses and families that rules of other tools may share."""

    tool: str
    rule: str
    severity: Severity
    message: str
    place: Place
    means: frozenset[str]
    fingerprint: str
    suppressed: bool = False
    others: tuple[str, ...] = ()


def check(subject: Subject) -> Part:
    """Results of the given logs that the change introduces. Raises InputError for a log that cannot be read."""
    if not subject.sarif:
        return Part({"scanners": ()})
    changed = _Changed(subject)
    runs = [run for path in subject.sarif for run in read_log(open_report(path), changed.by_name, changed.ends)]
    reasons = [f"{run.tool}: {run.trouble}" for run in runs if run.trouble]
    hits: list[Hit] = []
    for run in runs:
        for result in run.results:
            found = changed.hit(run, result)
            if isinstance(found, Hit):
                hits.append(found)
            elif found:
                reasons.append(found)
    findings = tuple(_findings(hits))
    if reasons:
        more = f"; and {len(set(reasons)) - 3} more" if len(set(reasons)) > 3 else ""
        return Part({}, findings, (Unknown(_FIELD, "; ".join(list(dict.fromkeys(reasons))[:3]) + more),))
    return Part({"scanners": tuple(dict.fromkeys(run.tool for run in runs))}, findings)


def once(hits: Sequence[Hit]) -> list[Hit]:
    """The hits, those that say the same of the same line only once: the gravest, which names the others."""
    kept: dict[tuple[str, int], list[Hit]] = {}
    for hit in sorted(hits, key=_order):
        here = kept.setdefault((hit.place.path, hit.place.line), [])
        same = next((at for at, other in enumerate(here) if _same(hit, other)), None)
        if same is None:
            here.append(hit)
        elif (hit.tool, hit.rule) != (here[same].tool, here[same].rule):
            named = dict.fromkeys((*here[same].others, f"{hit.rule} of {hit.tool}"))
            here[same] = structs.replace(here[same], others=tuple(named))
    return sorted((hit for here in kept.values() for hit in here), key=_order)


# Private


class _Changed:
    """The changed files at the head, as results may be about them."""

    def __init__(self, subject: Subject) -> None:
        self._places = Places(subject.trees.after.paths())
        pairs = [(file, pair) for file, pair in subject.changed() if pair.after]
        self._added = {pair.after: added_lines(file) for file, pair in pairs}
        self._new = frozenset(pair.after for _, pair in pairs if not pair.before)
        self._unread = frozenset(pair.after for file, pair in pairs if not file.lines_known)
        after = subject.trees.after.read(self._added)
        before = subject.trees.before.read([pair.before for _, pair in pairs if pair.before])
        self._texts: dict[str, tuple[Text, Text]] = {
            pair.after: (text_of(before.get(pair.before, b"")), text_of(after.get(pair.after, b"")))
            for _, pair in pairs
        }
        by_name: dict[str, frozenset[int]] = {}
        for path, lines in self._added.items():
            name = path.rpartition("/")[2]
            whole = {0} if path in self._new or path in self._unread else set()
            by_name[name] = by_name.get(name, frozenset()) | lines | whole
        self.by_name: Mapping[str, frozenset[int]] = by_name
        ends: dict[str, int] = {}
        for path, (_, text) in self._texts.items():
            name = path.rpartition("/")[2]
            ends[name] = max(ends.get(name, 0), len(text.lines))
        self.ends: Mapping[str, int] = ends

    def hit(self, run: Run, result: Result) -> Hit | str | None:
        """The result on an added line; why it cannot be told; None where the change does not introduce it."""
        if result.kind in _SILENT:
            return None
        for spot in result.spots:
            place = self._place(run, spot)
            if isinstance(place, str):
                return place
            if place is not None:
                return self._hit_at(run, result, place)
        return None

    def _place(self, run: Run, spot: Spot) -> Place | str | None:
        path, reason = path_of(run, spot, self._places)
        if reason:
            several = path.split("\n")
            return reason if any(one in self._added for one in several) else None
        if path not in self._added:
            return None
        if path in self._unread:
            return f"the changed lines of {path} could not be read"
        text = self._texts[path][1]
        first = spot.first or (text.line_at(spot.offset) if spot.offset >= 0 else 0)
        last = max(first, spot.last)
        if first > len(text.lines):
            return (
                f"{run.tool} speaks of line {first} of {path}, which has {len(text.lines)}: scan the head of the change"
            )
        if not first:
            return Place(path) if path in self._new else None
        touched = [line for line in range(first, min(last, len(text.lines)) + 1) if line in self._added[path]]
        return Place(path, touched[0], max(touched[0], min(last, touched[-1]))) if touched else None

    def _hit_at(self, run: Run, result: Result, place: Place) -> Hit | None:
        rule = _rule_of(run, result)
        rule_id = result.rule or (rule.id if rule else "") or "a rule"
        before, after = self._texts[place.path]
        if place.line and after.moved_from(before, place.line, place.end_line):
            return None
        level = _level_of(run, result, rule, rule_id)
        severity = severity_of(level, result.security, rule)
        return Hit(
            tool=run.tool,
            rule=rule_id[:100],
            severity="note" if result.kind in ("open", "review") else severity,
            message=_message_of(result, rule),
            place=place,
            means=(cwes_of(rule) if rule else frozenset()) | families_of(rule_id, rule.name if rule else ""),
            fingerprint=after.fingerprint(f"{run.tool}\0{rule_id}", place),
            suppressed=result.suppressed,
        )


def _rule_of(run: Run, result: Result) -> Rule | None:
    """The rule by its index, else by its id; of an id like CA1000/1 the part before the slash."""
    if result.component < len(run.rules):
        rules = run.rules[result.component]
        if 0 <= result.index < len(rules):
            return rules[result.index]
    wanted = (result.rule, result.rule.rpartition("/")[0])
    named = {rule.id: rule for rules in reversed(run.rules) for rule in rules}
    return next((named[one] for one in wanted if one and one in named), None)


def _level_of(run: Run, result: Result, rule: Rule | None, rule_id: str) -> str:
    """Section 3.27.10 of the specification; a rank stands in where neither result nor rule has a level."""
    if result.level:
        return result.level
    if result.kind != "fail":
        return "none"
    for level in (run.overrides.get(rule_id, ""), rule.level if rule else ""):
        if level in ("none", "note", "warning", "error"):
            return level
    if result.rank >= 0:
        return "error" if result.rank >= 80 else "warning" if result.rank >= 30 else "note"
    return "warning"


def _message_of(result: Result, rule: Rule | None) -> str:
    text = result.message or (rule.messages.get(result.message_id, "") if rule else "")
    for number, argument in enumerate(result.arguments):
        text = text.replace(f"{{{number}}}", argument)
    text = " ".join(text.split()).rstrip(".")
    return text if len(text) <= _MESSAGE_LIMIT else text[:_MESSAGE_LIMIT] + "..."


def _order(hit: Hit) -> tuple[int, str, int, str, str, str]:
    return (-_GRAVE.index(hit.severity), hit.place.path, hit.place.line, hit.tool, hit.rule, hit.message)


def _same(one: Hit, other: Hit) -> bool:
    if one.tool == other.tool:
        return (one.rule, one.message) == (other.rule, other.message)
    return bool(one.means & other.means) or one.rule == other.rule


def _findings(hits: Sequence[Hit]) -> Iterator[Finding]:
    found = once([hit for hit in hits if not hit.suppressed])
    for at, hit in enumerate(found[:_MOST]):
        said = f": {hit.message}" if hit.message else " found something"
        also = f" (also {', '.join(hit.others[:5])})" if hit.others else ""
        more = f" (and {len(found) - _MOST} more results)" if at == _MOST - 1 and len(found) > _MOST else ""
        message = f"{hit.tool} {hit.rule}{said}{also}{more}"
        yield Finding("scanner-finding", hit.severity, message, hit.place, "Mend it, or suppress it with its reason.")
    for tool in sorted({hit.tool for hit in hits if hit.suppressed}):
        silent = [hit for hit in hits if hit.suppressed and hit.tool == tool]
        noun = "result is" if len(silent) == 1 else "results are"
        message = f"{tool}: {len(silent)} {noun} suppressed in lines that the change adds"
        yield Finding("scanner-finding", "note", message, min(silent, key=_order).place, "See that the reason holds.")
