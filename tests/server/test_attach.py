"""What a pipeline hands in: kept once, looked at by the next decision, and on record where it is a run of tests."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.server.conftest import Made, bearer
from tests.server.test_work_journey import SLUG, Place, make_place
from tidegate.errors import InputError
from tidegate.ledger.keys import PublicKey, read_software_key
from tidegate.ledger.predicates.test_result import TestResult
from tidegate.ledger.statements import open_entry
from tidegate.server.attach import attach
from tidegate.server.service import Service
from tidegate.server.work.record import read_document
from tidegate.store import accounts, assessments, attachments
from tidegate.store.attachments import Attachment, NewAttachment
from tidegate.store.clock import now

HEAD = f"{1:040x}"
PASSED = b'<testsuite name="s" tests="1"><testcase classname="t" name="a" time="0.1"/></testsuite>'
FAILED = (
    b'<testsuite name="s" tests="2"><testcase classname="t" name="a"/>'
    b'<testcase classname="t" name="b"><failure message="no"/></testcase></testsuite>'
)


def given(kind: str = "junit", data: bytes = PASSED, head: str = HEAD) -> dict[str, str]:
    return {"head": head, "kind": kind, "name": f"{kind}.xml", "data": base64.b64encode(data).decode()}


def test_a_report_is_kept_once_and_a_run_of_tests_is_on_record(client: TestClient, made: Made) -> None:
    path = f"/api/v1/changes/{made.world.change}/evidence"
    by = bearer(made.tokens["admin"])
    first = client.post(path, headers=by, json=given(data=FAILED))
    assert first.status_code == 201, first.text
    again = client.post(path, headers=by, json=given(data=FAILED))
    assert again.json()["id"] == first.json()["id"]
    assert [each["kind"] for each in client.get(path, headers=by).json()["items"]] == ["junit"]
    assert made.service.log.size() == 1
    _, _, signer = read_software_key(made.service.config.data / "ledger.key")
    entry = made.service.log.entry(0)
    assert entry is not None
    said, _ = open_entry(entry.envelope, [PublicKey(signer.algorithm, signer.public_key)])
    assert isinstance(said.predicate, TestResult)
    assert (said.predicate.result, said.predicate.failed_tests) == ("FAILED", ("t.b",))
    assert said.subjects[0].digest == {"gitCommit": HEAD}


def test_who_may_attach_what(client: TestClient, made: Made) -> None:
    path = f"/api/v1/changes/{made.world.change}/evidence"
    agent, admin = bearer(made.tokens["agent"]), bearer(made.tokens["admin"])
    refused = client.post(path, headers=agent, json=given("coverage", b"SF:a.py\nDA:1,1\nend_of_record\n"))
    assert (refused.status_code, refused.json()["title"]) == (409, "an agent attaches transcripts alone")
    assert client.post(path, headers=agent, json=given("transcript", b"{}\n")).status_code == 201
    assert client.post(path, headers=bearer(made.tokens["approver"]), json=given()).status_code == 403
    assert client.post(path, headers=admin, json=given(head="2" * 40)).status_code == 409
    broken = client.post(path, headers=admin, json=given(data=b"<testsuite><testcase name='a'>"))
    assert broken.status_code == 422
    assert made.service.log.size() == 0


def test_a_head_takes_no_more_than_it_can_carry(service: Service, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MOST", 2)

    def put(data: bytes) -> Attachment:
        new = NewAttachment(made.world.change, made.people["admin"], HEAD, "sarif", "a.sarif", data)
        return attach(service, new).attachment

    for data in (b"1", b"2", b"1"):
        put(data)
    with pytest.raises(InputError, match="2 files"):
        put(b"3")


def test_the_next_decision_reads_it(service: Service, tmp_path: Path) -> None:
    place = make_place(service, tmp_path)
    place.deliver(place.forge.pull_delivery("d1", SLUG, 1))
    place.work()
    assert run_of(place) == 0
    with service.database.write() as connection:
        person = accounts.add_person(connection, "pipeline", "Pipeline", "admin", now()).id
    change = place.pull()
    attach(place.service, NewAttachment(change.id, person, change.head, "junit", "junit.xml", PASSED))
    place.work()
    assert len(place.decisions()) == 2
    assert run_of(place) == 1


def run_of(place: Place) -> int:
    """How many tests ran, as far as the last decision was told."""
    with place.service.database.read() as connection:
        text = assessments.document(connection, place.decisions()[0].id)
    assert text is not None
    return read_document(text).facts.verification.runs.tests
