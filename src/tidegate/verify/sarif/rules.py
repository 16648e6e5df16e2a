"""What a scanner's rule says of its results: how grave they are, which weakness they are about, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from tidegate.facts import Severity

_CWE = re.compile(r"cwe[-_/: ]*0*(\d{1,5})", re.IGNORECASE)
_SECURITY = re.compile(r"\b(?:security|vulnerability|cwe|owasp)\b", re.IGNORECASE)
_LEVELS: Mapping[str, Severity] = {"error": "medium", "warning": "low", "note": "note", "none": "note"}
_SECURITY_LEVELS: Mapping[str, Severity] = {"error": "high", "warning": "medium", "note": "low", "none": "note"}

_FAMILIES: tuple[tuple[str, str], ...] = (
    ("unused import", r"F401|W0611|unused-import|no-unused-imports|unused_import"),
    ("unused variable", r"F841|W0612|unused-variable|no-unused-vars|unused_variable"),
    ("undefined name", r"F821|E0602|undefined-variable|no-undef|undefined-name"),
    ("bare except", r"E722|W0702|bare-except"),
    ("swallowed exception", r"[SB]110|W0703|broad-except|try-except-pass|no-empty"),
    ("long line", r"E501|C0301|line-too-long|max-len"),
    ("no docstring", r"D10\d|C011[456]|missing-\w+-docstring"),
    ("assert", r"[SB]101|assert-used|assert_used"),
    ("eval", r"[SB]307|PGH001|no-eval|eval-detected|eval-use|W0123|eval-used|code-injection|code-string-eval"),
    ("exec", r"[SB]102|exec-used|exec-detected|W0122"),
    ("shell", r"[SB]60[2-9]|subprocess-\w*shell|shell-true|command-injection|command-line-injection"),
    ("pickle", r"[SB]30[12]|[SB]403|pickle|unsafe-deserialization"),
    ("yaml load", r"[SB]506|yaml-load|unsafe-yaml|pyyaml"),
    ("weak hash", r"[SB]303|[SB]324|md5|sha1|weak-hash|weak-sensitive-data-hashing|insecure-hash"),
    ("weak cipher", r"[SB]30[45]|weak-crypt\w*|weak-cipher|insecure-cipher"),
    ("weak random", r"[SB]311|insecure-random\w*|weak-random|insufficiently-random"),
    ("SQL injection", r"[SB]608|sql-?injection|sqli|formatted-sql|sqlalchemy-execute"),
    ("no certificate check", r"[SB]501|no-verify|verify-false|request-without-cert\w*|disabled-cert-validation"),
    ("no timeout", r"[SB]113|no-timeout|missing-timeout|W3101"),
    ("temporary file", r"[SB]108|[SB]306|mktemp|hardcoded-tmp|insecure-temporary-file"),
    ("hard-coded secret", r"[SB]10[5-7]|hard-?coded[-_](?:password|secret|credential)\w*|generic-api-key|no-secrets?"),
    ("all interfaces", r"[SB]104|bind-all|avoid-bind"),
    ("XML entities", r"[SB]3(?:1[3-9]|20)|[SB]40[5-9]|xxe|use-defused-xml"),
    ("path traversal", r"path-(?:traversal|injection)|zip-slip|tar-?slip|[SB]202"),
    ("cross-site scripting", r"\bxss\b|reflected-xss|no-danger|innerhtml|[SB]70[1-4]|autoescape"),
    ("debugger", r"no-debugger|T100|[SB]201|debug-enabled|flask-debug"),
)


class Rule(Struct, frozen=True):
    """A rule as its tool describes it. `messages` are its templates by name."""

    id: str
    name: str
    level: str
    security: str
    tags: tuple[str, ...]
    messages: Mapping[str, str]


def read_rule(found: Mapping[str, Any]) -> Rule:
    """The rule of a reportingDescriptor; what it leaves out or writes wrongly is empty."""
    properties = _object(found.get("properties"))
    configuration = _object(found.get("defaultConfiguration"))
    tags = [tag for tag in _list(properties.get("tags")) if isinstance(tag, str)]
    tags += [f"cwe-{one}" for one in _list(properties.get("cwe")) if isinstance(one, str)]
    for relation in _list(found.get("relationships"))[:50]:
        target = _object(_object(relation).get("target"))
        component = _object(target.get("toolComponent")).get("name")
        tags.append(f"{component}-{target.get('id')}".replace("CWE-CWE", "CWE"))
    strings = _object(found.get("messageStrings"))
    messages = {name: _text(_object(one).get("text")) for name, one in list(strings.items())[:50]}
    security = properties.get("security-severity")
    return Rule(
        id=_text(found.get("id")),
        name=_text(found.get("name")),
        level=_text(configuration.get("level")),
        security=str(security)[:20] if isinstance(security, (str, int, float)) else "",
        tags=tuple(tag[:100] for tag in tags[:50]),
        messages=messages,
    )


def severity_of(level: str, security: str, rule: Rule | None) -> Severity:
    """How grave: by the score of security (0 to 10, the bands of CVSS), else by the level, more for security."""
    try:
        score = float(security or (rule.security if rule else "") or "nan")
    except ValueError:
        score = float("nan")
    if 0 < score <= 10:
        return "critical" if score >= 9 else "high" if score >= 7 else "medium" if score >= 4 else "low"
    about = rule is not None and (bool(cwes_of(rule)) or any(_SECURITY.search(tag) for tag in rule.tags))
    return (_SECURITY_LEVELS if about else _LEVELS)[level]


def cwes_of(rule: Rule) -> frozenset[str]:
    """The numbers of the weaknesses (https://cwe.mitre.org) that the rule is about."""
    return frozenset(found for tag in rule.tags for found in _CWE.findall(tag))


def families_of(rule_id: str, name: str) -> frozenset[str]:
    """What rules of different tools have in common: names of the families that the id or the name belongs to."""
    last = re.split(r"[./]", rule_id)[-1]
    words = (rule_id, last, name)
    return frozenset(
        family
        for family, pattern in _FAMILIES
        if any(re.fullmatch(rf"(?:.*[-_./])?(?:{pattern})(?:[-_].*)?", word, re.IGNORECASE) for word in words)
    )


# Private


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value[:1000] if isinstance(value, str) else ""
