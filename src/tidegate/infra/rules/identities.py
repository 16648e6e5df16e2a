"""Users, keys, groups, boundaries and assignments of AWS: rights that come without a policy document changing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from tidegate.facts import Severity
from tidegate.infra.iam.documents import Document
from tidegate.infra.iam.holders import Side, sides
from tidegate.infra.iam.policy import allowed
from tidegate.infra.iam.say import all_shown, listed
from tidegate.infra.rules.iam import graded
from tidegate.infra.same import field, items, same, show
from tidegate.infra.severity import ORDER
from tidegate.infra.values import Draft, Later, ResourceChange, Value, World

ASSIGNED = ("aws_iam_group_membership", "aws_iam_user_group_membership", "aws_ssoadmin_account_assignment")
_CLUSTER_ADMINS = ("AmazonEKSClusterAdminPolicy", "AmazonEKSAdminPolicy")


def identities(world: World) -> Iterator[Draft]:
    """What keys, logins, memberships and boundaries give."""
    known: list[Side] = []

    def after() -> Side:
        if not known:
            known.append(sides(world)[1])
        return known[0]

    for change in world.changes:
        if change.action in ("no-op", "read") or not change.type.startswith("aws_"):
            continue
        if rule := _RULES.get(change.type):
            yield from rule(change)
        if change.type in ASSIGNED:
            yield from _assigned(change, after)


# Private


def _added(change: ResourceChange, name: str) -> list[str]:
    before = {show(one) for one in items(field(change.before, name))}
    return [show(one) for one in items(field(change.after, name)) if show(one) not in before]


def _key(change: ResourceChange) -> Iterator[Draft]:
    if change.after is None:
        return
    user = show(change.after.get("user"))
    if change.before is not None:
        yield Draft("SECRET_CHANGE", "low", change.address, f"The access key of {user} is made anew.", True)
        return
    reason = f"A long-lived access key is made for the user {user}; its secret stays in the state file. Let it assume a"
    reason += " role with short-lived credentials instead."
    yield Draft("IAM_WIDEN", "medium", change.address, reason, True, "delete the key")


def _login(change: ResourceChange) -> Iterator[Draft]:
    if change.before is None and change.after is not None:
        reason = f"The user {show(change.after.get('user'))} gets a password for the console."
        yield Draft("IAM_WIDEN", "medium", change.address, reason, True, "delete the login profile")


def _boundary(change: ResourceChange) -> Iterator[Draft]:
    if change.before is None or change.after is None:
        return
    before, after = change.before.get("permissions_boundary"), change.after.get("permissions_boundary")
    if not before or same(before, after) or isinstance(after, Later):
        return
    reason = f"permissions_boundary {show(before)} -> {show(after)}: "
    if after:
        reason += f"another boundary holds {change.address} from now on, which is not compared here."
    else:
        reason += f"{change.address} has no boundary any more, and all that its policies allow counts."
    yield Draft("IAM_WIDEN", "medium" if after else "high", change.address, reason, True, "set the boundary again")


def _cluster(change: ResourceChange) -> Iterator[Draft]:
    if change.after is None or same((change.before or {}).get("policy_arn"), change.after.get("policy_arn")):
        return
    name = show(change.after.get("policy_arn")).rsplit("/", 1)[-1]
    who = show(change.after.get("principal_arn"))
    admin = name in _CLUSTER_ADMINS and field(change.after, "access_scope.type") != "namespace"
    reason = f"{who} gets {name} in the cluster {show(change.after.get('cluster_name'))}"
    reason += ": it is administrator of everything in the cluster." if admin else "."
    yield Draft("IAM_WIDEN", "high" if admin else "low", change.address, reason, True, "delete the association")


def _masters(change: ResourceChange) -> Iterator[Draft]:
    groups = _added(change, "kubernetes_groups")
    if change.after is not None and "system:masters" in groups:
        reason = (
            f"{show(change.after.get('principal_arn'))} is added to system:masters: it is administrator of the cluster."
        )
        yield Draft("IAM_WIDEN", "high", change.address, reason, True, "take the group away")


_RULES: Mapping[str, Callable[[ResourceChange], Iterable[Draft]]] = {
    "aws_iam_access_key": _key,
    "aws_iam_user_login_profile": _login,
    "aws_iam_role": _boundary,
    "aws_iam_user": _boundary,
    "aws_eks_access_policy_association": _cluster,
    "aws_eks_access_entry": _masters,
}


def _assigned(change: ResourceChange, after: Callable[[], Side]) -> Iterator[Draft]:
    if change.after is None:
        return
    if change.type == "aws_ssoadmin_account_assignment":
        wanted = change.after.get("permission_set_arn")
        if change.before is not None and same(change.before.get("permission_set_arn"), wanted):
            return
        who = [f"{show(change.after.get('principal_type'))} {show(change.after.get('principal_id'))}"]
        into, kind = [wanted], "aws_ssoadmin_permission_set"
    else:
        many = change.type == "aws_iam_group_membership"
        who = _added(change, "users") if many else [show(change.after.get("user"))]
        into, kind = ([change.after.get("group")] if many else list(_added(change, "groups"))), "aws_iam_group"
    if not who or not into:
        return
    for group in into:
        severity, gives = _rights(after(), kind, group)
        words = "gets" if len(who) == 1 else "get"
        name = show(group)
        reason = f"{listed(who)} {words} what {kind.removeprefix('aws_')} {name} may do: {gives}."
        yield Draft("IAM_WIDEN", severity, change.address, reason, True, "take the membership away")


def _rights(side: Side, kind: str, wanted: Value) -> tuple[Severity, str]:
    words = wanted.words if isinstance(wanted, Later) else str(wanted)
    for holder, sources in side.policies.items():
        type_, values = side.resources.get(holder, ("", {}))
        names = {str(values.get(key)) for key in ("name", "id", "arn") if isinstance(values.get(key), str)}
        if type_ != kind or not (words in names or holder in words):
            continue
        whole = Document()
        for one in sources:
            whole = whole + one.read(side.words)
        grants = allowed(whole)
        found: list[Severity] = [graded(one).severity or "low" for one in grants]
        worst: Severity = max(found, key=ORDER.index, default="low")
        return ("high" if worst == "critical" else worst), all_shown(
            grants, 2
        ) if grants else "nothing that is shown here"
    return ("high" if "admin" in words.lower() else "low"), "its policies are not shown here"
