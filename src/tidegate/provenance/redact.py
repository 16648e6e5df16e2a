"""Takes secrets out of prompts, and makes the salted digest that stands for a prompt where its text may not stand.

A pattern that nobody wrote is a secret that gets through; what is kept of a prompt is therefore its digest unless
somebody asks for the text, and the text goes through `redact` first. Everything runs on RE2: prompts are hostile.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections import Counter
from functools import cache
from typing import Any

import re2

PATTERNS: tuple[tuple[str, str], ...] = (
    (
        "private-key",
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)"
        r"(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
    ),
    ("jwt", r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    ("aws-key", r"\b(?:AKIA|ASIA|ABIA|ACCA|AIDA|AROA)[A-Z2-7]{16}\b"),
    ("google-key", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("google-token", r"\bya29\.[0-9A-Za-z_-]{20,}"),
    ("github-token", r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"),
    ("gitlab-token", r"\bgl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat|oas)-[A-Za-z0-9_.-]{18,}"),
    ("bitbucket-token", r"\bAT(?:BB|CTT3)[A-Za-z0-9_=-]{24,}"),
    ("slack-token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-[0-9]-[A-Za-z0-9-]{10,}"),
    ("slack-webhook", r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{20,}"),
    ("anthropic-key", r"\bsk-ant-[A-Za-z0-9_-]{16,}"),
    ("openai-key", r"\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}"),
    ("stripe-key", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|\bwhsec_[A-Za-z0-9+/=]{20,}"),
    ("npm-token", r"\bnpm_[A-Za-z0-9]{30,}"),
    ("pypi-token", r"\bpypi-[A-Za-z0-9_-]{32,}"),
    ("huggingface-token", r"\bhf_[A-Za-z0-9]{30,}"),
    ("sendgrid-key", r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    ("digitalocean-token", r"\bdo[opr]_v1_[a-f0-9]{64}"),
    ("vault-token", r"\bhv[sbr]\.[A-Za-z0-9_-]{20,}"),
    ("azure-key", r"(?i)\b(?:AccountKey|SharedAccessKey|sig)=[A-Za-z0-9+/%_-]{30,}={0,2}"),
    ("telegram-token", r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{32,}"),
    ("authorization", r"(?i)\b(?:bearer|basic|token)\s+[A-Za-z0-9+/_.~=-]{16,}"),
)
"""Kind and RE2 pattern. The first that fits names the secret."""

CREDENTIALS_IN_URL = r"([a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s:/@]{0,200}):([^\s/@]{1,500})@"
ASSIGNMENT = (
    r"(?i)([\w.-]{0,60}(?:passw(?:or)?d|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential"
    r"|client[_-]?secret|auth)[\w.-]{0,40}[\"']?\s*(?:=|:|=>|:=|\bis\b)\s*)([\"'`]?)([^\s\"'`,;<>{}()\[\]]{6,500})"
)
ENTROPY_BITS = 3.0
"""Bits a character above which a value that is assigned to something called a secret is taken for one."""


def redact(text: str) -> str:
    """The text with every secret that has a known shape replaced by `[redacted:KIND]`."""
    for kind, pattern in _compiled():
        text = pattern.sub(f"[redacted:{kind}]", text)
    url, assignment = _url(), _assignment()
    text = url.sub(lambda m: f"{m.group(1)}:[redacted:password]@", text)
    result: str = assignment.sub(_assigned, text)
    return result


def prompt_digest(text: str, salt: str) -> str:
    """`sha256:` and the salted digest of a redacted prompt. The same prompt in another session has another digest."""
    key = hashlib.sha256(salt.encode("utf-8", "surrogatepass")).digest()
    message = redact(text).encode("utf-8", "surrogatepass")
    return f"sha256:{hmac.new(key, message, hashlib.sha256).hexdigest()}"


# Private


@cache
def _compiled() -> tuple[tuple[str, Any], ...]:
    return tuple((kind, re2.compile(pattern)) for kind, pattern in PATTERNS)


@cache
def _url() -> Any:
    return re2.compile(CREDENTIALS_IN_URL)


@cache
def _assignment() -> Any:
    return re2.compile(ASSIGNMENT)


def _assigned(match: Any) -> str:
    value = match.group(3)
    if value.startswith("[redacted:") or not _is_secret(match.group(1), value):
        whole: str = match.group(0)
        return whole
    return f"{match.group(1)}{match.group(2)}[redacted:assignment]"


def _is_secret(name: str, value: str) -> bool:
    lower = name.lower()
    if "pass" in lower or "pwd" in lower:
        return any(not c.isalpha() for c in value) or len(value) >= 12
    mixed = sum((any(c.isdigit() for c in value), any(c.isupper() for c in value), any(c.islower() for c in value)))
    return len(value) >= 12 and mixed >= 2 and _entropy(value) >= ENTROPY_BITS


def _entropy(value: str) -> float:
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values())
