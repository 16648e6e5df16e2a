"""Where the world and the state have come apart, and which way a plan would settle it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from msgspec import Struct

from tidegate.facts import DriftFact, DriftKind
from tidegate.infra.environment import named, of_values
from tidegate.infra.kinds import is_utility, stateful
from tidegate.infra.same import canonical, items, same, show
from tidegate.infra.values import Draft, Later, ResourceChange, Value

_EMERGENCY = re.compile(
    r"\b(?:hot-?fix|incident|emergency|break-?glass|mitigat\w+|outage|war-?room|temporar\w+|quick-?fix|workaround"
    r"|(?:INC|SEV|PD|OPS|CHG|SIR|IR)-?\d{1,7})\b(?:[ :#-]{1,2}(?:INC|SEV|PD|OPS|CHG|SIR|IR)?-?\d{1,7}\b)?",
    re.IGNORECASE,
)
_NOISE = re.compile(
    r"^(?:etag|.*_etag|revision|fingerprint|.*_fingerprint|generation|resource_version|uid|self_link.*|latest_version"
    r"|last_.*|.*_at|.*_time|.*_timestamp|timestamp|.*_date|updated.*|modified.*|created.*|.*_last_.*|version_id"
    r"|engine_version_actual|latest_restorable_time|status|state|.*_status|.*_state|number_of_.*|.*_count_actual"
    r"|default_version|latest_.*|source_code_size|code_sha256|qualified_.*|tags_all|effective_labels|terraform_labels"
    r"|timeouts|host_id|public_ip|private_ip|public_dns|private_dns|ipv6_addresses|instance_state|platform_version"
    r"|ca_cert_identifier|os_version|image_digest|id|arn|load_balancer_arns)$"
)
_VERSION = re.compile(r"^v?(\d+)[.\d]*")
_SCALED = re.compile(r"desired_(count|capacity|size)$|replicas$|node_count$|(read|write)_capacity$")
MOST_APART = 4
"""More deletions than this are told in one sentence."""


class Drifted(Struct, frozen=True):
    """One resource as the state recorded it, and as it was found; None where it was not found. No secrets."""

    address: str
    type: str
    recorded: Mapping[str, Value]
    found: Mapping[str, Value] | None


class Settled(Struct, frozen=True):
    """What a drift is and what the plan would do about it."""

    drifted: Drifted
    fact: DriftFact


def settle(drifted: Iterable[Drifted], changes: Iterable[ResourceChange]) -> tuple[Settled, ...]:
    """Every drift, told apart. `changes` are those of the same plan; none of them is one that only refreshes."""
    by_address = {change.address: change for change in changes}
    return tuple(
        _settled(one, by_address.get(one.address))
        for one in drifted
        if not is_utility(one.type) and not same(one.recorded, one.found)
    )


def unmanaged(changes: Iterable[ResourceChange]) -> Iterator[DriftFact]:
    """What leaves Terraform's care and stays in the world."""
    for change in changes:
        if change.action == "forget":
            yield DriftFact("unmanaged", change.address, "it is no longer managed by Terraform; it stays as it is")


def drafts(settled: Iterable[Settled], environment: str) -> Iterator[Draft]:
    """What is worth a reviewer's word: what the plan would undo, and what is gone."""
    gone = []
    for one in settled:
        if one.fact.kind == "deleted-by-hand" and one.fact.undone:
            gone.append(one)
        elif one.fact.undone and (one.fact.kind == "emergency-fix" or not _labels(one.fact.attributes)):
            yield _revert(one, environment)
    gone.sort(key=lambda one: (stateful(one.drifted.type) is None, one.drifted.address))
    holding = [one for one in gone if stateful(one.drifted.type) is not None]
    rest = gone[len(holding) :]
    for one in holding if len(rest) > MOST_APART else gone:
        yield _gone([one], environment)
    if len(rest) > MOST_APART:
        yield _gone(rest, environment)


# Private


def _settled(one: Drifted, change: ResourceChange | None) -> Settled:
    if one.found is None:
        undone = change is not None and change.action == "create"
        end = "the plan creates it again" if undone else "the plan leaves it at that"
        reason = f"it was deleted outside Terraform; {end}"
        return Settled(one, DriftFact("deleted-by-hand", one.address, reason, (), undone))
    differing = tuple(_differing(one.recorded, one.found))
    taken_back = tuple(name for name in differing if _undone(one, change, name) and not _raised(one, name))
    attributes = tuple(name for name in differing if name in taken_back or not _silent(one, name))
    if not attributes:
        reason = "the provider reports other values that nobody set"
        return Settled(one, DriftFact("provider-noise", one.address, reason, differing))
    emergency = _emergency(one, attributes)
    words = tuple(_told(name, one.recorded.get(name), one.found.get(name)) for name in taken_back or attributes)
    kind: DriftKind = "emergency-fix" if emergency else "changed-by-hand"
    said = f"changed outside Terraform{f' ({emergency})' if emergency else ''}: {'; '.join(words[:3])}"
    if taken_back:
        return Settled(one, DriftFact(kind, one.address, f"{said}; the plan takes it back", taken_back, True))
    if change is None:
        return Settled(one, DriftFact(kind, one.address, f"{said}; the plan leaves it as it is", attributes))
    reason = f"{said}; the code says the same, and the plan changes nothing"
    return Settled(one, DriftFact("catches-up", one.address, reason, attributes))


def _differing(recorded: Mapping[str, Value], found: Mapping[str, Value]) -> Iterator[str]:
    for name in sorted({*recorded, *found}):
        if not same(recorded.get(name), found.get(name)):
            yield name


def _silent(one: Drifted, name: str) -> bool:
    """Whether an attribute that no plan takes back is the provider's own affair."""
    return _NOISE.match(name) is not None or _raised(one, name)


def _raised(one: Drifted, name: str) -> bool:
    """Whether the provider itself raised a minor version: nobody did that by hand."""
    old, new = str(one.recorded.get(name)), str((one.found or {}).get(name))
    if not name.endswith("version"):
        return False
    before, after = _VERSION.match(old), _VERSION.match(new)
    return before is not None and after is not None and before[1] == after[1]


def _undone(one: Drifted, change: ResourceChange | None, name: str) -> bool:
    """Whether the plan takes what was found of an attribute away again."""
    if change is None or change.action in ("no-op", "read", "forget", "import") or one.found is None:
        return False
    if change.after is None:
        return False  # all of it goes, and other rules say so
    planned = change.after.get(name)
    if isinstance(planned, Later):
        return False
    return not same(planned, one.found.get(name))


def _emergency(one: Drifted, attributes: Iterable[str]) -> str:
    """What is written near the change about an incident, "" where nothing is."""
    found = one.found or {}
    new = [text for name in attributes for text in _new(one.recorded.get(name), found.get(name))]
    notes = [found.get("description"), found.get("comment")]
    for tags in (found.get("tags"), found.get("labels")):
        notes += [f"{key} {value}" for key, value in tags.items()] if isinstance(tags, Mapping) else []
    for text in (*new, *(note for note in notes if isinstance(note, str))):
        match = _EMERGENCY.search(text)
        if match:
            return match.group()
    return ""


def _new(recorded: Value, found: Value) -> Iterator[str]:
    """The texts in a value that were not in the recorded one."""
    old = set(_texts(recorded))
    yield from (text for text in _texts(found) if text not in old)


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(inner, str):
                yield f"{key} {inner}"
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)


def _told(name: str, recorded: Value, found: Value) -> str:
    """What differs in an attribute; of lists only what was added and removed."""
    if isinstance(recorded, (list, tuple)) or isinstance(found, (list, tuple)):
        old, new = items(recorded), items(found)
        had, has = {repr(canonical(one)) for one in old}, {repr(canonical(one)) for one in new}
        added = [_brief(one) for one in new if repr(canonical(one)) not in had]
        gone = [_brief(one) for one in old if repr(canonical(one)) not in has]
        told = [f"{word} {', '.join(few[:3])}" for word, few in (("gained", added), ("lost", gone)) if few]
        return f"{name} {' and '.join(told)}"
    if isinstance(recorded, Mapping) and isinstance(found, Mapping):
        inner = (
            f"{name}.{key} {show(recorded.get(key))} -> {show(found.get(key))}" for key in _differing(recorded, found)
        )
        return ", ".join(islice(inner, 3))
    return f"{name} {show(recorded)} -> {show(found)}"


def _brief(value: Value) -> str:
    """An element of a list without what is empty in it."""
    if not isinstance(value, Mapping):
        return show(value)
    if not isinstance(value.get("from_port"), Later) and "from_port" in value and "to_port" in value:
        return _rule(value)
    kept = [f"{key} {show(inner)}" for key, inner in value.items() if canonical(inner) is not None]
    return "{" + ", ".join(kept[:6]) + "}"


def _rule(value: Mapping[str, Value]) -> str:
    """A rule of a security group as people say it: `22/tcp for 203.0.113.7/32`."""
    first, last = show(value.get("from_port")), show(value.get("to_port"))
    ports = first if first == last else f"{first}-{last}"
    peers = [
        show(one) for key in ("cidr_blocks", "ipv6_cidr_blocks", "security_groups") for one in items(value.get(key))
    ]
    note = value.get("description")
    text = f"{ports}/{show(value.get('protocol'))} for {', '.join(peers[:3]) or 'itself'}"
    return f'{text} ("{show(note)}")' if isinstance(note, str) and note else text


def _labels(attributes: Iterable[str]) -> bool:
    return all(name in ("tags", "tags_all", "labels", "effective_labels", "terraform_labels") for name in attributes)


def _revert(one: Settled, environment: str) -> Draft:
    urgent = one.fact.kind == "emergency-fix"
    scaled = any(_SCALED.match(name) for name in one.fact.attributes)
    advice = (
        "It reads like an emergency fix: ask who made it, and write it into the code first if it still counts."
        if urgent
        else "Find out who changed it and why; write it into the code first if it is still needed."
    )
    if scaled:
        advice += " If an autoscaler set it, let the code ignore this attribute."
    return Draft(
        code="DRIFT_REVERT",
        severity="low" if _labels(one.fact.attributes) else "medium",
        address=one.drifted.address,
        reason=f"Drift: {one.drifted.address} was {one.fact.reason.replace('; the plan takes it back', '')}."
        f" Applying this takes that back without saying so. {advice}",
        reversible=True,
        back="make the change by hand again, or in the code",
        environment=_where(one.drifted, environment),
        code_only=True,
    )


def _gone(settled: list[Settled], environment: str) -> Draft:
    first = settled[0].drifted
    holds = stateful(first.type)
    names = [one.drifted.address for one in settled]
    listed = ", ".join(names[:MOST_APART]) + (f" and {len(names) - MOST_APART} more" if len(names) > MOST_APART else "")
    were, them = ("was", "it") if len(names) == 1 else ("were", "them")
    empty = f" The {holds.word} comes back empty." if holds is not None and len(names) == 1 else ""
    return Draft(
        code="DRIFT_EXTERNAL_DELETE",
        severity="high" if holds is not None and holds.severity == "critical" else "low",
        address=first.address,
        reason=f"Drift: {listed} {were} deleted outside Terraform, and this plan creates {them} again.{empty}"
        f" Whoever looks after {them} should find out who did that and why before it is applied.",
        reversible=holds is None,
        back="the audit log of the account says who made the call",
        environment=_where(first, environment),
        code_only=True,
    )


def _where(one: Drifted, environment: str) -> str:
    return of_values(one.found or one.recorded) or named(one.address) or environment
