"""Rights as sets: what roles allow and who is bound to them, before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tidegate.facts import Severity, Unjudged
from tidegate.infra.kubernetes.objects import mapping, mappings, sequence
from tidegate.infra.kubernetes.rules.common import created, deleted, labels, name_of, space_of, updated
from tidegate.infra.kubernetes.words import listed
from tidegate.infra.values import Draft, Hidden, ResourceChange, Value, World

_GROUP = "rbac.authorization.k8s.io"
_OLD = "authorization.openshift.io"
ROLES = tuple(f"{group}/{kind}" for group in (_GROUP, _OLD) for kind in ("Role", "ClusterRole"))
BINDINGS = tuple(f"{group}/{kind}" for group in (_GROUP, _OLD) for kind in ("RoleBinding", "ClusterRoleBinding"))
GROUPS = ("user.openshift.io/Group",)
EVERYONE = ("system:authenticated", "system:unauthenticated", "system:anonymous", "system:serviceaccounts")
_ADMIN = ("cluster-admin", "sudoer")
_BROAD = ("admin", "edit")
_CONSTRAINT = "system:openshift:scc:"
_STRONG_CONSTRAINTS = ("privileged", "hostaccess", "hostmount-anyuid", "hostnetwork", "hostnetwork-v2", "node-exporter")

Grant = tuple[str, str, str, str]
"""Group, resource, verb, and name of a thing or `*`."""


def roles(world: World) -> Iterator[Draft | Unjudged]:
    """Roles that allow more, or less."""
    bound = {_role(one.after) for one in created(world, *BINDINGS)}
    for change in (*updated(world, *ROLES), *created(world, *ROLES)):
        if change.action == "create" and name_of(change) in bound:
            continue
        old, new = grants(change.before), grants(change.after)
        more = [one for one in sorted(new) if not any(_covers(held, one) for held in old)]
        holders = _holders(world, change)
        if more:
            yield from _widened(change, more, holders)
        elif change.action == "update":
            less = [one for one in sorted(old) if not any(_covers(held, one) for held in new)]
            if less:
                reason = f"{change.address} no longer allows {listed([_said(one) for one in less])}{_to(holders)}."
                yield Draft("IAM_CUT", "low", change.address, reason, True, "see that nobody needs it")
        yield from _aggregated(change)
    for change in deleted(world, *ROLES):
        holders = [one for one in _holders(world, change) if one]
        if holders and _binding_stays(world, change):
            reason = (
                f"{change.address} is deleted, and {listed(holders)} are still bound to it: they lose these rights."
            )
            yield Draft("IAM_CUT", "medium", change.address, reason, True, "apply it again")


def bindings(world: World) -> Iterator[Draft | Unjudged]:
    """Who is newly bound to which role, and who no longer is."""
    for change in (*updated(world, *BINDINGS), *created(world, *BINDINGS)):
        old, new = _subjects(change.before), _subjects(change.after)
        role = _role(change.after)
        fresh = [one for one in new if one not in old] if role == _role(change.before) else new
        if fresh:
            yield from _bound(world, change, role, fresh)
        lost = [one for one in old if one not in new]
        if lost and change.action == "update":
            reason = f"{change.address} no longer binds {listed(lost)} to {role}: they lose its rights."
            yield Draft("IAM_CUT", "low", change.address, reason, True, "see that nobody needs it")
    for change in deleted(world, *BINDINGS):
        who = _subjects(change.before)
        if who:
            reason = f"{change.address} is deleted: {listed(who)} lose the rights of {_role(change.before)}."
            yield Draft("IAM_CUT", "low", change.address, reason, True, "see that nobody needs it")


def groups(world: World) -> Iterator[Draft | Unjudged]:
    """Groups of people (OpenShift) that grow, where the group holds strong rights or its name says so."""
    for change in (*updated(world, *GROUPS), *created(world, *GROUPS)):
        old = [str(one) for one in sequence((change.before or {}).get("users"))]
        users = [one for one in sequence((change.after or {}).get("users")) if not isinstance(one, Hidden)]
        fresh = [str(one) for one in users if str(one) not in old]
        if not fresh:
            continue
        role = _role_of_group(world, name_of(change))
        admins = role in _ADMIN or (not role and _names_admins(name_of(change)))
        if admins and change.action == "update":
            via = f"which is bound to {role}" if role else "which by its name is bound to cluster-admin"
            reason = (
                f"users: {listed(fresh)} joins the group {name_of(change)}, {via}: every right on the whole cluster."
            )
            yield Draft(
                "PRIV_ESC", "high", change.address, reason, True, "see that the person needs it, and for how long"
            )
        elif change.action == "update":
            grave: Severity = "medium" if role in _BROAD else "low"
            held = f" ({role})" if role else ""
            reason = f"users: {listed(fresh)} joins the group {name_of(change)} and gains its rights{held}."
            yield Draft("IAM_WIDEN", grave, change.address, reason, True, "remove the user")


def grants(values: Mapping[str, Value] | None) -> set[Grant]:
    """What a role allows, one by one."""
    found: set[Grant] = set()
    for rule in mappings((values or {}).get("rules")):
        verbs = [str(one) for one in sequence(rule.get("verbs"))]
        for path in sequence(rule.get("nonResourceURLs")):
            found |= {("url", str(path), verb, "*") for verb in verbs}
        names = [str(one) for one in sequence(rule.get("resourceNames"))] or ["*"]
        for group in sequence(rule.get("apiGroups")) or ([""] if rule.get("resources") else []):
            for resource in sequence(rule.get("resources")):
                found |= {(str(group), str(resource), verb, name) for verb in verbs for name in names}
    return found


def graveness(grant: Grant, cluster: bool) -> tuple[Severity, str]:
    """How grave it is to allow this, and why; ("low", "") for what is harmless.

    https://kubernetes.io/docs/concepts/security/rbac-good-practices/
    """
    group, resource, verb, name = grant
    writes = verb in ("*", "create", "update", "patch")
    if group == "url":
        return "low", ""
    core, rbac = group in ("", "*"), group in (_GROUP, "*")
    if rbac and verb in ("escalate", "bind", "*") and resource in ("roles", "clusterroles", "*"):
        return "high", "it lets its holder give itself any right (escalate)"
    if verb in ("use", "*") and resource in ("securitycontextconstraints", "podsecuritypolicies"):
        weak = name.startswith(("restricted", "nonroot"))
        return ("low", "") if weak else ("high", "pods under it can escalate to their node")
    if verb == "impersonate" or (verb == "*" and resource in ("users", "groups", "serviceaccounts") and core):
        return "high", "its holder can act as others (impersonate) and so escalate"
    if rbac and writes and resource.endswith("rolebindings"):
        return "high", "its holder can bind itself to roles and so escalate"
    if core and resource in ("nodes/proxy", "serviceaccounts/token") and verb in ("*", "create", "get"):
        return "high", "it reaches every pod of a node or the tokens of accounts, and so escalates"
    if core and resource in ("secrets", "*") and verb in ("get", "list", "watch", "*") and name == "*":
        return ("high" if cluster else "medium"), "it reads every secret, the tokens of other accounts among them"
    if core and resource in ("pods/exec", "pods/attach", "pods/ephemeralcontainers") and verb in ("create", "get", "*"):
        return ("high" if cluster else "medium"), "it runs commands in any pod, with that pod's rights"
    if _makes_pods(group, resource) and verb in ("create", "*"):
        return ("high" if cluster else "medium"), "who can create pods can use every account and secret there"
    if group in ("admissionregistration.k8s.io", "*") and writes and "webhook" in resource:
        return "high", "it can read and change every object on its way in"
    if resource == "*" and (verb == "*" or writes):
        return ("high" if cluster and core else "medium"), "it covers resources that do not exist yet"
    return "low", ""


def subjects_bound(world: World, account: str, space: str) -> tuple[Severity, str]:
    """How strong the rights are that a service account holds by the bindings of the set, and why."""
    order = ("low", "medium", "high", "critical")
    strongest: tuple[Severity, str] = ("low", "")
    for one in world.after.values():
        if one.type not in BINDINGS:
            continue
        for subject in mappings(one.values.get("subjects")):
            named = (subject.get("kind"), subject.get("name"), str(subject.get("namespace") or space))
            if named == ("ServiceAccount", account, space):
                words, grave = _role_words(
                    world, one.values, _role(one.values), one.type.endswith("ClusterRoleBinding")
                )
                if order.index(grave) > order.index(strongest[0]):
                    strongest = (grave, f"{one.address} binds it to {_role(one.values)}: {words}")
    return strongest


# Private


def _makes_pods(group: str, resource: str) -> bool:
    if group in ("", "*") and resource in ("pods", "replicationcontrollers"):
        return True
    return group in ("apps", "batch", "*") and resource in (
        "deployments",
        "statefulsets",
        "daemonsets",
        "jobs",
        "cronjobs",
        "replicasets",
    )


def _covers(held: Grant, asked: Grant) -> bool:
    return all(one in ("*", other) for one, other in zip(held[:3], asked[:3], strict=True)) and held[3] in (
        "*",
        asked[3],
    )


def _said(grant: Grant) -> str:
    group, resource, verb, name = grant
    where = f" in {group}" if group not in ("", "url", "*") else ""
    one = f" named {name}" if name != "*" else ""
    return f"{verb} {resource}{where}{one}"


def _to(holders: list[str]) -> str:
    return f" ({listed(holders)})" if holders else ""


def _widened(change: ResourceChange, more: list[Grant], holders: list[str]) -> Iterator[Draft]:
    cluster = change.type.endswith("ClusterRole")
    weighed = [(graveness(one, cluster), one) for one in more]
    grave = [(words, one) for (severity, words), one in weighed if severity in ("high", "critical")]
    fresh = change.action == "create"
    verb = "is new and allows" if fresh else "now also allows"
    if fresh and not holders and not grave:
        return
    if grave:
        top: Severity = "critical" if any(one[0][0] == "critical" for one in weighed) else "high"
        top = "medium" if fresh and not holders else top
        reason = f"{change.address} {verb} {listed([_said(one) for _, one in grave])}{_to(holders)}: {grave[0][0]}."
        yield Draft("PRIV_ESC", top, change.address, reason, True, "name resources, verbs and names one by one")
        return
    medium = [(words, one) for (severity, words), one in weighed if severity == "medium"]
    if medium:
        reason = f"{change.address} {verb} {listed([_said(one) for _, one in medium])}{_to(holders)}: {medium[0][0]}."
        yield Draft("IAM_WIDEN", "low" if fresh else "medium", change.address, reason, True, "name what is needed only")
    elif not fresh:
        reason = f"{change.address} {verb} {listed([_said(one) for one in more])}{_to(holders)}."
        yield Draft("IAM_WIDEN", "low", change.address, reason, True, "take it away again")


def _aggregated(change: ResourceChange) -> Iterator[Draft]:
    """Cluster roles whose rules land in `admin`, `edit` or `view` by a label."""
    for target in ("admin", "edit", "view"):
        key = f"rbac.authorization.k8s.io/aggregate-to-{target}"
        if (
            labels(change.after).get(key) == "true"
            and labels(change.before).get(key) != "true"
            and change.action == "update"
        ):
            reason = f"{key}: the rights of {change.address} are given to everyone who is bound to {target}."
            yield Draft("IAM_WIDEN", "medium", change.address, reason, True, "remove the label")


def _subjects(values: Mapping[str, Value] | None) -> list[str]:
    found = []
    for one in mappings((values or {}).get("subjects")):
        space = f"{one['namespace']}/" if one.get("namespace") else ""
        found.append(f"{one.get('kind')} {space}{one.get('name')}")
    return list(dict.fromkeys(found))


def _role(values: Mapping[str, Value] | None) -> str:
    return str(mapping((values or {}).get("roleRef")).get("name") or "")


def _bound(world: World, change: ResourceChange, role: str, fresh: list[str]) -> Iterator[Draft]:
    cluster = change.type.endswith("ClusterRoleBinding")
    wide = [one for one in fresh if one.split(" ", 1)[-1].startswith(EVERYONE)]
    where = "the whole cluster" if cluster else f"namespace {space_of(change)}" if space_of(change) else "its namespace"
    words, grave = _role_words(world, change.after, role, cluster)
    if grave == "high" and role not in _ADMIN and not role.startswith(_CONSTRAINT) and _all_new(world, change):
        grave = "medium"
    said = f"{change.address} binds {listed(fresh)} to {role} on {where}"
    if wide and grave != "low":
        reason = f"{said}: everyone who can reach the cluster's API has it. {words}"
        yield Draft("PRIV_ESC", "critical", change.address, reason.strip(), True, "name who needs it")
    elif wide:
        yield Draft("IAM_WIDEN", "medium", change.address, f"{said}: everyone has it.", True, "name who needs it")
    elif grave in ("high", "critical"):
        yield Draft("PRIV_ESC", grave, change.address, f"{said}: {words}", True, "bind a role with what is needed only")
    elif change.action == "update" or (grave == "medium" and cluster):
        yield Draft(
            "IAM_WIDEN", grave, change.address, f"{said}.{' ' + words if words else ''}", True, "remove the subject"
        )


def _role_words(world: World, binding: Mapping[str, Value] | None, role: str, cluster: bool) -> tuple[str, Severity]:
    """What a bound role lets its holder do, and how grave that is."""
    if role in _ADMIN:
        if cluster:
            return "it may do everything in the cluster.", "high"
        return "it may do everything in this namespace.", "medium"
    if role.startswith(_CONSTRAINT):
        name = role.removeprefix(_CONSTRAINT)
        grave: Severity = "high" if name in _STRONG_CONSTRAINTS else "medium" if name == "anyuid" else "low"
        return (
            "its pods may run under this constraint and so escalate to their node." if grave != "low" else ""
        ), grave
    kind = mapping((binding or {}).get("roleRef")).get("kind")
    known = [
        one
        for one in world.after.values()
        if one.type in ROLES and one.type.endswith(f"/{kind}") and _is_named(one.values, role)
    ]
    weighed = [graveness(one, cluster) for item in known for one in grants(item.values)]
    top = max(weighed, key=lambda one: ("low", "medium", "high", "critical").index(one[0]), default=None)
    if top is not None and top[0] != "low":
        return f"{top[1]}.", top[0]
    if role in _BROAD and cluster:
        return "it may change nearly everything in every namespace.", "high"
    return "", "low"


def _all_new(world: World, change: ResourceChange) -> bool:
    """Whether a new binding gives a new role or names new accounts only, as a new operator brings them."""
    new = {name_of(one) for one in created(world, "v1/ServiceAccount")}
    fresh = any(name_of(one) == _role(change.after) for one in created(world, *ROLES))
    subjects = mappings((change.after or {}).get("subjects"))
    return change.action == "create" and all(
        one.get("kind") == "ServiceAccount" and (fresh or one.get("name") in new) for one in subjects
    )


def _is_named(values: Mapping[str, Value], name: str) -> bool:
    return mapping(values.get("metadata")).get("name") == name


def _holders(world: World, change: ResourceChange) -> list[str]:
    found: list[str] = []
    side = world.before if change.action == "delete" else world.after
    for one in side.values():
        if one.type in BINDINGS and _role(one.values) == name_of(change):
            found += _subjects(one.values)
    return list(dict.fromkeys(found))


def _binding_stays(world: World, change: ResourceChange) -> bool:
    return any(one.type in BINDINGS and _role(one.values) == name_of(change) for one in world.after.values())


def _role_of_group(world: World, group: str) -> str:
    """The strongest role that a group is bound to in the whole cluster, "" where none is known."""
    held = [
        _role(one.values)
        for one in world.after.values()
        if one.type in BINDINGS
        and one.type.endswith("ClusterRoleBinding")
        and f"Group {group}" in _subjects(one.values)
    ]
    return next((role for role in (*_ADMIN, *_BROAD) if role in held), held[0] if held else "")


def _names_admins(group: str) -> bool:
    return group.replace("_", "-").removesuffix("s") in (
        "cluster-admin",
        "clusteradmin",
        "system:master",
        "admin",
        "dedicated-admin",
    )
