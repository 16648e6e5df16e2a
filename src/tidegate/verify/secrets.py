"""Secrets that a change adds. The value is in no message, no cache and no exception: only its kind and its place.

Formats of providers and assignments are found by detect-secrets (Yelp, Apache-2.0), without its entropy plugins, which
flag every digest, and without asking any network; formats that it does not know yet stand here. A placeholder is none.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise

from tidegate.change.values import FileChange, show_path
from tidegate.facts import Finding, Place
from tidegate.verify.values import Part, Subject

RULE = "secret-added"
LONGEST_LINE = 5_000
MOST_LINES = 200_000

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
GENERIC = ("Secret Keyword", "Basic Auth Credentials", "JSON Web Token", "Private Key")
"""Kinds that a name or a position gives away, not the value: these may be placeholders, and in tests they are."""


def find_secrets(subject: Subject) -> Part:
    """Secrets in the lines that the change adds. One that only moved within the change is not added."""
    lines = list(_added(subject))
    if len(lines) > MOST_LINES:
        lines = lines[:MOST_LINES]
    wanted = [one for one in lines if _LIKELY.search(one[2])]
    if not wanted:
        return Part({"secrets": 0})
    gone = {line for file in subject.change.files for hunk in file.hunks for line in hunk.removed}
    known = {value for line in gone for _, value in _secrets_in(_text(line))} if gone else set()
    findings = []
    for file, number, text in wanted:
        kinds = dict.fromkeys(
            kind for kind, value in _secrets_in(text) if value not in known and _real(kind, value, file)
        )
        if kinds:
            place = Place(show_path(file.path), number)
            message = f"this line adds what looks like a secret ({', '.join(kinds).lower()})"
            findings.append(Finding(RULE, "critical", message, place, MEND))
    return Part({"secrets": len(findings)}, tuple(findings))


MEND = "revoke and replace it, take the commit out of the branch, and read the value from the environment or a vault"

# Private

_LIKELY = re.compile(
    r"(?i)pass|pwd|secret|token|credential|auth|key|private|://[^\s/:@]+:[^\s/@]+@|[A-Za-z0-9+/_=-]{24,}|bearer"
)
_TRIED = re.compile(rb"(?i)(?:^|[/_.-])(?:tests?|specs?|fixtures?|mocks?|examples?|samples?|demo|testdata)(?:[/_.-]|$)")
_NEWER = tuple((kind, re.compile(pattern)) for kind, pattern in NEWER)
_PLACEHOLDER = re.compile(
    r"(?i)example|change.?me|change.?it|placeholder|dummy|fake|sample|redacted|replace|insert|your|todo|foo|bar|"
    r"xxx|\*\*\*|\.\.\.|<[^>]*>|\$\{|\$\(|\{\{|%\(|%s|\{\w*\}|hunter2|secret|password|passw0rd|p4ssw|letmein|"
    r"qwerty|12345|abcdef|test|local|default|none|null|undefined|true|false|process\.env|os\.environ|getenv|config"
)
_MADE_UP = re.compile(r"(?i)example|xxxx|\.\.\.|0{8}|1{8}|placeholder|fake|abcdefgh|12345678")
_PLAIN = re.compile(r"[\w./:-]*/[\w./:-]*|\W+|\d+|[A-Za-z_][\w.]*\(.*|\w+\[.*")


def _added(subject: Subject) -> Iterator[tuple[FileChange, int, str]]:
    for file in subject.change.files:
        if file.binary or file.generated or file.vendored or file.path.endswith((b".lock", b"-lock.json", b".sum")):
            continue
        for hunk in file.hunks:
            for offset, line in enumerate(hunk.added):
                if len(line) <= LONGEST_LINE:
                    yield file, hunk.new_start + offset, _text(line)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")


def _secrets_in(text: str) -> Iterator[tuple[str, str]]:
    """The kinds of secrets in a line, each with its value, which must go no further than a comparison."""
    for kind, pattern in _NEWER:
        for match in pattern.finditer(text):
            yield kind, match[0]
    if not _LIKELY.search(text):
        return
    from detect_secrets.core.scan import scan_line  # 0.12 s: only where a line may hold one
    from detect_secrets.settings import transient_settings

    with transient_settings({"plugins_used": [{"name": name} for name in PLUGINS], "filters_used": []}):
        for secret in scan_line(text):
            yield secret.type, secret.secret_value or ""


def _real(kind: str, value: str, file: FileChange) -> bool:
    """Whether a find is no placeholder. What only a name gives away must look random, and not stand in a test."""
    if kind in GENERIC and (file.kind in ("test", "docs") or _TRIED.search(file.path)):
        return False
    if kind in ("Private Key", "JSON Web Token"):
        return True
    if kind not in GENERIC:
        return _MADE_UP.search(value) is None and _entropy(value) > 2.5
    if _PLACEHOLDER.search(value) or _PLAIN.fullmatch(value) or _worded(value):
        return False
    return len(value) >= 8 and _entropy(value) >= 2.7 and _mixed(value)


def _worded(value: str) -> bool:
    """Whether this is a name that people write: letters, with a new word now and then."""
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
