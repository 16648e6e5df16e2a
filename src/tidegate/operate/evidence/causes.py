"""What speaks for a cause that is none of the changes: each kind needs evidence of its own, the lack of others is none.

The signs are those that operators look for, by kind; a live change whose diff touches the same subject takes weight
from the kind, for then the sign may be of its making.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct

from tidegate.operate.evidence.kinds import KINDS, Kind
from tidegate.operate.symptoms.language import Language
from tidegate.operate.symptoms.onset import Move, Onset
from tidegate.operate.symptoms.origin import Origin
from tidegate.operate.symptoms.signatures import Signature
from tidegate.operate.symptoms.values import Symptoms
from tidegate.operate.values import Evidence

PRIOR = -1.5
UNEXPLAINED = -0.5
"""Log-odds of each kind before evidence, where a change that nothing is known of has 0."""
TOUCHED = -2.0
FIRST_MOVER = 1.5
RISES = 1.5
ALIKE = 0.7
FOREIGN = 1.5
MEASURED_FROM_WITHIN = ("dependency", "dns", "certificate")
"""Kinds whose own series a service of ours may measure: how long its calls of a store or a resolver take."""

_MARK = re.compile(r"\b(?=(?:[\w-]{0,40}?\d){4})(?!\d+(?:ms|us|s|kb|mb|gb)\b)[\w-]{5,80}\b")
"""An identifier of one record: four digits or more, and no measured time or size."""


class Scene(Struct, frozen=True, kw_only=True):
    """What the kinds are judged on. `touched`: subjects of the diffs that were live; `owned`: services with changes."""

    symptoms: Symptoms
    language: Language
    moves: tuple[Move, ...]
    signatures: tuple[Signature, ...]
    onset: Onset
    origin: Origin
    touched: frozenset[str]
    owned: frozenset[str]


def judge(scene: Scene) -> dict[str, list[Evidence]]:
    """The evidence of each kind of cause, its prior among it."""
    found = {kind.name: [_prior(kind)] for kind in KINDS}
    for kind in KINDS:
        said = _said(kind, scene)
        if said is not None:
            found[kind.name] += [said, *_touched(kind, scene)]
    found["load"] += _load(scene)
    found["neighbour"] += _neighbour(scene)
    found["data"] += _data(scene)
    for kind in KINDS:
        if kind.series:
            found[kind.name] += _foreign(kind, scene)
    return found


# Private


def _prior(kind: Kind) -> Evidence:
    return Evidence(kind="prior", weight=PRIOR if kind.phrases else UNEXPLAINED, says="before evidence")


def _said(kind: Kind, scene: Scene) -> Evidence | None:
    if not kind.phrases:
        return None
    pattern = re.compile("|".join(kind.phrases), re.IGNORECASE)
    texts = scene.language.texts[:200]
    hits = [(text, match.group()) for text in texts if (match := pattern.search(text[:4000]))]
    if not hits:
        return None
    share = len(hits) / len(texts)
    weight = kind.said * min(1.0, 0.5 + share)
    return Evidence(kind="said", weight=weight, says=f"errors say {hits[0][1][:60]!r}", source=hits[0][0][:200])


def _touched(kind: Kind, scene: Scene) -> Iterator[Evidence]:
    both = kind.subjects & scene.touched
    if both:
        says = f"a live change touches {min(both)[1:]} as well"
        yield Evidence(kind="touched", weight=TOUCHED, says=says)


def _load(scene: Scene) -> Iterator[Evidence]:
    """Requests rise at the edge, or in most services alike; a rise of inner services alone is fan-out, not load."""
    rates = [one for one in scene.symptoms.series if _is_rate(one.name)]
    services = {one.labels.get("service", "") for one in rates}
    risen = {move.service: move for move in scene.moves if _is_rate(move.metric) and move.ratio >= 1.5}
    if not risen:
        return
    called = {callee for callees in scene.origin.calls.values() for callee in callees}
    edge = [name for name in sorted(risen) if name not in called]
    if edge or (len(risen) >= 2 and len(risen) >= ALIKE * len(services)):
        move = risen[edge[0]] if edge else min(risen.values(), key=lambda one: (one.at, one.service))
        says = f"{move.metric} of {move.service} rose {move.ratio:.1f}-fold"
        yield Evidence(kind="rises", weight=RISES, says=says, source=move.metric)
        if scene.onset.is_first(move):
            yield Evidence(
                kind="first", weight=FIRST_MOVER, says="and that was among the first signs", source=move.metric
            )
        if edge and len(risen) >= 2 and len(risen) >= ALIKE * len(services):
            says = f"{len(risen)} of {len(services)} services have more to do alike"
            yield Evidence(kind="alike", weight=RISES, says=says, source=move.metric)


def _neighbour(scene: Scene) -> Iterator[Evidence]:
    """Something outside the calls takes CPU, memory or disk on its own, and was among the first to move."""
    inside = _inside(scene)
    takers = [
        one for one in scene.moves if one.service not in inside and _is_use(one.metric) and one.after > one.before
    ]
    if takers:
        first = takers[0]
        says = f"{first.metric} of {first.service or 'the node'} rose from {first.before:g} to {first.after:g}"
        yield Evidence(kind="rises", weight=RISES, says=says, source=first.metric)
        if scene.onset.is_first(first):
            yield Evidence(
                kind="first", weight=FIRST_MOVER, says="and that was among the first signs", source=first.metric
            )


def _data(scene: Scene) -> Iterator[Evidence]:
    """The same record fails again and again: the very same long identifier in most of many bad lines."""
    for one in scene.signatures:
        if not one.is_bad_news or one.count < 5 or len(one.lines) < 5:
            continue
        marks = [set(_MARK.findall(_whole(line.message, line.fields))) for line in one.lines]
        common = set.intersection(*marks)
        if common and re.search(
            r"record|offset|message|event|row|payload|batch|document|object", one.text, re.IGNORECASE
        ):
            says = f"every failure is of the same {min(common)}"
            yield Evidence(kind="same", weight=2.0, says=says, source=one.text[:200])
            return


def _foreign(kind: Kind, scene: Scene) -> Iterator[Evidence]:
    """Among the first to move is what bears a name of the kind, most of all where no change and no call owns it."""
    inside = _inside(scene)
    pattern = re.compile("|".join(kind.series), re.IGNORECASE)
    near = [move for move in scene.moves if scene.onset.is_first(move)]
    for move in near:
        named = kind.name in MEASURED_FROM_WITHIN and pattern.search(move.metric)
        if named or (pattern.search(f"{move.service} {move.metric}") and move.service not in scene.owned):
            own = not named and move.service in inside
            says = f"{move.metric} of {move.service or 'the environment'} was among the first signs"
            yield Evidence(kind="first", weight=FOREIGN * (0.5 if own else 1.0), says=says, source=move.metric)
            return


def _inside(scene: Scene) -> Collection[str]:
    calls: Mapping[str, frozenset[str]] = scene.origin.calls
    spans = Counter(span.service for span in scene.symptoms.spans)
    return {
        *calls,
        *(name for callees in calls.values() for name in callees),
        *spans,
        *scene.owned,
        *scene.origin.shares,
    }


def _is_rate(metric: str) -> bool:
    return (
        bool(
            re.search(
                r"(?:request|rps|qps|query|queries|connection|message|event|session|call)s?_?(?:per_|rate|_total)?",
                metric,
            )
        )
        and bool(re.search(r"per_sec|per_min|per_second|rps|qps|rate\b|_rate$|throughput|requests(?:_total)?$", metric))
        and not (re.search(r"error|fail|5xx|4xx|cancel|miss|throttl|reject|drop|timeout", metric))
    )


def _is_use(metric: str) -> bool:
    return bool(re.search(r"cpu|memory|mem_|disk|io_|iops|network|bandwidth|working_set|load", metric))


def _whole(message: str, fields: Mapping[str, str]) -> str:
    kept = " ".join(
        f"{key} {value}" for key, value in sorted(fields.items()) if not re.search(r"trace|span|host|node|pod", key)
    )
    return f"{message} {kept}"[:4000]
