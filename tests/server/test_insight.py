"""The figures of the service: what is counted of a merged change, and what is answered about all of them."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from msgspec import structs
from sqlalchemy import Connection, LargeBinary, Table
from starlette.testclient import TestClient

from tests.server.conftest import Made, bearer
from tests.store.world import assessed, read
from tidegate.server.insight.answer import Asked, read_insight
from tidegate.server.insight.keeping import VERSION, keep_landed
from tidegate.server.insight.reading import Wanted, read_rows
from tidegate.server.service import Service
from tidegate.store import accounts, assessments, attachments, changes, landed, looks, outcomes
from tidegate.store.attachments import NewAttachment
from tidegate.store.clock import moment_of, now
from tidegate.store.looks import View
from tidegate.store.outcomes import NewOutcome
from tidegate.store.rows import insert_once
from tidegate.store.tables import deployments, incidents
from tidegate.store.types import Number, Words

MERGED = "2026-01-02T10:00:00Z"
AT = moment_of(MERGED).timestamp()
DAY = 86400.0


def _facts(number: int, head: str, *, ai: int = 40, reviews: tuple[str, ...] = ()) -> bytes:
    said: dict[str, Any] = {
        "change": {
            "author": "@ada",
            "commits": [
                {
                    "oid": head,
                    "parents": 1,
                    "author": "a",
                    "committer": "a",
                    "subject": "s",
                    "authored_at": "2026-01-01T10:00:00Z",
                    "committed_at": "2026-01-01T10:00:00Z",
                }
            ],
            "files": [
                {"kind": "source", "added": 40, "deleted": 10, "generated": False, "vendored": False},
                {"kind": "test", "added": 30, "deleted": 0, "generated": False, "vendored": False},
                {"kind": "source", "added": 9000, "deleted": 0, "generated": True, "vendored": False},
            ],
            "source_lines_added": 40,
            "source_lines_deleted": 10,
        },
        "provenance": {
            "source_lines": {"added": 40, "ai": ai, "human": 40 - ai},
            "agents": [{"tool": "claude-code", "model": "m", "lines": ai, "sessions": 1, "evidence": "E5"}],
        },
        "verification": {"status": "complete", "cloned_lines": 4, "debt": {"complexity_added": number % 3}},
        "review": {
            "status": "complete",
            "reviews": [{"account": each, "kind": "human", "at": "2026-01-02T09:00:00Z"} for each in reviews],
        },
    }
    return json.dumps({"facts": said, "verdict": {}}).encode()


def _merge(connection: Connection, made: Made, number: int, **more: Any) -> int:
    head = f"{number:040x}"
    by = more.pop("by", "ada")
    state = json.dumps({"merged_at": MERGED, "merge_commit": "f" * 32 + f"{number:08x}", "merged_by": by})
    one = read(made.world.repository, number, minute=700, state="merged", forge_state=state, head=head)
    change = changes.keep(connection, one).change.id
    if more.pop("assessed", True):
        new = assessed(change, f"key{number}", head=head)
        assessments.put(connection, structs.replace(new, document=_facts(number, head, **more)), now())
    return change


def _rows(service: Service) -> dict[int, landed.Landed]:
    with service.database.read() as connection:
        return {row.change: row for row in landed.between(connection, 0, 9e9)}


def test_what_is_counted_of_a_merged_change(made: Made) -> None:
    with made.service.database.write() as connection:
        accounts.add_identity(connection, made.world.ben, "forge", "github", "ben", now())
        alone = _merge(connection, made, 7)
        read_here = _merge(connection, made, 8, reviews=("ben", "ada"), by="ben")
        bare = _merge(connection, made, 9, assessed=False)
        view = View(read_here, made.world.ben, f"{8:040x}")
        looks.open_page(connection, view, "2026-01-02T08:00:00.000000Z")
        looks.add_seconds(connection, view, {"a.py:1-26": 90.0, "b.py:5-9": 1.0}, "2026-01-02T08:02:00.000000Z")
        looks.add_seconds(connection, view, {"c.py:1-400": 50.0}, "2026-01-03T08:02:00.000000Z")  # after the merge

    assert keep_landed(made.service) == 3
    assert keep_landed(made.service) == 0
    rows = _rows(made.service)

    one = rows[alone]
    assert (one.size, one.effort, one.tests, one.ai, one.cloned, one.complexity) == (50, 80, 30, 40, 4, 1)
    assert (one.at, one.began, one.tool) == (AT, AT - DAY, "claude-code")
    assert (one.reviewers, one.reviewed, one.seconds) == ("", None, None)
    assert one.merged_by == one.author != ""
    assert one.author.startswith("person:")
    two = rows[read_here]
    assert two.reviewers == two.merged_by  # as the one person that the account and the reader are
    assert (two.reviewed, two.seconds) == (20, 91.0)
    nothing = rows[bare]
    assert (nothing.effort, nothing.reviewers, nothing.complexity, nothing.began) == (0, None, None, None)
    assert {row.version for row in rows.values()} == {VERSION}


def test_one_who_reads_their_own_change_is_no_reviewer(made: Made) -> None:
    with made.service.database.write() as connection:
        accounts.add_identity(connection, made.world.ada, "forge", "github", "ada", now())
        change = _merge(connection, made, 7)
        view = View(change, made.world.ada, f"{7:040x}")
        looks.open_page(connection, view, "2026-01-02T08:00:00.000000Z")
        looks.add_seconds(connection, view, {"a.py:1-26": 90.0}, "2026-01-02T08:02:00.000000Z")

    keep_landed(made.service)

    assert (_rows(made.service)[change].reviewed, _rows(made.service)[change].reviewers) == (None, "")


def _deployed(connection: Connection, number: int, revision: str, started: float, **more: Any) -> None:
    told: dict[str, Any] = {
        **_told(key=f"s/{number}", environment="production", service="web", status="succeeded", action="deploy"),
        **_told(id=number, started=started, finished=started + 60, repository="acme/shop", revision=revision),
    }
    insert_once(connection, deployments, {**_empty(deployments), **told, "changed_at": now(), **more})


def _told(**values: Any) -> dict[str, Any]:
    return values


def _empty(table: Table) -> dict[str, Any]:
    """Something empty for each column that must have a value."""
    empty = {Words: "", Number: 0, LargeBinary: b""}
    return {column.name: empty.get(type(column.type), 0.0) for column in table.c if not column.nullable}


def test_what_became_of_them(made: Made) -> None:
    with made.service.database.write() as connection:
        for number in range(1, 9):
            _merge(connection, made, number, ai=40 if number % 2 else 0)
        commit = "f" * 32
        for number, result, weight in (
            (1, "incident", 0.9),
            (2, "clean", 1.0),
            (3, "reverted", 0.2),
            (4, "fixed", 0.8),
        ):
            said = NewOutcome(
                repository=made.world.repository,
                environment="production",
                revision=f"{commit}{number:08x}",
                by=f"by{number}",
                result=result,  # type: ignore[arg-type]
                weight=weight,
                deployed=AT + DAY,
                known=AT + 2 * DAY,
                redeploys=2 if number == 4 else 0,
            )
            outcomes.put(connection, said, now())
        _deployed(connection, 1, f"{commit}{1:08x}", AT + DAY)
        _deployed(connection, 2, f"{commit}{2:08x}", AT + 2 * DAY, action="roll_back")
        _deployed(connection, 3, f"{commit}{3:08x}", AT + 3 * DAY)
        _deployed(connection, 4, f"{commit}{4:08x}", AT + 4 * DAY, repository="acme/other")
        told = _told(key="k", state="resolved", environment="production", service="web", deployment=3, id=1)
        ended = _told(started=AT + 3.1 * DAY, ended=AT + 3.2 * DAY, probability=0.9, resolved_by=4)
        insert_once(connection, incidents, {**_empty(incidents), **told, **ended})
    keep_landed(made.service)
    wanted = Wanted(AT - DAY, AT + 30 * DAY, AT + 40 * DAY, "production")
    with made.service.database.read() as connection:
        rows = read_rows(connection, wanted)
        here = read_rows(connection, structs.replace(wanted, repository=made.world.repository))
        young = read_rows(connection, structs.replace(wanted, now=AT + 2 * DAY))

    fates = {int(one.commit[-1], 16): (one.fate, one.debugged, one.redeploys) for one in rows.shipped}
    assert fates[1] == ("incident", True, 0)
    assert fates[2] == ("clean", False, 0)
    assert fates[3] == ("pending", None, 0)  # a fifth of a word is none
    assert fates[4] == ("fixed", False, 2)
    assert fates[5] == ("pending", None, None)
    assert {one.fate for one in young.shipped} == {"pending"}
    assert [(one.failed, one.rework, one.recovered, one.writer) for one in rows.ran] == [
        (True, False, DAY + 60, "ai"),
        (False, True, None, "human"),
        (True, False, rows.ran[2].recovered, "ai"),
        (False, True, None, "human"),
    ]
    assert rows.ran[2].recovered is not None
    assert abs(rows.ran[2].recovered - 0.2 * DAY) < 1
    assert len(here.ran) == 3
    assert "of 8 of 8 changes nobody measured" in " ".join(rows.notes)


def test_the_answer_is_computed_once_for_what_is_there(made: Made) -> None:
    asked = Asked(AT - DAY, AT + DAY)
    before = read_insight(made.service, asked)
    assert read_insight(made.service, asked) is before
    with made.service.database.write() as connection:
        _merge(connection, made, 5)
    keep_landed(made.service)
    assert (before.insight.changes, read_insight(made.service, asked).insight.changes) == (0, 1)


def test_it_is_asked_over_http(made: Made, client: TestClient) -> None:
    with made.service.database.write() as connection:
        for number in range(1, 13):
            _merge(connection, made, number, reviews=("=cmd",))
    keep_landed(made.service)
    viewer = bearer(made.tokens["viewer"])
    query = "since=2025-12-01&until=2026-02-01&every=week&by=writer,tool"

    found = client.get(f"/api/v1/insight?{query}", headers=viewer)
    rows = list(csv.DictReader(io.StringIO(client.get(f"/api/v1/insight.csv?{query}", headers=viewer).text)))

    assert found.status_code == 200, found.text
    said = found.json()
    assert (said["changes"], [table["by"] for table in said["tables"]]) == (12, ["writer", "tool"])
    assert said["load"]["reviews"] == 12
    assert said["load"]["people"][0]["person"].startswith("person:")
    weeks = next(one for one in said["series"] if one["name"] == "lines merged")
    assert [point["name"] for point in weeks["points"]][:2] == ["2025-W49", "2025-W50"]
    assert {row["part"] for row in rows} >= {"delivery", "scrutiny", "upkeep", "debt", "load", "series"}
    unreviewed = next(row for row in rows if row["figure"] == "landed without a review" and row["group"] == "all")
    assert (float(unreviewed["value"]), unreviewed["n"]) == (0.0, "12")


def test_what_makes_no_sense_is_refused(made: Made, client: TestClient) -> None:
    viewer = bearer(made.tokens["viewer"])
    for query in ("since=99y", "since=2026-02-01&until=2026-01-01", "by=moon", "every=day", "until=2026-13-01", "x=1"):
        assert client.get(f"/api/v1/insight?{query}", headers=viewer).status_code == 422, query
    assert client.get("/api/v1/insight").status_code == 401
    for query in ("until=0001-01-01", "until=9999-12-31&since=1d", "since=1970-01-01&until=1970-01-02"):
        assert client.get(f"/api/v1/insight?{query}", headers=viewer).status_code in (200, 422), query


def test_reports_of_test_runs_that_were_attached_tell_of_the_suite(made: Made, client: TestClient) -> None:
    def report(number: int) -> bytes:
        bad = "<failure/>" if number % 3 == 0 else ""
        flaky = f"<testcase classname='a' name='flaky'>{bad}</testcase><testcase classname='a' name='flaky'/>"
        return f"<testsuite>{flaky}<testcase classname='a' name='calm'/></testsuite>".encode()

    viewer = bearer(made.tokens["viewer"])
    query = "since=2020-01-01&every=month"
    before = client.get(f"/api/v1/insight?{query}", headers=viewer).json()
    assert before["suite"] is None
    assert "no report of a test run was attached" in " ".join(before["notes"])
    with made.service.database.write() as connection:
        head = f"{1:040x}"
        for number in range(24):
            at = f"2026-01-{number + 1:02d}T00:00:00.000000Z"
            body = b"<testsuite" if number == 23 else report(number) + b" " * number
            new = NewAttachment(made.world.change, made.world.ada, head, "junit", f"{number}.xml", body)
            attachments.put(connection, new, at)

    found = client.get(f"/api/v1/insight?{query}", headers=viewer).json()
    here = client.get(f"/api/v1/insight?{query}&repository={made.world.repository}", headers=viewer).json()

    assert (found["suite"]["reports"], found["suite"]["tests"]) == (23, 2)
    assert "of 24 reports of test runs 23 were read: the last ones" in found["notes"]
    (worst,) = found["suite"]["worst"]
    assert (worst["name"], worst["kind"], worst["runs"]) == ("acme/shop: a.flaky", "flaky", 23)
    assert here["suite"]["worst"][0]["name"] == "a.flaky"
    assert client.get(f"/api/v1/insight?{query}&repository=99", headers=viewer).json()["suite"] is None
