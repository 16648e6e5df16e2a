"""What AI cost, told to the service and joined to what shipped."""

from __future__ import annotations

import json
from typing import Any

from msgspec import structs
from sqlalchemy import insert
from starlette.testclient import TestClient

from tests.server.conftest import Made, bearer
from tests.store.world import read
from tidegate.server.pseudonyms import whose
from tidegate.store import accounts, changes, costs, landed
from tidegate.store.clock import moment_of, now
from tidegate.store.landed import Landed
from tidegate.store.tables import landed as rows

DAY = 86400.0
AT = moment_of("2026-01-02T10:00:00Z").timestamp()
SPAN = "since=2025-12-31&until=2026-02-01&by=tool"
BILL = (
    "day,tool,model,person,cost,currency\n2026-01-02,claude-code,opus,ada@acme.test,60,USD\n2026-01-03,devin,,,5,USD\n"
)


def _tell(client: TestClient, made: Made, text: str, query: str = "", role: str = "admin") -> Any:
    headers = {**bearer(made.tokens[role]), "content-type": "text/csv"}
    return client.post(f"/api/v1/costs?{query}", content=text.encode(), headers=headers)


def _merge(made: Made, tool: str, count: int) -> None:
    nothing = dict.fromkeys(("revision", "commits", "author", "team", "merged_by", "model"), "")
    none = dict.fromkeys(("began", "complexity", "cloned", "todos", "reviewers", "reviewed", "seconds"))
    numbers = dict.fromkeys(("human", "mixed", "unknown", "tests"), 0)
    with made.service.database.write() as connection:
        for number in range(count):
            change = changes.keep(connection, read(made.world.repository, 100 + number, state="merged")).change.id
            one = Landed(
                change=change,
                repository=made.world.repository,
                version=1,
                at=AT,
                tool=tool,
                size=50,
                effort=50,
                ai=50,
                **nothing,
                **none,  # type: ignore[arg-type]
                **numbers,
            )
            connection.execute(insert(rows).values(**structs.asdict(one), kept_at=now()))


def test_a_bill_is_taken_once_under_pseudonyms(made: Made, client: TestClient) -> None:
    first = _tell(client, made, BILL)
    assert (first.status_code, first.json()) == (
        201,
        {
            "source": "generic",
            "form": "generic",
            "rows": 2,
            "added": 2,
            "replaced": 0,
            "same": 0,
            "first": "2026-01-02",
            "last": "2026-01-03",
            "notes": [],
        },
    )
    again = _tell(client, made, BILL.replace(",5,", ",6,") + "2026-01-03,devin,,,1,USD\n").json()
    assert (again["added"], again["replaced"], again["same"]) == (0, 1, 1)
    found = client.get("/api/v1/costs", headers=bearer(made.tokens["viewer"])).json()["items"]
    assert [(one["source"], one["rows"], one["amount"]) for one in found] == [("generic", 2, 67.0)]
    with made.service.database.read() as connection:
        (person,) = whose(connection, "ada@acme.test")
        assert person.startswith("person:")
        assert [row.amount for row in costs.of_person(connection, person)] == [60.0]


def test_somebody_of_the_service_has_one_pseudonym(made: Made, client: TestClient) -> None:
    with made.service.database.write() as connection:
        accounts.add_identity(connection, made.world.ada, "email", "", "ada@acme.test", now())
        accounts.add_identity(connection, made.world.ben, "forge", "github", "ben", now())
    _tell(client, made, BILL)
    _tell(
        client,
        made,
        "date,username,product,sku,model,quantity,unit_type,net_amount\n2026-01-02,Ben,copilot,s,m,1,requests,2\n",
    )
    _tell(client, made, "day,tool,person,cost\n2026-01-02,x,build robot,1\n")
    with made.service.database.read() as connection:
        for name, mark in (("ada", "ada@acme.test"), ("ben", "@ben")):
            (one,) = {row.person for each in whose(connection, mark) for row in costs.of_person(connection, each)}
            assert one in whose(connection, name)
        assert len(whose(connection, "build robot")) == 1


def test_insight_joins_them_to_what_shipped(made: Made, client: TestClient) -> None:
    _merge(made, "claude-code", 12)
    _tell(client, made, BILL)
    viewer = bearer(made.tokens["viewer"])

    found = client.get(f"/api/v1/insight?{SPAN}", headers=viewer).json()["spending"]

    assert (found["cost"], found["currency"], found["unjoined"]) == (65.0, "USD", [["devin", 5.0]])
    (claude,) = found["returns"]
    assert (claude["changes"], claude["per_change"], claude["per_line"]) == (12, 5.0, 0.1)
    assert claude["per_failure"]["says"] == "none of 12 is old enough to be judged"
    here = client.get(f"/api/v1/insight?{SPAN}&repository={made.world.repository}", headers=viewer).json()
    assert here["spending"] is None
    assert "no bill says for which repository or team a tool worked" in here["notes"]
    _tell(client, made, "day,tool,cost,currency\n2026-01-02,claude,7,EUR\n", "source=europe")
    both = client.get(f"/api/v1/insight?{SPAN}", headers=viewer).json()["spending"]
    assert both["cost"] == 65.0, "what was told since is counted, and not added up"
    assert both["notes"] == ["7.00 in EUR are left out: currencies are not added up"]
    assert "cost a change" in client.get(f"/api/v1/insight.csv?{SPAN}", headers=viewer).text


def test_a_source_is_taken_back(made: Made, client: TestClient) -> None:
    _tell(client, made, BILL, "source=team-a")
    _tell(client, made, BILL, "source=team-b")
    admin = bearer(made.tokens["admin"])
    assert client.delete("/api/v1/costs/team-a", headers=bearer(made.tokens["viewer"])).status_code == 403
    assert client.delete("/api/v1/costs/team-a", headers=admin).status_code == 204
    assert client.delete("/api/v1/costs/team-a", headers=admin).status_code == 404
    found = client.get("/api/v1/costs", headers=admin).json()["items"]
    assert [one["source"] for one in found] == ["team-b"]


def test_what_does_not_fit_is_refused_whole(made: Made, client: TestClient) -> None:
    for text, where in (("", "line 1"), (BILL + "2026-01-09,claude\n", "line 4"), (BILL + "1,2,3,4,5,6\n", "line 4")):
        refused = _tell(client, made, text)
        assert (refused.status_code, where in json.dumps(refused.json())) == (422, True), text
    admin = bearer(made.tokens["admin"])
    assert client.get("/api/v1/costs", headers=admin).json()["items"] == []
    for query in ("source=a/b", "source=%00", f"source={'x' * 61}", "tool=%0a", "more=1"):
        assert _tell(client, made, BILL, query).status_code == 422, query
    plain = client.post("/api/v1/costs", content=b"{}", headers={**admin, "content-type": "application/json"})
    assert plain.status_code == 415
    assert _tell(client, made, "\x00" * 10).status_code == 422
    for role in ("viewer", "reviewer", "approver", "agent"):
        assert _tell(client, made, BILL, role=role).status_code == 403, role


def test_bills_without_a_tool_say_so(made: Made, client: TestClient) -> None:
    text = "start_time,end_time,amount_value,amount_currency\n1767312000,1767398400,2.5,usd\n"
    unnamed, named = _tell(client, made, text), _tell(client, made, text, "tool=codex&source=o2")
    assert "do not say which tool" in unnamed.json()["notes"][0]
    assert named.json()["notes"] == []
    with made.service.database.read() as connection:
        found = costs.between(connection, "2026-01-01", "2026-01-31")
        assert [(row.tool, row.amount) for row in found] == [("codex", 2.5), ("openai-api", 2.5)]
        assert landed.slugs(connection)
