"""Keys of issue trackers in commit messages, and whether a message closes one."""

from __future__ import annotations

import re

from tidegate.risk.late import Late

MOST_KEYS = 100
"""A message that names more issues is a list of them, such as a release's, and no work on one."""


def issue_keys(message: str) -> tuple[str, ...]:
    """The issues that a message names: `#12`, `GH-12`, `PROJ-123`, `owner/name#12`, each once, in order.

    Not among them: the pull request that a squash merge writes behind its subject, names of standards and algorithms
    (`UTF-8`, `SHA-256`), and advisories (`advisories` reads those).
    """
    subject, _, body = message.partition("\n")
    text = f"{_PULL_REQUEST.sub('', subject)}\n{body}"
    found: dict[str, None] = {}
    for match in _KEY.finditer(text):
        if not match["jira"] or match["project"] not in _NO_PROJECTS:
            found[match[0].upper() if match["gh"] else match[0]] = None
    return tuple(found)[:MOST_KEYS]


def closed_issues(message: str) -> tuple[str, ...]:
    """The issues that a closing keyword stands before (`Fixes #12`, `resolves PROJ-3, closes: GH-4`), in order."""
    found: dict[str, None] = {}
    for match in _CLOSING.finditer(message):
        for key in issue_keys(f"\n{match['keys']}"):
            found[key] = None
    return tuple(found)[:MOST_KEYS]


def fixed_issues(message: str) -> tuple[str, ...]:
    """The same where the keyword is one of repair: `fixes #12`, but not `closes #12`, which features say too."""
    found: dict[str, None] = {}
    for match in _CLOSING.finditer(message):
        if match["word"].lower().startswith(("fix", "bug")):
            for key in issue_keys(f"\n{match['keys']}"):
                found[key] = None
    return tuple(found)[:MOST_KEYS]


def advisories(message: str) -> tuple[str, ...]:
    """Published weaknesses that a message names (CVE, GHSA), in order. A CWE is a class of them and none itself."""
    return tuple(dict.fromkeys(match[0].upper() for match in _ADVISORY.finditer(message)))[:MOST_KEYS]


# Private

_ISSUE = (
    r"(?:https?://[^\s/]{1,80}/[^\s]{1,160}/(?:issues|bugs)/[1-9][0-9]{0,6}(?![\w-])"
    r"|(?<![\w&/#.-])(?:[A-Za-z0-9][\w.-]{0,38}/[\w.-]{1,100})?#[1-9][0-9]{0,6}(?![\w-])"
    r"|(?<![\w./-])(?P<gh>[Gg][Hh]-[1-9][0-9]{0,6})(?![\w-])"
    r"|(?<![\w./-])(?P<jira>(?P<project>[A-Z][A-Z0-9]{1,11})-[1-9][0-9]{0,6})(?![\w-]|\.[0-9]))"
)
_KEY = Late(_ISSUE)
_PULL_REQUEST = Late(r"(?: *\((?:pull request )?#[0-9]{1,7}\))+ *$|^Merge pull request #[0-9]{1,7}")
_PLAIN = (
    r"(?:(?:[\w.-]{1,40}/[\w.-]{1,100})?#[0-9]{1,7}|[A-Za-z][A-Za-z0-9]{1,11}-[0-9]{1,7}"
    r"|https?://[^\s/]{1,80}/[^\s]{1,160}/issues/[0-9]{1,7})"
)
_CLOSING = Late(
    r"(?<![\w-])(?P<word>clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|bug)(?: (?:issues?|bugs?"
    r"|tickets?))?:? +"
    rf"(?P<keys>{_PLAIN}(?:(?:,? and |, ?| & | ){_PLAIN}){{0,20}})",
    re.IGNORECASE,
)
_ADVISORY = Late(r"\bCVE-[0-9]{4}-[0-9]{4,7}\b|\bGHSA(?:-[0-9a-z]{4}){3}\b", re.IGNORECASE)

# Written like a key of a tracker, and none: standards, algorithms, formats, hardware, versions.
_NO_PROJECTS = frozenset(
    """UTF UCS SHA MD AES RSA DES ISO IEC IEEE RFC PEP CVE CWE GHSA CVSS TLS SSL HTTP HTTPS IPV X XTERM LATIN CP
    WINDOWS WIN UNICODE ECMA ES PY PYTHON JDK JRE JAVA SE EE C CPP CXX GCC CLANG LLVM ARM AARCH MIPS PPC I AMD INTEL
    RISC SSE AVX CRC FNV MURMUR BLAKE KECCAK HMAC PBKDF ED X25519 ECDSA SECP CURVE P G BASE ASCII ANSI OAUTH SOCKS
    FIPS NIST GMT UTC EST PST GB BIG EUC KOI SHIFT OS USB PCI SATA DDR MP MPEG H JPEG PNG GPT CLAUDE OPUS SONNET
    HAIKU GEMINI LLAMA O V RC BETA ALPHA MIT BSD GPL LGPL AGPL APACHE MPL CC EPL NODE PHP RUBY GO TLSV SSLV VT COVID
    A B D E F N R S T TS HTML CSS K M Q T4 W SP RFC2616 RHEL UBUNTU DEBIAN FEDORA CENTOS LTS MSVC VS NET NETSTANDARD
    ARGON SCRYPT RC4 POLY CHACHA SALSA SIPHASH XXHASH ADLER IP TCP UDP IPV4 IPV6 Y2K""".split()
)
