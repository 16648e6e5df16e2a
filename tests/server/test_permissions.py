"""Who may do what: every endpoint asked by every role, by tokens of every scope, and by nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import pytest
from starlette.testclient import TestClient

from tests.server.conftest import Made, bearer, token_for
from tidegate.server.api.endpoint import Endpoint, Nothing
from tidegate.server.api.listing import ENDPOINTS
from tidegate.server.api.openapi import PREFIX
from tidegate.server.auth.permissions import ALLOWED, PERMISSIONS, ROLES, Permission, allows
from tidegate.server.auth.session import digest_of
from tidegate.store import accounts
from tidegate.store.clock import later, now

# Written out a second time on purpose: whoever changes the table in the code is asked here whether they mean it.
EXPECTED: Mapping[Permission, str] = {
    "changes:read": "viewer reviewer approver admin agent",
    "changes:assess": "reviewer approver admin agent",
    "gates:ask": "reviewer approver admin agent",
    "reviews:write": "reviewer approver admin",
    "approvals:write": "approver admin",
    "emergencies:write": "approver admin",
    "ledger:read": "viewer reviewer approver admin agent",
    "evidence:read": "reviewer approver admin",
    "evidence:write": "admin agent",
    "incidents:write": "reviewer approver admin",
    "drills:join": "viewer reviewer approver admin",
    "drills:write": "reviewer approver admin",
    "events:write": "admin",
    "costs:write": "admin",
    "settings:read": "reviewer approver admin",
    "settings:write": "admin",
    "tokens:write": "viewer reviewer approver admin",
    "people:erase": "admin",
}
REFUSED = (401, 403)
AT_A_BROWSER = ("/tokens", "/password", "/key-question")
NUMBER = 2**40
"""Of nothing: what is let in finds nothing, and changes nothing."""


def names(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def ask(client: TestClient, endpoint: Endpoint, headers: Mapping[str, str]) -> int:
    path = PREFIX + endpoint.path
    for name, kind in endpoint.parts:
        path = path.replace(f"{{{name}:{kind}}}", str(NUMBER)).replace(f"{{{name}}}", str(NUMBER))
    body = {} if endpoint.body is Nothing else {"content": b"no JSON", "headers": {"content-type": "application/json"}}
    given = {**headers, **body.pop("headers", {})}
    return client.request(endpoint.method, path, headers=given, **body).status_code  # type: ignore[arg-type]


def test_the_table_is_the_one_that_is_meant() -> None:
    assert set(EXPECTED) == set(PERMISSIONS) == set(get_args(Permission))
    assert set(ALLOWED) == set(ROLES) == {"viewer", "reviewer", "approver", "admin", "agent"}
    for permission, roles in EXPECTED.items():
        assert {role for role in ROLES if allows(role, None, permission)} == set(roles.split()), permission


def test_nothing_is_allowed_that_is_not_in_the_table() -> None:
    for role in ("", "Admin", "admin ", "root", "owner", "ADMIN", "viewer,admin"):
        assert not any(allows(role, None, permission) for permission in PERMISSIONS)
    assert not allows("admin", None, "everything")  # type: ignore[arg-type]
    assert not allows("admin", (), "changes:read")
    assert not allows("admin", ("*", "changes", "changes:"), "changes:read")


def test_every_endpoint_says_what_it_needs() -> None:
    for endpoint in ENDPOINTS:
        assert endpoint.needs in (None, *PERMISSIONS), names(endpoint)
        if endpoint.method != "GET":
            assert endpoint.needs is not None, names(endpoint)
            assert not endpoint.needs.endswith(":read"), names(endpoint)
    assert {names(each) for each in ENDPOINTS if each.needs is None} == {"GET /me", "GET /keys"}
    assert len({names(each) for each in ENDPOINTS}) == len(ENDPOINTS)


def test_every_endpoint_asked_by_every_role_by_every_scope_and_by_nobody(client: TestClient, made: Made) -> None:
    """roles x endpoints with all scopes, roles x endpoints with all scopes but the one that is needed, and nobody."""
    with made.service.database.write() as connection:
        without = {
            (role, permission): token_for(
                made.service,
                made.people[role],
                tuple(each for each in PERMISSIONS if each != permission),
                connection=connection,
            )
            for role in ROLES
            for permission in PERMISSIONS
        }
    asked = 0
    for endpoint in ENDPOINTS:
        assert ask(client, endpoint, {}) == 401, names(endpoint)
        for role in ROLES:
            status = ask(client, endpoint, bearer(made.tokens[role]))
            allowed = endpoint.needs is None or role in EXPECTED[endpoint.needs].split()
            session_only = allowed and status == 403 and endpoint.path.endswith(AT_A_BROWSER)
            assert session_only or (status in REFUSED) != allowed, (names(endpoint), role, status)
            if endpoint.needs is not None:
                status = ask(client, endpoint, bearer(without[role, endpoint.needs]))
                assert status == 403, (names(endpoint), role, "without its scope", status)
            asked += 1
    assert asked == len(ENDPOINTS) * len(ROLES)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer tg_",
        "Bearer tg_x",
        "Basic YWRtaW46YWRtaW4=",
        "Bearer tg_" + "x" * 300,
        "bearer tg_é",
        "Bearer  ",
    ],
)
def test_who_is_nobody(client: TestClient, given: str) -> None:
    assert client.get("/api/v1/me", headers={"authorization": given.encode()}).status_code == 401  # type: ignore[dict-item]


def test_a_token_ends(client: TestClient, made: Made) -> None:
    with made.service.database.write() as connection:
        past = accounts.NewToken(made.people["admin"], digest_of("tg_past"), "", PERMISSIONS, later(now(), -1))
        accounts.add_token(connection, past, now())
        live = token_for(made.service, made.people["admin"], ("changes:read",), connection=connection)
    assert client.get("/api/v1/me", headers=bearer("tg_past")).status_code == 401
    assert client.get("/api/v1/me", headers=bearer(live)).json()["permissions"] == ["changes:read"]
    with made.service.database.write() as connection:
        accounts.disable(connection, made.people["admin"], now())
        accounts.enable(connection, made.people["admin"])
    assert client.get("/api/v1/me", headers=bearer(live)).status_code == 401


def test_the_role_counts_as_it_is_now(client: TestClient, made: Made) -> None:
    assert client.get("/api/v1/people", headers=bearer(made.tokens["admin"])).status_code == 200
    with made.service.database.write() as connection:
        accounts.change_person(connection, made.people["admin"], role="viewer")
    assert client.get("/api/v1/people", headers=bearer(made.tokens["admin"])).status_code == 403


SCOPES: Mapping[str, tuple[Permission, ...]] = {
    "all": PERMISSIONS[::-1],
    "settings": ("settings:read", "settings:write"),
    "viewer's": ("settings:write", "changes:read", "ledger:read", "tokens:write", "drills:join"),
    "agent's": ("settings:write", "changes:read", "changes:assess", "gates:ask", "ledger:read", "evidence:write"),
}
REACH: Mapping[str, str] = {
    "all": "viewer reviewer approver agent",
    "settings": "",
    "viewer's": "viewer",
    "agent's": "agent",
}
"""Which roles a token of an admin with these scopes may give, take and lend: never one that may more than itself."""


@pytest.mark.parametrize("scopes", SCOPES)
def test_a_token_that_may_change_settings_makes_nobody_more_than_itself(
    client: TestClient, made: Made, scopes: str
) -> None:
    with made.service.database.write() as connection:
        token = bearer(token_for(made.service, made.people["admin"], SCOPES[scopes], connection=connection))
        boss = accounts.add_person(connection, "boss", "Boss", "admin", now()).id
    people = {**made.people, "admin": boss}
    for number, (before, after) in enumerate((one, other) for one in ROLES for other in ROLES):
        within = {before, after} <= set(REACH[scopes].split())
        asked = client.put(f"{PREFIX}/people/{people[before]}", json={"shown": "X", "role": after}, headers=token)
        assert asked.status_code == (200 if within else 403), (before, after, asked.json())
        with made.service.database.write() as connection:
            kept = accounts.person(connection, people[before])
            assert kept is not None
            assert kept.role == (after if within else before)
            accounts.change_person(connection, people[before], role=before)
        account = {"kind": "oidc", "issuer": "https://sso.example", "subject": f"mallory-{number}"}
        lent = client.post(f"{PREFIX}/people/{people[before]}/identities", json=account, headers=token)
        assert lent.status_code == (201 if before in REACH[scopes].split() else 403), before
    for role in ROLES:
        new = {"name": f"new-{role}", "shown": "New", "role": role}
        asked = client.post(f"{PREFIX}/people", json=new, headers=token)
        assert asked.status_code == (201 if role in REACH[scopes].split() else 403), role
    own = f"{PREFIX}/people/{made.people['admin']}"
    mine = {"kind": "oidc", "issuer": "https://sso.example", "subject": "mallory"}
    assert client.post(f"{own}/identities", json=mine, headers=token).status_code == 403
    assert client.put(own, json={"shown": "I", "role": "admin", "disabled": True}, headers=token).status_code in (
        403,
        409,
    )
    for path, body in ((f"{PREFIX}/tokens", {"label": "x", "scopes": ["changes:read"]}), (f"{own}/password", None)):
        assert client.post(path, json=body, headers=token).status_code == 403
