"""Words of code, logs and metrics in one vocabulary, so that a symptom and a diff can be compared.

Identifiers are taken apart at case, underscore and digit; words are cut to a stem; words of one subject share a
concept (`~deadline`), because an alert says "timeout" where the code says `WithDeadline`. The table is general
knowledge of operations, not of any incident.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

LONGEST = 20_000
"""Characters of one text that are read: the rest of a longer one adds no word that counts."""

_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$-]*|\d+(?:\.\d+)?")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PLAIN = frozenset(
    "a an and are as at be been by can did do for from had has have he if in into is it its of off on or our out over "
    "own per than that the their then there this to up us was we were when which while will with you your "
    "func function return returns var let const def class self this new type struct string int bool err error errors "
    "nil null none true false import package public private static void async await len range map any get set http "
    "https www com ctx req res resp r w i x y code status message msg info warn log logger service svc services server "
    "client internal pkg src lib app main api v1 v2 go py js ts request requests response handler handle called call "
    "failed fail failure after before value values data name id ids count total rate ratio ms sec seconds pct".split()
)
_SUBJECTS = {
    "deadline": "deadline timeout timed timedout withtimeout withdeadline budget cancelled canceled cancel",
    "null": "nil null none undefined nullpointer npe dereference deref pointer optional unwrap attributeerror keyerror",
    "bounds": "index bounds outofrange overflow underflow offbyone slice length indexerror truncate",
    "memory": "memory heap oom oomkilled rss leak gc alloc allocate buffer evict eviction retained cache ttl",
    "disk": "disk space volume filesystem inode storage retention rotate logfile var tmp enospc",
    "logging": "debug verbose verbosity loglevel level trace sample sampling rotate",
    "cpu": "cpu loop regex backtracking busy spin hash compress serialize throttle throttled cfs",
    "pool": "pool connection connections conn conns maxconns maxopen idle exhausted acquire checkout hikari pgbouncer",
    "lock": "lock mutex deadlock contention unlock semaphore synchronized rwlock blocked wait",
    "thread": "thread threads goroutine goroutines worker workers executor concurrency parallelism",
    "query": "query queries sql select scan rows limit where join index orm db database statement fetch n+1 table",
    "schema": "schema migration column relation table alter field mapping mapped unmapped analyzer ddl",
    "batch": "batch batched batching bulk chunk chunks chunked batchwriteitem putitem single page",
    "capacity": "capacity throughput provisioned throttle throttled wcu rcu quota ratelimit limiter burst exceeded",
    "retry": "retry retries retrying backoff jitter attempts storm amplification reconnect circuit breaker hedge",
    "cachemiss": "cache cached miss misses hit hits ttl stale invalidate invalidation warm redis memcached key "
    "stampede",
    "auth": "auth token jwt jwks unauthorized forbidden permission denied role scope claim audience issuer login oauth "
    "401 403 credential credentials session rbac iam policy principal signature hmac",
    "tls": "tls ssl x509 certificate cert handshake ca authority cipher mtls",
    "dns": "dns resolve resolver lookup nxdomain servfail coredns hostname nameserver ndots endpoint",
    "config": "config configuration env environment setting settings default flag toggle feature secret",
    "encoding": "encode encoding decode decoder unmarshal marshal json proto protobuf avro parse parser utf8 charset "
    "deserialize serialization payload",
    "queue": "queue consumer producer kafka sqs lag offset partition backlog ack commit poll prefetch redeliver topic "
    "visibility rebalance",
    "route": "route router path url endpoint redirect 404 notfound rewrite ingress proxy upstream host header cors",
    "registry": "register registered registration registry registers init bootstrap wire inject bean provider seed",
    "time": "timezone utc zone clock date epoch timestamp daylight locale now duration",
    "money": "price currency amount tax rounding discount total cents decimal precision",
    "resource": "replicas replica hpa requests limits quota memory pod container image probe liveness readiness",
    "order": "sort sorted ordering order compare comparator asc desc rank",
    "release": "close closed defer release finally leak handle descriptor socket dispose unsubscribe",
}


def split(text: str) -> Iterator[str]:
    """The words of a text, as stems, in order; a number of two digits or more is `#300`."""
    for match in _IDENTIFIER.finditer(text[:LONGEST]):
        yield from _split_one(match.group())


def identifiers(text: str) -> Iterator[str]:
    """Names of two parts or more as one word: `dashboard_favorites`, `readThreeDSResult`, in lower case."""
    for match in _IDENTIFIER.finditer(text[:LONGEST]):
        whole = match.group()
        if len(_PART.findall(whole)) > 1 and len(whole) > 4:
            yield "=" + re.sub(r"[^a-z0-9]", "", whole.lower())


def concepts(words: Sequence[str]) -> Iterator[str]:
    """The subjects of stems, as `~subject`."""
    table = _concept_table()
    for word in words:
        yield from table.get(word, ())


def vocabulary(text: str) -> list[str]:
    """Stems, names and subjects of a text together: what is compared."""
    words = list(split(text))
    return [*words, *identifiers(text), *concepts(words)]


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A word without its plural or ending; enough to bring `batched`, `batching`, `batches` together."""
    for ending, least in (("ing", 6), ("ied", 6), ("ies", 6), ("ed", 5), ("es", 6), ("s", 4)):
        if word.endswith(ending) and len(word) >= least and not word.endswith("ss"):
            return word[: -len(ending)] + ("y" if ending in ("ies", "ied") else "")
    return word[:-1] if len(word) > 4 and word.endswith("e") else word


def spell(word: str, texts: Iterable[str]) -> str:
    """A word of `vocabulary` as it is written in the first of the texts that has it; a subject by its name."""
    if word[0] in "~#":
        return word[1:]
    for text in texts:
        for match in _IDENTIFIER.finditer(text[:LONGEST]):
            if word in identifiers(match.group()):
                return match.group()
            for part in _PART.findall(match.group()):
                if stem(part.lower()) == word:
                    return str(part).lower()
    return word.lstrip("=")


def known_words() -> frozenset[str]:
    """The words that have a subject, and those that are too plain to count."""
    return frozenset(word for text in _SUBJECTS.values() for word in text.split()) | _PLAIN


# Private


@lru_cache(maxsize=65536)
def _split_one(token: str) -> tuple[str, ...]:
    if token[0].isdigit():
        return ("#" + token,) if len(token) > 1 else ()
    parts = [part.lower() for part in _PART.findall(token)]
    return tuple(stem(part) for part in parts if len(part) > 1 and not part.isdigit() and part not in _PLAIN)


@lru_cache(maxsize=1)
def _concept_table() -> dict[str, tuple[str, ...]]:
    table: dict[str, list[str]] = {}
    for subject, words in _SUBJECTS.items():
        for word in words.split():
            table.setdefault(stem(word), []).append("~" + subject)
    return {word: tuple(subjects) for word, subjects in table.items()}
