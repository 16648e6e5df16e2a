"""Secrets that no format gives away: a random text that is assigned to the name of a secret, or that stands where the
environment was read before."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

NAMED = "Random Text Under the Name of a Secret"
IN_PLACE = "Random Text in Place of a Read of the Environment"
LONGEST = 5_000


def named_literals(text: str) -> Iterator[str]:
    """The random-looking texts that a line assigns to the name of a secret. Digests and public keys are none."""
    for match in _ASSIGNED.finditer(text):
        value = match[2]
        if not _NOT_SECRET.search(match[1]) and is_random(value) and not _FORMED.fullmatch(value):
            yield value


def in_place_of_reads(removed: Sequence[str], added: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The index of an added line, and the text in it that stands where a removed line read the environment.

    The same thing is assigned, or the variable's name says that it is a secret; then digests and UUIDs count too.
    """
    reads = [(line[: match.start()].strip(), match) for line in removed for match in _READS.finditer(line[:LONGEST])]
    reads = [(lead, match) for lead, match in reads if not _NOT_SECRET.search(match[0])]
    if not reads:
        return
    before = "\n".join(removed)
    for index, line in enumerate(added):
        for match in _QUOTED.finditer(line[:LONGEST]):
            value = match[2]
            if value in before or _READS.search(line):
                continue
            lead = line[: match.start()].strip()
            same = [one for start, one in reads if lead and start == lead]
            secret = any(_SECRET.search(one[1]) for one in same or [one for _, one in reads])
            if (same or secret) and is_random(value) and (secret or not _FORMED.fullmatch(value)):
                yield index, value


def is_random(value: str) -> bool:
    """Whether a text looks as if a machine drew it: long, of several kinds of characters, with no words in it."""
    kinds = (str.islower, str.isupper, str.isdigit)
    held = sum(any(kind(one) for one in value) for kind in kinds)
    hexadecimal = re.fullmatch(r"[0-9a-fA-F-]{24,}", value) is not None
    if len(value) < 16 or not any(one.isdigit() for one in value) or (held < 3 and not hexadecimal and len(value) < 24):
        return False
    runs = re.findall(r"[a-z]{6,}|[A-Z]{7,}", value)
    return sum(map(len, runs)) * 3 < len(value) and _entropy(value) >= (3.0 if hexadecimal else 3.5)


# Private

_NAME = (
    r"api_?key|secret|token|passw(?:or)?d|passphrase|private_?key|access_?key|signing_?key|encryption_?key|auth_?key|"
    r"credential|client_?key|account_?key|master_?key|service_?key|salt"
)
_ASSIGNED = re.compile(
    rf"(?i)([\w.$-]*(?:{_NAME})\w*)[\"'`\])]*\s*(?::\s*[\w.\[\]| ]{{1,40}}?\s*=|:=|=>|=|:|,)\s*[fbru]{{0,2}}"
    r"[\"'`]([A-Za-z0-9+/_=.~!@#%^&*-]{16,200})[\"'`]"
)
_NOT_SECRET = re.compile(
    r"(?i)hash|digest|checksum|sha\d|md5|public|publishable|site_?key|fingerprint|header|_url\b|_uri\b|_path\b|_file\b|"
    r"field|label|prefix|regex|pattern|_name\b|_id\b|tokeni[sz]er?|token_?type|csrf|translation|i18n|placeholder|page_?token|"
    r"next_?token|integrity|version|test|example|dummy|fake|mock"
)
_SECRET = re.compile(rf"(?i){_NAME}|\bkey\b|_key\b")
_FORMED = re.compile(
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})|"
    r"(?i:sha(?:1|256|384|512)[-:].*)|\$2[aby]\$.*|[\w.+-]*(?:/[\w.-]+){2,}|v?\d+(?:\.\d+)+[\w.+-]*"
)
"""A UUID, a digest, a path, a version: what looks drawn and is no secret by itself."""
_READS = re.compile(
    r"(?:os\.environ(?:\.get)?\s*[\[(]|(?:os\.)?getenv\(|(?<![\w.])env(?:\.str|var)?\(|(?<![\w.])config\(|process\.env\b[.\[]|"
    r"import\.meta\.env\.|Deno\.env\.get\(|ENV(?:\.fetch\(|\[)|os\.(?:Getenv|LookupEnv)\(|System\.getenv\(|env::var\(|"
    r"(?:Rails\.application\.)?credentials[.\[(]|secrets\.|\$\{\{\s*secrets\.|\$\{?(?=[A-Z]))\s*[\"']?(\w{2,100})"
)
_QUOTED = re.compile(r"([\"'`])([A-Za-z0-9+/_=.~!@#%^&*-]{16,200})\1")


def _entropy(value: str) -> float:
    counts = Counter(value)
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
