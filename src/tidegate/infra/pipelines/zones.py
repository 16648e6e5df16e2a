"""Zone files of name servers, octoDNS and DNSControl: names that go, and names that point elsewhere."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from tidegate.change.trees import Pair, Trees
from tidegate.facts import Place, Severity, Unjudged
from tidegate.infra.pipelines.texts import Text, read_both
from tidegate.infra.values import Draft, Found, Value

LARGEST = 8_000_000
MOST_SAID = 200
Records: TypeAlias = Mapping[tuple[str, str], frozenset[str]]
"""What each name answers for each type; names in full where the file says them, without the last dot."""

_TYPES = frozenset(
    "A AAAA CNAME MX NS TXT SRV CAA PTR SOA ALIAS DS DNSKEY NAPTR TLSA SSHFP SPF HTTPS SVCB DNAME URL LOC".split()
)
_MINOR = frozenset("TXT CAA SPF PTR SSHFP TLSA NAPTR LOC HINFO".split())


def read(trees: Trees, pairs: Sequence[Pair]) -> Found:
    """What changed zone files come to. A record that moves to another changed file is still there."""
    both = read_both(trees, pairs)
    drafts: list[Draft] = []
    unjudged: list[Unjudged] = []
    files: set[str] = set()
    anywhere = {name for one in both for name in _records(one.after)}
    for one in both:
        before, after = _records(one.before), _records(one.after)
        if not before and not after:
            continue
        files |= {text.path for text in (one.before, one.after) if text}
        if one.after is not None and not after and (one.after.problem or one.after.words.strip()):
            reason = "no record can be read in the zone any more"
            unjudged.append(
                Unjudged(f"zone {one.path}", reason, "check the file with the server's own tool", Place(one.path))
            )
        elif one.before is not None:
            drafts += _compared(one.before, one.after, before, {**dict.fromkeys(anywhere, frozenset()), **after})
    return Found(drafts=tuple(drafts), unjudged=tuple(unjudged), files=tuple(sorted(files)))


def zone_records(text: str, origin: str) -> Records:
    """The records of a zone in the form of RFC 1035, TTLs and serials left out."""
    found: dict[tuple[str, str], set[str]] = {}
    name = origin
    for blank, words in _entries(text):
        if words[0].upper() == "$ORIGIN" and len(words) > 1:
            origin = words[1].rstrip(".").lower() if words[1].endswith(".") else f"{words[1]}.{origin}".lower()
            continue
        if words[0].startswith("$"):
            continue
        if not blank:
            name, words = _full(words[0], origin), words[1:]
        while words and (
            re.fullmatch(r"\d+[smhdwSMHDW]?(\d+[smhdwSMHDW])*", words[0]) or words[0].upper() in ("IN", "CH", "HS")
        ):
            words = words[1:]
        if len(words) > 1 and words[0].upper() in _TYPES and words[0].upper() != "SOA":
            kind = words[0].upper()
            data = [
                _full(word, origin)
                if kind in ("CNAME", "NS", "MX", "ALIAS", "PTR", "SRV", "DNAME") and not word.isdigit()
                else word
                for word in words[1:]
            ]
            found.setdefault((name, kind), set()).add(" ".join(data))
    return {key: frozenset(values) for key, values in found.items()}


# Private


def _records(text: Text | None) -> Records:
    if text is None or len(text.words) > LARGEST:
        return {}
    base = posixpath.basename(text.path)
    if base.startswith("dnsconfig."):
        return _dnscontrol(text.words)
    if base.endswith((".yaml", ".yml")):
        return _octodns(text.value, re.sub(r"(\.zone)?\.ya?ml$", "", base).rstrip("."))
    origin = re.sub(r"^db\.|\.(zone|dns|db|txt)$", "", base)
    return zone_records(text.words, origin.lower())


def _entries(text: str) -> Iterator[tuple[bool, list[str]]]:
    """The entries of a zone as words, parentheses joined; whether each begins with a blank and so keeps the name."""
    words: list[str] = []
    depth, blank = 0, False
    for line in text.split("\n"):
        found = re.findall(r"\"(?:[^\"\\]|\\.)*(?:\"|\\?$)|;.*|[()]|[^\s();\"]+", line)
        if depth == 0:
            blank = line[:1].isspace()
        for word in found:
            if word.startswith(";"):
                break
            if word in "()":
                depth = max(0, depth + (1 if word == "(" else -1))
            else:
                words.append(word)
        if depth == 0 and words:
            yield blank, words
            words = []


def _full(name: str, origin: str) -> str:
    if name == "@":
        return origin
    return name.rstrip(".").lower() if name.endswith(".") else f"{name}.{origin}".lower()


def _octodns(value: Value, zone: str) -> Records:
    found: dict[tuple[str, str], frozenset[str]] = {}
    for name, entries in value.items() if isinstance(value, dict) else ():
        for one in entries if isinstance(entries, list) else [entries]:
            if isinstance(one, dict) and str(one.get("type", "")).upper() in _TYPES:
                data = one.get("values", one.get("value"))
                shown = [_data(inner) for inner in (data if isinstance(data, list) else [data])]
                found[f"{name}.{zone}".strip(".").lower(), str(one["type"]).upper()] = frozenset(shown)
    return found


def _data(value: Value) -> str:
    if isinstance(value, dict):
        return " ".join(str(value[key]) for key in sorted(value))
    return str(value).rstrip(".")


_DOMAIN = re.compile(r"\bD\(\s*[\"']([\w.-]+)[\"']")
_CALL = re.compile(
    r"\b(A|AAAA|CNAME|MX|NS|TXT|ALIAS|SRV|CAA)\(\s*[\"']([^\"'\n]*)[\"']\s*,\s*((?:\d+\s*,\s*)*[\"'][^\"'\n]*[\"'])"
)


def _dnscontrol(text: str) -> Records:
    """Records that DNSControl's code writes out; what it computes is not seen."""
    plain = re.sub(r"/\*.*?\*/|(?<![:\"'])//[^\n]*", "", text, flags=re.DOTALL)
    domains = [(found.start(), found[1]) for found in _DOMAIN.finditer(plain)]
    found: dict[tuple[str, str], set[str]] = {}
    for call in _CALL.finditer(plain):
        domain = next((name for start, name in reversed(domains) if start < call.start()), "")
        full = domain if call[2] == "@" else f"{call[2]}.{domain}".strip(".")
        found.setdefault((full.lower(), call[1]), set()).add(re.sub(r"[\"'\s]", "", call[3]))
    return {key: frozenset(values) for key, values in found.items()}


def _compared(before: Text, after: Text | None, old: Records, new: Records) -> Iterator[Draft]:
    text = after or before
    apex = min((name for name, _ in old), key=lambda name: (name.count("."), name), default="")
    names = {name for name, _ in new}
    gone = [key for key in sorted(old) if key not in new]
    if after is None and gone:
        words = (
            f"the zone file {before.path} is deleted with {len(gone)} records, among them {gone[0][0]}"
            f" {gone[0][1]}: none of its names resolves."
        )
        yield _said("critical", text, apex or before.path, words)
        return
    if len(gone) > MOST_SAID:
        some = ", ".join(f"{name} {kind}" for name, kind in gone[:5])
        yield _said("critical", text, apex, f"{len(gone)} records are removed from {before.path}, among them {some}.")
        return
    for name, kind in gone:
        shown = f"{name} {kind} {', '.join(sorted(old[name, kind]))[:100]}"
        if kind in _MINOR or name.startswith("_") or "._" in name:
            yield _said("low", text, f"{name} {kind}", f"The record {shown} is removed.")
        elif kind == "NS":
            grave: Severity = "critical" if name == apex else "high"
            yield _said(
                grave, text, f"{name} NS", f"Removing {shown} takes the delegation of {name} away: all below it is cut."
            )
        elif kind == "MX":
            yield _said("high", text, f"{name} MX", f"Removing {shown}: mail to {name} is no longer delivered.")
        elif name in names and kind in ("A", "AAAA", "CNAME", "ALIAS"):
            yield _said(
                "medium", text, f"{name} {kind}", f"Removing {shown}: clients of {name} go where its other records say."
            )
        else:
            yield _said("high", text, f"{name} {kind}", f"Removing {shown}: the name {name} no longer resolves.")
    for key in sorted(old.keys() & new.keys()):
        name, kind = key
        if kind in _MINOR or not new[key] or old[key] <= new[key]:
            continue
        severity: Severity = "high" if kind in ("NS", "MX") or name == apex else "medium"
        what = {"NS": "who answers for the zone", "MX": "where mail goes"}.get(kind, "where clients go")
        values = " -> ".join(", ".join(sorted(side[key]))[:100] for side in (old, new))
        yield _said(
            severity,
            text,
            f"{name} {kind}",
            f"{name} {kind} {values} changes {what}; resolvers keep the old answer until its TTL is over.",
        )


def _said(severity: Severity, text: Text, name: str, reason: str) -> Draft:
    word = name.split()[0].split(".")[0]
    return Draft(
        "DNS_CHANGE",
        severity,
        f"dns {name}",
        reason,
        reversible=True,
        back="put the record back; resolvers forget within the TTL",
        certainty="likely",
        place=text.place_of(word) if word else Place(text.path),
    )
