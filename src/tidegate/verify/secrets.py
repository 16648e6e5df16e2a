"""Secrets that a change adds. The value is in no message, no cache and no exception: only its kind and its place.

Formats of providers and assignments are found by detect-secrets (Yelp, Apache-2.0), without its entropy plugins, which
flag every digest, and without asking any network; formats that it does not know yet stand here. A placeholder is none.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from tidegate.change.values import FileChange, show_path
from tidegate.facts import Finding, Place, Unknown
from tidegate.verify.literals import IN_PLACE, NAMED, in_place_of_reads, named_literals
from tidegate.verify.values import Part, Subject

if TYPE_CHECKING:
    from detect_secrets.plugins.base import BasePlugin

RULE = "secret-added"
LONGEST_LINE = 5_000
MOST_LINES = 200_000
MOST_AT_ONCE = 2_000
"""Lines of one hunk; beyond it nothing stands in the place of anything."""

PLUGINS = (
    *("ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "CloudantDetector"),
    *("DiscordBotTokenDetector", "GitLabTokenDetector", "IbmCloudIamDetector"),
    *("IbmCosHmacDetector", "JwtTokenDetector", "KeywordDetector", "MailchimpDetector", "NpmDetector"),
    *("OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector", "SlackDetector"),
    *("SoftlayerDetector", "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector"),
)
NEWER: tuple[tuple[str, str], ...] = (
    ("Anthropic key", r"\bsk-ant-[a-z0-9]{3,12}-[\w-]{32,}"),
    ("OpenAI key", r"\bsk-(?:proj|svcacct|admin)-[\w-]{32,}"),
    ("Google API key", r"\bAIza[\w-]{35}\b"),
    ("Google OAuth secret", r"\bGOCSPX-[\w-]{28}\b"),
    ("GitHub token", r"\bgh[opsur]_[A-Za-z0-9]{36,}\b"),
    ("GitHub fine-grained token", r"\bgithub_pat_\w{60,}"),
    ("GitLab token", r"\bgl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-[\w-]{20,}"),
    ("Hugging Face token", r"\bhf_[A-Za-z0-9]{34,}\b"),
    ("DigitalOcean token", r"\bdo[opr]_v1_[a-f0-9]{64}\b"),
    ("Shopify token", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b"),
    ("Slack token", r"\bxox[abeoprs]-[\w-]{20,}"),
    ("Stripe key", r"\b[rs]k_live_[A-Za-z0-9]{20,}"),
    ("Databricks token", r"\bdapi[a-f0-9]{32}\b"),
    ("age key", r"\bAGE-SECRET-KEY-1[A-Z0-9]{58}\b"),
)
GENERIC = ("Secret Keyword", "Basic Auth Credentials", "JSON Web Token", "Private Key", NAMED)
"""Kinds that a name or a position gives away, not the value: these may be placeholders, and in tests they are."""


def find_secrets(subject: Subject) -> Part:
    """Secrets in the lines that the change adds. One that only moved within the change is not added.

    What is not searched because it would take too long makes the field unknown too.
    """
    wanted, left = _affordable(_added(subject))
    plugins: Plugins = _plugins() if any(_is_scanned(one[2]) for one in wanted) else ()
    found = [
        (one, kind, value)
        for one in wanted
        for kind, value in _secrets_in(one[2], plugins)
        if _real(kind, value, one[0])
    ]
    found += [(one, IN_PLACE, value) for one, value in _in_place(subject) if not _aside(one[0])]
    known = _removed(subject, plugins) if found else frozenset()
    kinds: dict[tuple[bytes, int], dict[str, None]] = {}
    for (file, number, _), kind, value in found:
        if value not in known:
            kinds.setdefault((file.path, number), {})[kind] = None
    findings = tuple(_finding(path, number, tuple(each)) for (path, number), each in kinds.items())
    lines = "1 added line is" if left == 1 else f"{left} added lines are"
    reason = f"{lines} too long or too many to be searched for secrets"
    unknowns = (Unknown("verification.secrets", reason),) if left else ()
    return Part({"secrets": len(findings)}, findings, unknowns)


def kinds_in(text: str) -> tuple[str, ...]:
    """The kinds of secrets in one line of anything, placeholders left out; () for none, and for a line too long."""
    if len(text) > LONGEST_LINE or not _LIKELY.search(text):
        return ()
    plugins: Plugins = _plugins() if _is_scanned(text) else ()
    return tuple(dict.fromkeys(kind for kind, value in _secrets_in(text, plugins) if _genuine(kind, value)))


MEND = "revoke and replace it, take the commit out of the branch, and read the value from the environment or a vault"

# Private

_Line: TypeAlias = tuple[FileChange, int, str]
Plugins: TypeAlias = "tuple[BasePlugin, ...]"

_LIKELY = re.compile(
    r"(?i)pass|pwd|secret|token|credential|auth|key|private|://[^\s/:@]+:[^\s/@]+@|[A-Za-z0-9+/_=-]{24,}|bearer"
)
_LEAD = re.compile(r"[\w+/=-]{19}|://|eyJ|[aA][kKpP]\w{9}|PRIVATE|PuTTY|(?i:xox|authToken)")
_NAMED = re.compile(r"(?i)pass|pwd|secret|contrase|(?:api|auth|service|account|db|database|priv|private|client)_?key")
_QUOTE = re.compile(r"['\"`]")
_NEWER_LEAD = re.compile(
    r"sk-|AIza|GOCSPX-|gh[opsur]_|github_pat_|gl[a-z]+-|hf_|do[opr]_v1_|shp[a-z]{2}_|xox|k_live_|dapi|AGE-SECRET"
)
_USUAL, _MOST_SPENT = 150, 200_000_000
"""The search takes time with the square of the length, and again for each name in it: so much of it beyond the usual
length is spent on one change."""
_TRIED = re.compile(rb"(?i)(?:^|[/_.-])(?:tests?|specs?|fixtures?|mocks?|examples?|samples?|demo|testdata)(?:[/_.-]|$)")
_NEWER = tuple((kind, re.compile(pattern)) for kind, pattern in NEWER)
_PLACEHOLDER = re.compile(
    r"(?i)example|change.?me|change.?it|placeholder|dummy|fake|sample|redacted|replace|insert|your|todo|foo|bar|"
    r"xxx|\*\*\*|\.\.\.|<[^>]*>|\$\{|\$\(|\{\{|%\(|%s|\{\w*\}|hunter2|secret|password|passw0rd|p4ssw|letmein|"
    r"qwerty|12345|abcdef|test|local|default|none|null|undefined|true|false|process\.env|os\.environ|getenv|config"
)
_MADE_UP = re.compile(r"(?i)example|xxxx|\.\.\.|0{8}|1{8}|placeholder|fake|abcdefgh|12345678")
_PLAIN = re.compile(r"[\w./:-]*/[\w./:-]*|\W+|\d+|[A-Za-z_][\w.]*\(.*|\w+\[.*")


def _affordable(lines: Iterable[_Line]) -> tuple[list[_Line], int]:
    """The lines that may hold a secret, and how many of them are left out so that time is bounded."""
    wanted: list[_Line] = []
    left, spent = 0, 0
    for at, line in enumerate(lines):
        if at >= MOST_LINES or len(line[2]) > LONGEST_LINE:
            left += 1
        elif _LIKELY.search(line[2]):
            long = max(0, len(line[2]) - _USUAL)
            cost = long**2 * (1 + len(_NAMED.findall(line[2])) // 2) if long else 0
            if spent + cost > _MOST_SPENT:
                left += 1
            else:
                spent += cost
                wanted.append(line)
    return wanted, left


def _removed(subject: Subject, plugins: Plugins) -> frozenset[str]:
    """The secrets in the lines that the change takes away."""
    lines = (
        (file, 0, _text(line[: LONGEST_LINE + 1]))
        for file in subject.change.files
        for hunk in file.hunks
        for line in hunk.removed
    )
    texts = {one[2] for one in _affordable(lines)[0]}
    return frozenset(value for text in texts for _, value in _secrets_in(text, plugins))


def _added(subject: Subject) -> Iterator[_Line]:
    for file in subject.change.files:
        if file.binary or file.generated or file.vendored or file.path.endswith((b".lock", b"-lock.json", b".sum")):
            continue
        for hunk in file.hunks:
            for offset, line in enumerate(hunk.added):
                yield file, hunk.new_start + offset, _text(line[: LONGEST_LINE + 1])


def _in_place(subject: Subject) -> Iterator[tuple[_Line, str]]:
    """Added lines that hold a random text where the same hunk read the environment, each with the text."""
    for file in subject.change.files:
        for hunk in file.hunks if file.by_hand else ():
            if not hunk.removed or not hunk.added or len(hunk.removed) + len(hunk.added) > MOST_AT_ONCE:
                continue
            removed, added = ([_text(line[:LONGEST_LINE]) for line in side] for side in (hunk.removed, hunk.added))
            for index, value in in_place_of_reads(removed, added):
                if not _MADE_UP.search(value):
                    yield (file, hunk.new_start + index, added[index]), value


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")


def _plugins() -> Plugins:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class  # 0.12 s: only where needed

    found: Mapping[str, Any] = get_mapping_from_secret_type_to_class()
    known = {plugin.__name__: plugin for plugin in found.values()}
    return tuple(known[name]() for name in PLUGINS)


def _secrets_in(text: str, plugins: Plugins) -> Iterator[tuple[str, str]]:
    """The kinds of secrets in a line, each with its value, which must go no further than a comparison."""
    if _NEWER_LEAD.search(text):
        for kind, pattern in _NEWER:
            for match in pattern.finditer(text):
                yield kind, match[0]
    for value in named_literals(text):
        yield NAMED, value
    if _is_scanned(text):
        for plugin in plugins:
            for value in plugin.analyze_string(text):
                yield plugin.secret_type, value or ""


def _is_scanned(text: str) -> bool:
    """Whether any of the plugins can find something: they want a long word, a lead, or a name and a quoted text."""
    return bool(_LEAD.search(text) or (_QUOTE.search(text) and _NAMED.search(text)))


def _finding(path: bytes, number: int, kinds: tuple[str, ...]) -> Finding:
    message = f"this line adds what looks like a secret ({', '.join(kinds).lower()})"
    return Finding(RULE, "critical", message, Place(show_path(path), number), MEND)


def _real(kind: str, value: str, file: FileChange) -> bool:
    """Whether a find is no placeholder. What only a name gives away must look random, and not stand in a test."""
    if kind in GENERIC and _aside(file):
        return False
    return _genuine(kind, value)


def _aside(file: FileChange) -> bool:
    return file.kind in ("test", "docs") or _TRIED.search(file.path) is not None


def _genuine(kind: str, value: str) -> bool:
    """The same wherever it stands."""
    if kind in ("Private Key", "JSON Web Token"):
        return True
    if kind not in GENERIC:
        return _MADE_UP.search(value) is None and _entropy(value) > 2.5
    if _PLACEHOLDER.search(value) or _PLAIN.fullmatch(value) or _worded(value):
        return False
    return len(value) >= 8 and _entropy(value) >= 2.7 and _mixed(value)


def _worded(value: str) -> bool:
    """Whether this is a name that people write: letters, with a new word now and then; or a sentence of a language
    that is not written in ASCII."""
    if sum(not one.isascii() for one in value) > len(value) / 2:
        return True
    letters = re.sub(r"[-_.\s]", "", value)
    turns = sum(one.islower() != other.islower() for one, other in pairwise(letters))
    return letters.isalpha() and turns <= len(letters) / 3


def _mixed(value: str) -> bool:
    kinds = (str.islower, str.isupper, str.isdigit, lambda c: not c.isalnum())
    return sum(any(kind(c) for c in value) for kind in kinds) >= 2 and " " not in value


def _entropy(value: Iterable[str]) -> float:
    """Shannon's, in bits a character."""
    counts = Counter(value)
    whole = sum(counts.values())
    return -sum(n / whole * math.log2(n / whole) for n in counts.values()) if whole else 0.0
