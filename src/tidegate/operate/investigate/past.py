"""Past incidents like this one, by the words that both have and few others do."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from tidegate.operate.investigate.values import Past, Similar
from tidegate.operate.symptoms.words import vocabulary

LEAST = 0.25
MOST = 3
SHARED = 6


def find_similar(words: str, past: Sequence[Past]) -> tuple[Similar, ...]:
    """The up to three most like it, at least .25 alike: the cosine of their words, weighed by how rare each is."""
    mine = Counter(vocabulary(words))
    theirs = [Counter(vocabulary(f"{one.title}\n{one.service}\n{one.words}")) for one in past]
    documents = [mine, *theirs]
    held = Counter(word for document in documents for word in document)
    weigh = {word: math.log(1 + len(documents) / count) for word, count in held.items()}
    found = [
        Similar(past=one, likeness=_cosine(mine, other, weigh), shared=_shared(mine, other, weigh))
        for one, other in zip(past, theirs, strict=True)
    ]
    alike = [one for one in found if one.likeness >= LEAST]
    return tuple(sorted(alike, key=lambda one: (-one.likeness, -one.past.started, one.past.id))[:MOST])


# Private


def _cosine(one: Counter[str], other: Counter[str], weigh: dict[str, float]) -> float:
    def value(counts: Counter[str], word: str) -> float:
        return (1 + math.log(counts[word])) * weigh[word]

    product = math.fsum(value(one, word) * value(other, word) for word in one.keys() & other.keys())
    sizes = [math.sqrt(math.fsum(value(counts, word) ** 2 for word in counts)) for counts in (one, other)]
    return product / (sizes[0] * sizes[1]) if all(sizes) else 0.0


def _shared(one: Counter[str], other: Counter[str], weigh: dict[str, float]) -> tuple[str, ...]:
    both = [word for word in one.keys() & other.keys() if word[0] not in "~=#"]
    return tuple(sorted(both, key=lambda word: (-weigh[word], word))[:SHARED])
