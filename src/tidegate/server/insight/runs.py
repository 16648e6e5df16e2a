"""What reports of test runs tell that were attached to changes: which tests cannot be trusted, or never failed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from msgspec import Struct
from sqlalchemy import Connection

from tidegate.errors import InputError, InternalError
from tidegate.insight.costs import day_of
from tidegate.insight.suite import Runs
from tidegate.insight.values import Suite
from tidegate.server.insight.reading import Wanted
from tidegate.store import attachments, landed
from tidegate.verify.reports import open_report

MOST_REPORTS = 200
MOST_BYTES = 64 << 20
"""Of the last reports: older ones are left out."""


class Told(Struct, frozen=True):
    suite: Suite | None = None
    notes: tuple[str, ...] = ()


def read_runs(connection: Connection, wanted: Wanted) -> Told:
    """Of the JUnit reports that came in the time, the last first; where there are none, that is said."""
    if wanted.team:
        return Told()
    since, until = (day_of(at).isoformat() for at in (wanted.since, wanted.until + 86400))
    found = attachments.of_repositories(
        connection, "junit", since, until, repository=wanted.repository or None, most=MOST_REPORTS + 1
    )
    if not found:
        return Told(notes=("no report of a test run was attached: which tests are flaky or never fail is not known",))
    slugs = landed.slugs(connection) if not wanted.repository else {}
    runs, room, read = Runs(), MOST_BYTES, 0
    with tempfile.TemporaryDirectory(prefix="tidegate-junit-") as folder:
        path = Path(folder) / "report.xml"
        for repository, one in found[:MOST_REPORTS]:
            if one.size > room:
                break
            room -= one.size
            try:
                path.write_bytes(attachments.body(connection, one.id))
                report = open_report(path)
                if report.kind == "junit":
                    runs.add(report, f"{slugs[repository]}: " if repository in slugs else "")
                    read += 1
            except (InputError, InternalError):
                continue
    notes = [f"of {len(found):,} reports of test runs {read:,} were read: the last ones"] if read < len(found) else []
    return Told(runs.suite() if read else None, tuple(notes))
