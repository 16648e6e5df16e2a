"""What can be reached after the change and could not before, through groups, network ACLs and firewalls."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from tidegate.facts import Severity, Unjudged
from tidegate.infra.network import ports
from tidegate.infra.network.behind import attachments, has_public_address, holds_data, is_balancer, privacy
from tidegate.infra.network.entries import holds_rules
from tidegate.infra.network.groups import Opened, Side, opened, sides
from tidegate.infra.network.ranges import Block, addresses, cidrs, internet_share, private_size, spans_of
from tidegate.infra.severity import ORDER
from tidegate.infra.values import Draft, Mitigation, Resource, World

WIDE = 0.004
"""A share of the internet that nobody owns: a /8."""
COMPUTED = "= (known after apply)"
"""How a new group reads in a plan whose rules are all resources of their own."""
_FOREIGN = 0.000015
"""A /16 of the internet: more than one's own offices."""
_BALANCER = re.compile(
    r"(?<![a-z])(lb|alb|elb|nlb|balancer|loadbalancer|public|web|edge|ingress|proxy|nginx|cdn|http|https)"
)


def reach(world: World) -> Iterator[Draft | Unjudged]:
    """New reach by set difference of all rules of a group: moved, reordered, merged and split rules say nothing."""
    changed = [one.address for one in world.changes if holds_rules(one.type) and one.action not in ("no-op", "read")]
    if not changed:
        return
    before, after = sides(world)
    behind: dict[str, tuple[Resource, ...]] = {}
    found = list(opened(before, after, changed))
    if found:
        behind = dict(attachments(after))
    told: set[tuple[str, tuple[str, ...]]] = set()
    for one in found:
        if (one.group, one.unclear) not in told:
            told.add((one.group, one.unclear))
            yield from _unclear(one)
        if one.is_new and _is_acl(one, after):
            continue
        if one.blocks and one.direction == "in":
            yield from _inward(one, after, behind.get(one.group, ()))
        elif one.blocks:
            yield from _outward(one, before)


def written(texts: Sequence[str]) -> str:
    """Ranges as a sentence names them, with what they come to where it is not written as everyone writes it."""
    spans = [span for text in texts if (span := addresses(text)) is not None]
    disguise = _disguise(texts) if internet_share(spans) >= 0.95 else ""
    return f"{', '.join(texts[:4])}{_more(len(texts) - 4)}{disguise}"


class _Said(Struct, frozen=True):
    severity: Severity
    words: str


# Private


def _unclear(one: Opened) -> Iterator[Unjudged]:
    computed = one.is_new and all(text.endswith(COMPUTED) for text in one.unclear)
    if one.unclear and one.direction == "in" and not computed:
        yield Unjudged(
            one.by,
            f"who {one.group} lets in cannot be read from here: {'; '.join(one.unclear[:3])}.",
            "Give the plan: there these values are known.",
        )


def _inward(one: Opened, side: Side, behind: Sequence[Resource]) -> Iterator[Draft]:
    said = [*_by_addresses(one, behind), *_by_names(one)]
    if not said:
        return
    severity = max((part.severity for part in said), key=ORDER.index)
    sentences = [part.words for part in said]
    if behind:
        names = ", ".join(resource.address for resource in behind[:3])
        sentences.append(f"Behind it: {names}{_more(len(behind) - 3)}.")
    if ORDER.index(severity) >= ORDER.index("medium"):
        sentences.append("Name only the ranges or groups that need it.")
    yield Draft(
        "NET_EXPOSE",
        severity,
        one.by,
        " ".join(sentences),
        reversible=True,
        back="Take the new rule out and apply again; what was read meanwhile stays read.",
        dependents=tuple(resource.address for resource in behind),
        mitigations=tuple(_mitigations(one, side, behind, severity)),
    )


def _by_addresses(one: Opened, behind: Sequence[Resource]) -> Iterator[_Said]:
    blocks = [block for block in one.blocks if not block.named]
    share = internet_share(spans_of(blocks))
    if share > 0:
        public = [block for block in blocks if internet_share((block.addresses,)) > 0]
        severity = _public_severity(one, public, share, behind)
        if severity is not None:
            yield _Said(severity, _opens(one, public, share))
        return
    size, named = private_size(spans_of(blocks)), ports.sensitive(blocks)
    if named and size >= 2**16 and not one.is_new:
        who = ", ".join(cidrs(block.addresses for block in blocks)[:4])
        yield _Said(
            "medium" if size >= 2**24 else "low",
            f"{one.group}: {ports.shown(blocks)} can be reached from {who}, a wide private range;"
            f" before {_before(one)}.",
        )


def _public_severity(one: Opened, public: Sequence[Block], share: float, behind: Sequence[Resource]) -> Severity | None:
    grave = bool(ports.sensitive(public))
    if share < WIDE:
        return ("medium" if share >= _FOREIGN else "low") if grave else "low" if share >= _FOREIGN else None
    serves_all = any(map(is_balancer, behind)) or (not behind and bool(_BALANCER.search(one.group.lower())))
    if ports.is_web(public):
        return "low" if behind and not serves_all and not one.is_new else None
    if not grave:
        return "low" if serves_all or one.is_new else "medium"
    open_data = any(has_public_address(resource) and holds_data(resource) for resource in behind)
    open_host = any(has_public_address(resource) for resource in behind)
    if open_data or (open_host and set(ports.sensitive(public)) & set(ports.DATA)):
        return "critical"
    return "medium" if one.is_new and not set(ports.sensitive(public)) & set(ports.DATA) else "high"


def _opens(one: Opened, public: Sequence[Block], share: float) -> str:
    ranges = cidrs(block.addresses for block in public)
    texts = [text for text in one.texts if _is_public(text)] or list(ranges)
    shown = f"{', '.join(texts[:4])}{_more(len(texts) - 4)}"
    if share >= 0.95:
        who = f"the internet ({shown}{_disguise(texts)})"
    elif share >= WIDE:
        who = f"{shown}, {max(share, 0.01):.0%} of the internet"
    else:
        who = f"{shown}, addresses on the internet"
    return f"{one.group}: {ports.shown(public)} can be reached from {who}; before {_before(one)}."


def _disguise(texts: Sequence[str]) -> str:
    """What is said where the internet is not written as it is by everyone."""
    if any(text in ("0.0.0.0/0", "::/0", "*", "Internet", "Any") for text in texts):
        return ""
    if any(text.endswith("/0") for text in texts):
        return ": a mask of /0 is every address, whatever stands before it"
    return ": together they are all of it"


def _before(one: Opened) -> str:
    spans = spans_of(one.before)
    names = sorted({block.named for block in one.before if block.named})
    texts = [*cidrs(spans), *names]
    if internet_share(spans) >= 0.95:
        return f"only {ports.shown(one.before)} from {', '.join(texts[:3])}"
    return f"only from {', '.join(texts[:3])}{_more(len(texts) - 3)}" if texts else "from nowhere"


def _by_names(one: Opened) -> Iterator[_Said]:
    """Groups and prefix lists that are let in. A new service beside a store is a line at most."""
    blocks = [block for block in one.blocks if block.named not in ("", "itself", one.group)]
    if not blocks or one.is_new or private_size(spans_of(one.before)) >= 256:
        return
    moved = bool(one.closed) and any(block.named for block in one.closed)
    sources = {block.named for block in blocks}
    if ports.sensitive(blocks) or moved or sources <= {block.named for block in one.was}:
        who = ", ".join(sorted(sources)[:3])
        cut = ", ".join(sorted({block.named for block in one.closed if block.named})[:3])
        lost = f" {cut} on {ports.shown(one.closed)} is let in no longer: clients there are cut." if moved else ""
        yield _Said("low", f"{one.group}: {ports.shown(blocks)} can be reached from {who}.{lost}")


def _mitigations(one: Opened, side: Side, behind: Sequence[Resource], severity: Severity) -> Iterator[Mitigation]:
    """What keeps the internet away is named. It lowers only where nothing behind the group holds data."""
    words = [privacy(resource, side) for resource in behind[:6]]
    kept = all(words) and not any(map(holds_data, behind)) and len(behind) <= 6
    for at, text in enumerate(text for texts in words for text in texts):
        yield Mitigation(text, 1 if kept and at == 0 and severity in ("high", "critical") else 0)
    if _is_acl(one, side):
        yield Mitigation("security groups still decide behind a network ACL", 1)


def _is_acl(one: Opened, side: Side) -> bool:
    """Whether these are rules of a network ACL. A new one that lets all pass is what a subnet has without it."""
    owner = side.names.resources.get(one.by)
    return "network_acl" in (owner.type if owner is not None else one.by)


def _outward(one: Opened, before: Side) -> Iterator[Draft]:
    share = internet_share(spans_of(one.blocks))
    old = before.rules.get((one.group, "out"), ())
    if share < WIDE or one.is_new or not old or ports.is_web(one.blocks):
        return
    yield Draft(
        "NET_EXPOSE",
        "low",
        one.by,
        f"{one.group} can send to the internet on {ports.shown(one.blocks)}; before {_before(one)}. What runs there"
        " could carry data out.",
        reversible=True,
        back="Take the new rule out and apply again.",
    )


def _is_public(text: str) -> bool:
    span = addresses(text)
    return span is not None and internet_share((span,)) > 0


def _more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""
