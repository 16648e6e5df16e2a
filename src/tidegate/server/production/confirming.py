"""A person says what caused an incident: a commit, or a word for a cause that is no change."""

from __future__ import annotations

import re

from sqlalchemy import Connection

from tidegate.server.api.endpoint import Who
from tidegate.server.api.paging import found
from tidegate.server.api.problems import Problem
from tidegate.server.logs import log
from tidegate.server.service import Service
from tidegate.store import incidents
from tidegate.store.incidents import Incident

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_WORD = re.compile(r"[a-z][a-z0-9_-]{1,39}")


def confirm_cause(service: Service, who: Who, identifier: int, cause: str) -> Incident:
    """The incident with its cause as this person says; the last word stands. Problem 404, or 422 for no such cause.

    Whoever asks has been found to have `incidents:write`.
    """
    wanted = cause.strip().lower()
    if not _COMMIT.fullmatch(wanted) and not _WORD.fullmatch(wanted):
        raise Problem(
            422,
            "this names no cause",
            mend="give the commit in full, or one word for what is no change: load, certificate, dependency",
        )

    def work(connection: Connection) -> Incident | None:
        incidents.confirm(connection, identifier, wanted, who.person, service.now())
        return incidents.get(connection, identifier)

    confirmed = found(service.database.change(work), "incident")
    log("cause", incident=identifier, person=who.person, cause=wanted)
    return confirmed


def is_commit(cause: str) -> bool:
    """Whether a cause that was confirmed is a change."""
    return _COMMIT.fullmatch(cause) is not None
