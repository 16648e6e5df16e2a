"""Whom the policies of buckets, queues, keys, secrets, functions and other things of AWS let in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from tidegate.facts import EffectCode, Severity, Unjudged
from tidegate.infra.iam.actions import action
from tidegate.infra.iam.documents import AFTER, Document, Statement, Words, read_document
from tidegate.infra.iam.grade import DATA_READS, grade
from tidegate.infra.iam.names import words_of
from tidegate.infra.iam.openness import named, openness, own_accounts
from tidegate.infra.iam.policed import POLICED, Policed, of_thing, policy_of, target
from tidegate.infra.iam.policy import Grant, difference
from tidegate.infra.iam.say import all_shown, listed, shown
from tidegate.infra.rules.iam import only_transport
from tidegate.infra.same import field, flag, same
from tidegate.infra.severity import ORDER
from tidegate.infra.values import Draft, Later, Mitigation, ResourceChange, Value, World

BACK = "apply the policy as it was before; what was read meanwhile stays read"


def let_in(world: World) -> Iterator[Draft | Unjudged]:
    """What changes in whom a resource's own policy lets in."""
    mine = [one for one in world.changes if one.type in POLICED and one.action not in ("no-op", "read")]
    if not mine:
        return
    own, words = own_accounts(world), words_of(world)
    gone = {target(one, words[0]): one for one in mine if one.after is None}
    made = {target(one, words[1]) for one in mine if one.before is None}
    for change in mine:
        policed = POLICED[change.type]
        if change.after is None and target(change, words[0]) in made:
            continue
        moved = gone.get(target(change, words[1])) if change.before is None else None
        before = policy_of(policed, moved.before if moved is not None else change.before)
        after = policy_of(policed, change.after)
        if same(before, after) or (change.after is None and change.type not in _GUARDS and not _denies(before)):
            continue
        yield from _of(_Case(world, change, policed, before, after, own, words, moved is not None))


# Private

_GUARDS = ("aws_organizations_policy", "aws_s3_bucket_policy")


class _Case(Struct, frozen=True):
    world: World
    change: ResourceChange
    policed: Policed
    before: Value
    after: Value
    own: frozenset[str]
    words: tuple[Words, Words]
    moved: bool

    @property
    def thing(self) -> str:
        """The thing that the policy is of, as people name it: its address and its name."""
        values = self.change.after or self.change.before or {}
        uses = self.world.uses_after if self.change.after is not None else self.world.uses_before
        type_ = self.change.type.removesuffix("_policy")
        address = next((use.used for use in uses.used(self.change.address) if f"{type_}." in use.used), "")
        named = (
            values.get(key) for key in ("bucket", "queue_url", "function_name", "repository", "name", "domain_name")
        )
        name = next((str(one) for one in named if isinstance(one, str) and one), "")
        address = address or self.change.address
        return f"the {self.policed.noun} {address}" + (f" ({name})" if name and name not in address else "")

    @property
    def is_new(self) -> bool:
        """Whether the thing itself is made by this change, so that there is nothing in it yet."""
        if self.moved:
            return False
        if self.change.type.removesuffix("_policy") == self.change.type and self.policed.attribute != "":
            return self.change.before is None
        created = {one.address for one in self.world.changes if one.before is None}
        return any(use.used in created for use in self.world.uses_after.used(self.change.address))


def _denies(value: Value) -> bool:
    return isinstance(value, (str, Mapping)) and any(not one.allows for one in read_document(value).statements)


def _of(case: _Case) -> Iterator[Draft | Unjudged]:
    before, after = read_document(case.before, case.words[0]), read_document(case.after, case.words[1])
    if case.change.type.startswith("aws_vpc_endpoint"):
        before, after = _or_open(case.before, before), _or_open(case.after, after)
    noun = case.policed.noun
    found = difference(of_thing(before, noun), of_thing(after, noun))
    if found.unread:
        yield from _unjudged(case, found.unread)
        return
    alike: dict[tuple[object, ...], list[Grant]] = {}
    for one in found.gained:
        key = (openness(one, case.own), one.actions, one.resources, one.conditions, one.other_principals)
        alike.setdefault(key, []).append(one)
    said = [draft for grants in alike.values() if (draft := _gained(case, grants)) is not None]
    yield from sorted(said, key=lambda one: -ORDER.index(one.severity))[:6]
    if case.change.after is not None or case.change.type in _GUARDS:
        yield from _undenied(case, [one for one in found.undenied if not only_transport(one)])
    lost = [one for one in found.lost if one.principal != "" or case.change.type == "aws_organizations_policy"]
    if lost and case.change.before is not None and case.change.after is not None:
        who = listed((named(one.principal) for one in lost), 3)
        gone = listed((_does(one, case.thing) for one in lost), 2)
        reason = f"{who} may no longer do {gone} on {case.thing}."
        if terms := [str(one) for grant in found.gained or () for one in grant.conditions]:
            reason = f"{who} may use {case.thing} only if {listed(terms, 2)}."
        yield Draft("IAM_CUT", "low", case.change.address, reason, True, "apply the policy as it was before")


def _or_open(value: Value, document: Document) -> Document:
    """An endpoint without a policy lets everything through."""
    if value in (None, "") and not document.unread:
        return Document((Statement(True, ("*",), ("*",), ("*",), named=("*",)),))
    return document


def _unjudged(case: _Case, unread: tuple[str, ...]) -> Iterator[Unjudged]:
    if case.change.type in ("aws_kms_key", "aws_sqs_queue", "aws_sns_topic", "aws_vpc_endpoint") and (
        case.before is None and isinstance(case.after, Later) and case.change.action == "create"
    ):
        return
    if isinstance(case.after, Later) and not case.after.words and _computed(case):
        return
    when = "is known only after apply" if unread[0] == AFTER.unknown else f"depends on {unread[0]}"
    if unread[0].startswith("it is"):
        when = f"cannot be read: {unread[0]}"
    yield Unjudged(
        case.change.address,
        f"The policy of {case.thing} {when}; whom it lets in cannot be judged.",
        "show the HCL beside the plan, or apply -target the resources that the policy names first",
        case.change.place,
    )


def _computed(case: _Case) -> bool:
    """Whether an attribute that providers fill in by themselves is merely not filled in yet: a new thing's default."""
    return case.change.before is None and not case.change.type.endswith("_policy")


def _gained(case: _Case, grants: list[Grant]) -> Draft | None:
    """What is said of grants that differ in the principal only."""
    grant = grants[0]
    who, names = openness(grant, case.own), listed((named(one.principal) for one in grants), 3)
    reads = {one for one in grant.reach if one in DATA_READS or action(one).level == "read"}
    address = case.change.address
    does = _does(grant, case.thing)
    terms = f", only if {' and '.join(str(one) for one in grant.conditions[:2])}" if grant.conditions else ""
    if case.change.type.startswith("aws_vpc_endpoint"):
        if grant.principal == "*" and "*" in grant.actions:
            return _draft("IAM_WIDEN", "medium", address, f"{case.thing} lets every request through now{terms}.")
        return None
    if case.change.type == "aws_organizations_policy":
        return None
    if who == "everybody":
        return _public(case, grant, does, terms, bool(reads))
    if who in ("foreign", "unknown"):
        severity: Severity = "high" if case.policed.everybody == "critical" else "medium"
        if who == "unknown" and (not grant.principal.isdigit() or case.is_new):
            named_by_code = "${" in grant.principal and "account" not in grant.principal
            severity = "low" if case.is_new or named_by_code else "medium"
        elif grant.conditions and case.is_new:
            severity = "medium"
        other = ", not of this account," if who == "foreign" else ""
        return _draft("IAM_TRUST", severity, address, f"{names}{other} may do {does} on {case.thing}{terms}.")
    if who == "service" or case.is_new:
        return None
    found = grade(Grant("", grant.actions, (address,), grant.conditions, grant.reach, grant.all_but)).severity
    if found is None or who == "federated":
        return None
    level: Severity = "medium" if found == "medium" and grant.principal == "*" and case.before else "low"
    return _draft("IAM_WIDEN", level, address, f"{names} may do {does} on {case.thing}{terms}.")


def _public(case: _Case, grant: Grant, does: str, terms: str, reads: bool) -> Draft | None:
    noun, severity = case.policed.noun, case.policed.everybody
    if noun == "API" and not _denies(case.before):
        return None
    only_lists = not reads and all(action(one).level == "list" for one in grant.reach)
    if case.is_new or only_lists or grant.conditions:
        severity = "high" if severity == "critical" else "medium"
    others = (
        f" except {listed(named(one) for one in grant.other_principals)} (NotPrincipal)"
        if grant.other_principals
        else ""
    )
    reason = (
        f"Everybody on the internet{others}, without any account, may do {does} on {case.thing}{terms}: it is public."
    )
    if reads and severity == "critical":
        what = "What is encrypted with it" if noun == "key" else f"What is in the {noun}"
        reason += f" {what} can be read by anybody and copied before anyone notices."
    reason += " Name the accounts or the organisation (aws:PrincipalOrgID) that need it."
    return Draft("NET_EXPOSE", severity, case.change.address, reason, False, BACK, mitigations=tuple(_blocked(case)))


def _blocked(case: _Case) -> Iterator[Mitigation]:
    """What keeps the public out after the change all the same: a bucket's access block, a domain's own network."""
    if case.policed.noun == "search domain":
        places = [use.used for use in case.world.uses_after.used(case.change.address)]
        values = [case.change.after or {}, *(case.world.after[one].values for one in places if one in case.world.after)]
        if any(field(one, "vpc_options.subnet_ids") for one in values):
            yield Mitigation("the domain is inside a VPC (vpc_options): only its network reaches it", 2)
    if case.policed.noun != "bucket":
        return
    bucket = (case.change.after or {}).get("bucket")
    needed = {use.used for use in case.world.uses_after.used(case.change.address)}
    for address, one in case.world.after.items():
        if one.type != "aws_s3_bucket_public_access_block":
            continue
        mine = {use.used for use in case.world.uses_after.used(address)}
        if not ((isinstance(bucket, str) and one.values.get("bucket") == bucket) or mine & needed):
            continue
        if flag(field(one.values, "block_public_policy")) or flag(field(one.values, "restrict_public_buckets")):
            yield Mitigation(f"{address} blocks public policies: the apply is refused or strangers stay out", 2)


def _undenied(case: _Case, grants: list[Grant]) -> Iterator[Draft]:
    if not grants:
        return
    worst: Severity = "low"
    for grant in grants:
        plain = Grant("", grant.actions, grant.resources, (), grant.reach, grant.all_but)
        found = grade(plain).severity or "low"
        worst = max(worst, "high" if found in ("high", "critical") else found, key=ORDER.index)
    if case.policed.everybody == "critical" and worst == "medium":
        worst = "high"
    of = "the organisation's policy" if case.policed.noun == "organisation" else f"the policy of {case.thing}"
    yield Draft(
        "IAM_WIDEN",
        worst,
        case.change.address,
        f"The Deny of {all_shown(grants)} is gone from {of}: whatever other policies allow of it counts now.",
        True,
        BACK,
    )


def _draft(code: EffectCode, severity: Severity, address: str, reason: str) -> Draft:
    return Draft(code, severity, address, reason[0].upper() + reason[1:] if reason[:3] != "arn" else reason, True, BACK)


def _does(grant: Grant, thing: str) -> str:
    """The actions of a grant, and what of the thing they are on where that is not all of it."""
    paths = [one.split("/", 1)[1] for one in grant.resources if "/" in one]
    plain = shown(Grant("", grant.actions, ("",), all_but=grant.all_but)).rpartition(" on ")[0]
    if grant.other_resources:
        return f"{plain} on everything but {listed(grant.resources, 2)} (NotResource),"
    narrow = [one for one in paths if one != "*" and one.removesuffix("/*") not in thing]
    return f"{plain} under {listed(narrow, 2)}" if narrow and len(narrow) == len(grant.resources) else plain
