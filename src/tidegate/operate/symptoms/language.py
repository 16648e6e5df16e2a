"""The words that an incident speaks and its quiet time did not, each with a weight, and the words that fell silent."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from tidegate.operate.symptoms import words
from tidegate.operate.symptoms.onset import Move, Onset
from tidegate.operate.symptoms.signatures import Signature, is_news
from tidegate.operate.symptoms.values import Span, Symptoms

KNOWN_BEFORE = 0.35
"""A word that the quiet time used as well keeps this part of its weight: it may still be the subject."""
MOST_TEXTS = 400
_NAMED = re.compile(r"'([^']{2,60})'|\"([^\"]{2,60})\"|\[([A-Za-z][\w.-]{1,60})\]|`([^`]{2,60})`")


class Language(Struct, frozen=True, kw_only=True):
    """`new`: words of the incident, 0 to 1; `gone`: words that fell silent; `named`: things that its errors name."""

    new: Mapping[str, float]
    gone: Mapping[str, float]
    named: frozenset[str]
    texts: tuple[str, ...]
    """The new bad texts themselves, worst sources first."""
    before: tuple[frozenset[str], ...] = ()
    """The words of each text of the quiet time."""


class _Text(Struct, frozen=True):
    text: str
    weight: float
    bad: bool = True


def listen(symptoms: Symptoms, moves: Sequence[Move], signatures: Sequence[Signature], onset: Onset) -> Language:
    """The language of an incident, from its alert, errors, logs, patterns, spans and the names of moved series."""
    late = list(_late(symptoms, moves, signatures, onset))[:MOST_TEXTS]
    early = [frozenset(words.vocabulary(text)) for text in _early(symptoms, moves, signatures, onset)][:MOST_TEXTS]
    heard: dict[str, float] = {}
    for one in late:
        for word in set(words.vocabulary(one.text)):
            heard[word] = heard.get(word, 0.0) + one.weight
    known = frozenset().union(*early) if early else frozenset()
    new = {w: (1 - math.exp(-sum_)) * (KNOWN_BEFORE if w in known else 1.0) for w, sum_ in heard.items()}
    gone = {w: 0.6 for text in _silent(symptoms, signatures, onset) for w in words.vocabulary(text) if w not in heard}
    bad = [one.text for one in late if one.bad and one.text.strip()]
    return Language(new=new, gone=gone, named=frozenset(_named(bad)), texts=tuple(bad), before=tuple(early))


# Private


def _late(symptoms: Symptoms, moves: Sequence[Move], signatures: Sequence[Signature], onset: Onset) -> Iterator[_Text]:
    alert = symptoms.alert
    yield _Text(f"{alert.name} {alert.summary} {' '.join(alert.labels.values())}", 1.0)
    for error in symptoms.errors:
        frames = " ".join(f"{frame.file} {frame.function}" for frame in error.frames if frame.own)
        yield _Text(f"{error.kind} {error.message} {frames}", 1.5)
    for pattern in symptoms.patterns:
        if is_news(pattern):
            yield _Text(pattern.text, 1.0 if pattern.negative else 0.4, pattern.negative)
    for one in signatures:
        if one.early == 0 and one.last >= onset.at - onset.slack:
            yield _Text(one.text, 1.0 if one.bad else 0.4, one.bad)
            yield _Text(_fields(one.lines[-1].fields), 0.7, one.bad)
    for span in symptoms.spans:
        if span.started >= onset.at - onset.slack and (span.failed or _is_slow(span, symptoms.spans, onset)):
            yield _Text(f"{span.operation} {_fields(span.fields)}", 0.7, span.failed)
    for move in moves:
        yield _Text(move.metric, 0.7, False)


def _early(symptoms: Symptoms, moves: Sequence[Move], signatures: Sequence[Signature], onset: Onset) -> Iterator[str]:
    for one in signatures:
        if one.early:
            yield one.text
    for pattern in symptoms.patterns:
        if not is_news(pattern):
            yield pattern.text
    for span in symptoms.spans:
        if span.started < onset.at - onset.slack:
            yield f"{span.operation} {_fields(span.fields)}"
    moved = {(move.service, move.metric) for move in moves}
    for series in symptoms.series:
        if (series.labels.get("service", ""), series.name) not in moved:
            yield series.name


def _silent(symptoms: Symptoms, signatures: Sequence[Signature], onset: Onset) -> Iterator[str]:
    for one in signatures:
        if one.early and one.last < onset.at + onset.slack:
            yield one.text
    for span in symptoms.spans:
        if not span.failed and span.started < onset.at - onset.slack:
            yield f"{span.operation} {_fields(span.fields)}"


def _is_slow(span: Span, spans: Iterable[Span], onset: Onset) -> bool:
    usual = [
        one.seconds
        for one in spans
        if (one.service, one.operation) == (span.service, span.operation) and one.started < onset.at - onset.slack
    ]
    return bool(usual) and span.seconds > 2 * max(usual)


def _fields(fields: Mapping[str, str]) -> str:
    return " ".join(f"{key} {value}" for key, value in sorted(fields.items()) if not _is_number(value) or key)[:4000]


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _named(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        for groups in _NAMED.findall(text[: words.LONGEST]):
            name = re.sub(r"[^a-z0-9]", "", "".join(groups).lower())
            if 2 < len(name) <= 60:
                yield name
