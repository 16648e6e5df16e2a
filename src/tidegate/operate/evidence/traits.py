"""What a change does, in a few traits with log-odds: how much more often such changes cause an incident than others.

The weights are rough on purpose: whole and half steps of log-odds (one is a factor of 2.7), set from what the traits
mean and the same for every project. The sum is bounded, so that no diff convicts or clears by its looks alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from msgspec import Struct

from tidegate.operate.evidence.diffs import (
    Delta,
    DiffText,
    compare,
    has_loop_in_loop,
    has_loop_with_call,
    is_sorted_anew,
    read_diff,
)

LEAST, MOST = -4.0, 2.5
SETTING = 0.8
LONGEST = 50_000
MOST_CALLS = 20
MOST_NUMBER = 1.5
FINE_TUNING = -0.5
LEAST_MOVED, MOST_MOVED = 4, 60

_PROSE = re.compile(
    r"(?:^|/)(?:docs?|documentation|licen[cs]es?)/|\.(?:md|rst|adoc|txt)$|(?:^|/)(?:CODEOWNERS|LICENSE)"
)
_TESTS = re.compile(
    r"(?:^|/)(?:tests?|testdata|__tests__|spec|fixtures)/|[_.-](?:test|spec|fuzz_test)\.\w+$|(?:^|/)test_[^/]+$"
)
_BUILD = re.compile(
    r"^\.github/|^\.circleci/|^\.gitlab|(?:^|/)(?:Jenkinsfile|Makefile|\.golangci\.yml|\.pre-commit|\.editorconfig)"
)
_LOOKS = re.compile(r"\.(?:css|scss|less|svg|png|jpe?g|gif|ico|woff2?)$|(?:^|/)(?:templates?|static|assets)/")
_MANIFEST = re.compile(
    r"(?:^|/)(?:go\.(?:mod|sum)|package(?:-lock)?\.json|yarn\.lock|pnpm-lock\.yaml|Cargo\.(?:toml|lock)|Gemfile(?:\.lock)?|"
    r"poetry\.lock|uv\.lock|requirements[^/]*\.txt|pom\.xml|build\.gradle(?:\.kts)?)$"
)
_CONFIG = re.compile(
    r"\.(?:ya?ml|toml|ini|cfg|conf|properties|env|json|tf|tfvars|hcl)$|(?:^|/)(?:config|charts|deploy)/"
)
_TELEMETRY = re.compile(
    r"\b(?:log|logger|logging|slog|console|LOG_\w+|prometheus|span|tracer|metrics?|statsd|otel|attribute)\b[.(]|"
    r"\bLOG_\w+\(|(?:Counter|Histogram|Gauge)|request_id|trace_id|Request-Id"
)
_LOOK = re.compile(r"#[0-9a-fA-F]{3,8}\b|\d(?:px|rem|em)\b|className=|style=|\b(?:padding|margin|radius|color|font)\b")
_QUERY_BOUND = re.compile(
    r"\b(?:limit|where|having|on conflict|distinct|index|for update|fetch first|top)\b", re.IGNORECASE
)
_QUERY = re.compile(
    r"\b(?:select|insert into|update|delete from|join)\b.*\b(?:from|set|values|where|on)?\b", re.IGNORECASE
)
_CLEANUP = re.compile(
    r"(?:close|unlock|release|cancel|rollback|commit|dispose|finally|defer|flush|free|regist|init|seed|valid|check|verif|"
    r"auth|escap|sanit|limit|invalidat|expire|retry|backoff|await|wait|migrate|subscribe|ack|timeout|deadline|throttl|batch|"
    r"lru|evict|pool)",
    re.IGNORECASE,
)
_LOCK = re.compile(r"lock\(|mutex|synchronized|\batomic|semaphore|transaction\(", re.IGNORECASE)
_ALONGSIDE = re.compile(
    r"\bgo func\b|Promise\.all|asyncio\.(?:gather|create_task)|new Thread|threading\.Thread|\.submit\("
)
_WAIT = re.compile(r"\b(?:sleep|usleep|nanosleep|setTimeout|Delay|delay)\s*\(|\btime\.After\(", re.IGNORECASE)
_OPEN = re.compile(r"\b(?:os\.Open|open|fopen|socket|Dial|NewClient|createConnection|connect|NewReader|subscribe)\s*\(")
_CLOSE = re.compile(r"close|release|defer|with\b|finally|using\b|unsubscribe|dispose", re.IGNORECASE)
_OPERATOR = re.compile(r"<=|>=|==|!=|&&|\|\||<|>|!|(?<=\s)[-+*/%](?=\s)")
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")
_SETTING = re.compile(r"^[\"']?([\w.-]+)[\"']?\s*[:=]\s*(.+?),?$")
_STATUS = re.compile(r"http|status|error|code", re.IGNORECASE)


class Trait(Struct, frozen=True):
    """One thing that a change does: log-odds and words for it."""

    weight: float
    says: str


def find_traits(files: Sequence[str], text: str | None, kind: str = "commit") -> tuple[Trait, ...]:
    """What a change of these files with this diff does. None as a diff is one that nobody could show."""
    diff = read_diff(text or "")
    return traits_of(files, diff, compare(diff), kind)


def traits_of(files: Sequence[str], diff: DiffText, delta: Delta, kind: str = "commit") -> tuple[Trait, ...]:
    """The same of a diff that was read before, with what it changes."""
    if files and (inert := _inert(files)) is not None:
        return (inert,)
    if kind == "flag":
        return (Trait(-1.0, "a switch was turned; what it does is not known"),)
    if not diff.read:
        return (Trait(-0.5, "its diff is not known"),)
    if files and all(_MANIFEST.search(path) for path in files):
        return (_bump(diff),)
    if plain := _harmless(diff):
        return (plain,)
    return tuple(_risky(files, diff, delta)) or (Trait(-0.3, "nothing in its diff stands out"),)


def weigh(traits: Sequence[Trait]) -> float:
    """The log-odds of traits together, within bounds."""
    return max(LEAST, min(MOST, math.fsum(trait.weight for trait in traits)))


# Private


def _inert(files: Sequence[str]) -> Trait | None:
    for pattern, weight, what in (
        (_TESTS, -4.0, "changes tests only"),
        (_PROSE, -4.0, "changes documents only"),
        (_BUILD, -3.5, "changes the build only"),
        (_LOOKS, -3.0, "changes looks only"),
    ):
        if all(pattern.search(path) for path in files):
            return Trait(weight, what)
    return None


def _bump(diff: DiffText) -> Trait:
    old = [_VERSION.search(line) for line in diff.removed]
    new = [_VERSION.search(line) for line in diff.added]
    pairs = [(a.groups(), b.groups()) for a, b in zip(old, new, strict=False) if a and b]
    if pairs and all(a[:2] == b[:2] for a, b in pairs):
        return Trait(-2.0, "raises patch versions only")
    if pairs and all(a[0] == b[0] for a, b in pairs):
        return Trait(-1.0, "raises minor versions only")
    return Trait(0.3, "changes a dependency to another major version" if pairs else "changes dependencies")


def _harmless(diff: DiffText) -> Trait | None:
    lines = [*diff.removed, *diff.added]
    if not lines:
        return Trait(-3.5, "changes comments only")
    if is_sorted_anew(diff) and not any("(" in line and not line.startswith("import") for line in lines):
        return Trait(-3.5, "changes order or spacing only")
    if _in_order(diff):
        return Trait(-3.5, "changes spacing only")
    if all(_LOOK.search(line) for line in lines):
        return Trait(-3.0, "changes looks only")
    if all(_TELEMETRY.search(line) for line in diff.removed) and _mostly_telemetry(diff.added):
        return Trait(-2.0, "changes logs, metrics or traces only")
    return None


def _mostly_telemetry(lines: Sequence[str]) -> bool:
    told = sum(
        bool(_TELEMETRY.search(line)) or line[:1] in "\"')}" or bool(re.match(r"\w+:\s", line)) for line in lines
    )
    return told >= 0.6 * len(lines) and any(_TELEMETRY.search(line) for line in lines)


def _risky(files: Sequence[str], diff: DiffText, delta: Delta) -> Iterator[Trait]:
    settings = list(_settings(diff)) if files and all(_CONFIG.search(path) for path in files) else []
    risks = [
        *(settings or _numbers(diff, delta)),
        *_taken_away(diff, delta),
        *_queries(diff),
        *([] if settings else [*_names(delta)] or _swapped(diff)),
        *_operators(diff),
    ]
    if any(_LOCK.search(line) for line in (*diff.removed, *diff.added)):
        risks.append(Trait(1.0, "changes where a lock is held"))
    if _ALONGSIDE.search(" ".join(diff.added)[:LONGEST]) and not _ALONGSIDE.search(" ".join(diff.removed)[:LONGEST]):
        risks.append(Trait(0.8, "starts work of its own beside the caller"))
    if _WAIT.search(" ".join(diff.added)[:LONGEST]) and not _WAIT.search(" ".join(diff.removed)[:LONGEST]):
        risks.append(Trait(1.2, "waits on purpose"))
    if has_loop_in_loop(diff):
        risks.append(Trait(0.8, "does more than one pass for every item"))
    if _opens(diff):
        risks.append(Trait(0.6, "opens something and closes nothing"))
    if has_loop_with_call(diff):
        risks.append(Trait(1.2, "calls another part inside a loop"))
    yield from risks
    if any(risk.weight >= 0.5 for risk in risks):
        return
    if (moves := _moves(diff, delta)) is not None:
        yield moves
    elif delta.guards > 0 and not delta.calls_removed and _only_checks(diff):
        yield Trait(-1.0, "adds a check")
    elif delta.guards >= 0 and _all_strings(delta):
        yield Trait(-1.5, "changes the wording of a text only")


def _moves(diff: DiffText, delta: Delta) -> Trait | None:
    """Whether most of both sides is the same. One line is an edit; in a large diff the same words come by chance."""
    size = len(diff.removed) + len(diff.added)
    if not (diff.removed and diff.added) or size < LEAST_MOVED:
        return None
    if size <= MOST_MOVED and delta.kept >= 0.6 and delta.moved >= 0.4:
        return Trait(-2.0, "moves code without changing it")
    return Trait(-1.0, "moves code and changes little of it") if delta.moved >= 0.8 else None


def _settings(diff: DiffText) -> Iterator[Trait]:
    old = {found[1]: found[2] for line in diff.removed if (found := _SETTING.match(line))}
    new = {found[1]: found[2] for line in diff.added if (found := _SETTING.match(line))}
    for key in sorted(old.keys() & new.keys()):
        if old[key] != new[key]:
            weight = SETTING if (far := _far(old[key], new[key])) is None else _weigh_number(far, 0.3)
            yield Trait(weight, f"sets {key} from {old[key][:40]} to {new[key][:40]}")
    for key in sorted(old.keys() - new.keys())[:3]:
        yield Trait(0.5, f"takes the setting {key} away")


def _numbers(diff: DiffText, delta: Delta) -> Iterator[Trait]:
    tells_status = all(_STATUS.search(line) for line in diff.removed if re.search(r"\b[1-5]\d\d\b", line))
    old = [n for n in delta.numbers_removed if not (tells_status and 100 <= n < 600 and n == int(n))]
    new = list(delta.numbers_added)
    if old and new:
        pairs = [(a, b) for a, b in zip(old, new, strict=False) if a > 0 and b > 0]
        far = max((abs(math.log2(b / a)) for a, b in pairs), default=2.0)
        yield Trait(_weigh_number(far), f"changes a number from {old[0]:g} to {new[0]:g}")
    elif old and max(old) > 1:
        yield Trait(0.5, f"takes the number {max(old):g} away")


def _far(old: str, new: str) -> float | None:
    """How many doublings lie between two numbers, None where they are none."""
    found = [re.match(r"[\"']?(\d+(?:\.\d+)?)(\w*)", text) for text in (old, new)]
    if not (found[0] and found[1]):
        return None
    a, b = float(found[0][1]), float(found[1][1])
    return 2.0 if found[0][2] != found[1][2] or a <= 0 or b <= 0 else abs(math.log2(b / a))


def _weigh_number(doublings: float, least: float = 0.0) -> float:
    """More, the further a number moves; by less than a third it is fine tuning, which seldom breaks anything."""
    return FINE_TUNING if doublings < 0.4 else min(MOST_NUMBER, least + 0.4 * doublings)


def _taken_away(diff: DiffText, delta: Delta) -> Iterator[Trait]:
    if delta.guards < 0 and not delta.calls_added:
        yield Trait(1.5, "takes a check away")
    lost = [name for name in delta.calls_removed[:MOST_CALLS] if not _replaced(name, delta.calls_added)]
    if lost and not delta.calls_added:
        yield Trait(1.5, f"takes the call of {lost[0]} away")
    elif telling := [name for name in lost if _CLEANUP.search(name)]:
        yield Trait(0.7, f"no longer calls {telling[0]}")
    elif lost and delta.calls_added and len(lost) <= 2 and delta.kept < 0.6:
        yield Trait(0.3, f"calls {delta.calls_added[0]} instead of {lost[0]}")
    if diff.removed and not diff.added and not lost:
        yield Trait(0.7, "takes lines away and puts nothing in their place")


def _replaced(name: str, names: Sequence[str]) -> bool:
    likenesses = (SequenceMatcher(None, name.lower(), other.lower()) for other in names[:MOST_CALLS])
    return any(one.real_quick_ratio() > 0.6 and one.quick_ratio() > 0.6 and one.ratio() > 0.6 for one in likenesses)


def _queries(diff: DiffText) -> Iterator[Trait]:
    before, after = " ".join(diff.removed)[:LONGEST], " ".join(diff.added)[:LONGEST]
    asked = _QUERY.search(before) or _QUERY.search(after)
    if asked:
        bounds = {word.lower() for word in _QUERY_BOUND.findall(before)} - {
            w.lower() for w in _QUERY_BOUND.findall(after)
        }
        if bounds and _QUERY.search(after):
            yield Trait(1.5, f"takes {min(bounds).upper()} out of a query")
        elif _QUERY.search(after) and not _QUERY.search(before):
            yield Trait(0.6, "adds a query")


def _names(delta: Delta) -> Iterator[Trait]:
    old, new = delta.strings_removed, delta.strings_added
    if (
        len(old) == len(new) == 1
        and re.fullmatch(r"[\w./:-]{1,60}", old[0])
        and re.fullmatch(r"[\w./:-]{1,60}", new[0])
    ) and SequenceMatcher(None, old[0], new[0]).ratio() < 0.8:
        yield Trait(1.0, f"puts {new[0]!r} in the place of {old[0]!r}")


def _swapped(diff: DiffText) -> Iterator[Trait]:
    """One word of a line replaced by another, once: a constant or a name, not a variable renamed throughout."""
    if len(diff.removed) != len(diff.added):
        return
    swaps = [swap for old, new in zip(diff.removed, diff.added, strict=True) if (swap := _swap(old, new)) is not None]
    once = {swap for swap in swaps if swaps.count(swap) == 1}
    if len(swaps) == len(diff.removed) and len(once) == 1 and len(swaps) == 1:
        old, new = once.pop()
        yield Trait(0.7, f"puts {new} in the place of {old}")


def _operators(diff: DiffText) -> Iterator[Trait]:
    """The same words in a line with other signs between them: `<` for `<=`, `and` apart."""
    after = {tuple(re.findall(r"\w+", line)): line for line in diff.added}
    for line in diff.removed:
        other = after.get(tuple(re.findall(r"\w+", line)))
        if other is not None and _OPERATOR.findall(other) != _OPERATOR.findall(line):
            yield Trait(1.0, "changes a comparison or a sign")
            return


def _opens(diff: DiffText) -> bool:
    added, removed = " ".join(diff.added)[:LONGEST], " ".join(diff.removed)[:LONGEST]
    return bool(_OPEN.search(added)) and not _OPEN.search(removed) and not _CLOSE.search(added)


def _only_checks(diff: DiffText) -> bool:
    return len(diff.added) <= 8 and any(
        re.search(r"\b(?:return|continue|throw|raise|default|break)\b", x) for x in diff.added
    )


def _swap(old: str, new: str) -> tuple[str, str] | None:
    before, after = re.findall(r"\w+|[^\w\s]", old), re.findall(r"\w+|[^\w\s]", new)
    if len(before) != len(after):
        return None
    differ = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    if len(differ) != 1 or not all(re.fullmatch(r"[A-Za-z_]\w+", word) for word in differ[0]):
        return None
    return differ[0]


def _in_order(diff: DiffText) -> bool:
    return ["".join(line.split()) for line in diff.removed] == ["".join(line.split()) for line in diff.added]


def _all_strings(delta: Delta) -> bool:
    return bool(delta.strings_removed or delta.strings_added) and not (delta.calls_removed or delta.calls_added)
