"""Writes the section `reach` of the facts."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.change.values import Change, Context, show_path
from tidegate.facts import Reach, ServiceOwner, Unknown
from tidegate.reach.answer import Service

DEPLOYED = ("service", "job", "function")
"""Kinds of services that run somewhere; packages and bare images only may."""


def collect(change: Change, context: Context) -> Reach:
    """How far the change reaches, as facts. What was not read or not resolved is an unknown, never a smaller number."""
    if context.repository is None:
        return _unknown("there is no repository to read the symbols from")
    if not change.base_tree or not change.head_tree:
        return _unknown("the trees of the change are not known")
    # Imported here: a command that asks for no change must not pay for the readers of all languages.
    from tidegate.reach.journey import assess_reach

    answer = assess_reach(change, context.repository, context.settings, context.owners)
    complete = answer.completeness
    services = tuple(sorted({one.service.name for one in answer.services if one.service.kind in DEPLOYED}))
    critical = [
        one.service for one in answer.services if one.service.kind in DEPLOYED and one.service.tier == "critical"
    ]
    unknowns = []
    if answer.verdict == "unknown":
        unknowns.append(Unknown("reach.reached", "nothing was found, but not everything could be read and resolved"))
    if complete.unread_total:
        first = f"{complete.unread[0][0]}: {complete.unread[0][1]}"
        files = "file was" if complete.unread_total == 1 else "files were"
        unknowns.append(Unknown("reach.reached", _shown(f"{complete.unread_total} {files} not read ({first})")))
    if isinstance(context.owners, Unknown):
        unknowns.append(Unknown("reach.owners", context.owners.reason))
        if any(not service.owner for service in critical):
            unknowns.append(Unknown("reach.service_owners", context.owners.reason))
    return Reach(
        status="partial" if unknowns else "complete",
        unknowns=tuple(unknowns),
        symbols=sum(not one.silent for one in answer.changed),
        silent=sum(one.silent for one in answer.changed),
        reached=len(answer.reached),
        tests=len(answer.tests),
        entry_points=tuple(dict.fromkeys(_shown(point.name) for point in answer.entry_points)),
        services=tuple(map(_shown, services)),
        critical_services=tuple(sorted({_shown(service.name) for service in critical})),
        service_owners=_owners_of(critical),
        owners=tuple(map(_shown, answer.owners)),
        unresolved_share=round(complete.unresolved_share, 4),
        unread_files=complete.unread_total,
        recorded=complete.map_age is not None,
    )


def _owners_of(services: Sequence[Service]) -> tuple[ServiceOwner, ...]:
    return tuple(ServiceOwner(*one) for one in sorted({(_shown(one.name), _shown(one.owner)) for one in services}))


def _unknown(reason: str) -> Reach:
    return Reach(status="unknown", unknowns=(Unknown("reach", reason),))


def _shown(name: str) -> str:
    """A name as text that any reader of JSON takes."""
    try:
        return show_path(name.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:  # YAML and source can write half a surrogate pair
        return name.encode("utf-8", "backslashreplace").decode()
