"""Settings: repositories, people and the accounts that are theirs, keys, tokens, policies, witnesses.

Every form does what the endpoint of the API does, with the same checks, and nothing beside.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import Connection
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tidegate.errors import InputError
from tidegate.policy.verdict import Verdict
from tidegate.server import ssh_keys
from tidegate.server.api import mine, people
from tidegate.server.api import settings as api
from tidegate.server.api.endpoint import Ask, Nothing
from tidegate.server.api.mine import NewToken
from tidegate.server.api.people import ChangedPerson, NewIdentity, NewPerson
from tidegate.server.api.problems import Problem
from tidegate.server.auth import webauthn
from tidegate.server.auth.permissions import ALLOWED, PERMISSIONS, ROLES
from tidegate.server.cache import Cache
from tidegate.server.console.approve import read_credential
from tidegate.server.console.kept import NEVER, brief
from tidegate.server.console.visit import Visit, get, post, see
from tidegate.server.service import Service
from tidegate.store import accounts, assessments, repositories
from tidegate.store.repositories import Repository

T = TypeVar("T")
MOST = 1000
PEOPLE = 50
"""On one page, each with the forms to change them."""
LOOKED_AT = 60
"""Changes of a repository that the effect of its rules is counted over."""


class Effect(Struct, frozen=True):
    """What a rule said of the last changes: of how many it held, and of how many it would have, on trial."""

    rule: str
    title: str
    mode: str
    spoke: int
    of: int


class PolicyOf(Struct, frozen=True):
    """The policy of a repository as the last assessment read it. `of` 0: nothing was assessed yet."""

    repository: Repository
    policy: str
    digest: str
    outcomes: Mapping[str, int]
    effects: tuple[Effect, ...]
    of: int


def routes(service: Service) -> list[Route]:
    return [
        get("/settings", service, None, _first),
        get("/settings/repositories", service, "settings:read", _repositories),
        post("/settings/repositories", service, "settings:write", _add_repository),
        post("/settings/repositories/{repository}/remove", service, "settings:write", _remove_repository),
        get("/settings/policies", service, "settings:read", _policies),
        get("/settings/people", service, "settings:read", _people),
        post("/settings/people", service, "settings:write", _add_person),
        post("/settings/people/{person}", service, "settings:write", _change_person),
        post("/settings/people/{person}/password", service, "settings:write", _new_password),
        post("/settings/people/{person}/identities", service, "settings:write", _add_identity),
        post("/settings/people/{person}/identities/{identity}/remove", service, "settings:write", _remove_identity),
        get("/settings/keys", service, None, _keys),
        post("/settings/keys/ssh", service, "approvals:write", _add_ssh_key),
        post("/settings/keys/webauthn/begin", service, "approvals:write", _begin_authenticator),
        post("/settings/keys/webauthn", service, "approvals:write", _add_authenticator),
        post("/settings/keys/{key}/revoke", service, "approvals:write", _revoke_key),
        get("/settings/tokens", service, "tokens:write", _tokens),
        post("/settings/tokens", service, "tokens:write", _add_token),
        post("/settings/tokens/{token}/revoke", service, "tokens:write", _revoke_token),
        get("/settings/witnesses", service, "settings:read", _witnesses),
    ]


# Private


def _first(visit: Visit) -> Response:
    return see("/settings/repositories" if visit.may("settings:read") else "/settings/tokens")


def _repositories(visit: Visit) -> Response:
    with visit.service.database.read() as connection:
        listed = repositories.page(connection, most=MOST)
    return visit.page("repositories.html", "Repositories", repositories=listed, forges=tuple(visit.service.forges))


def _add_repository(visit: Visit) -> Response:
    api.add(_ask(visit, body=_body(visit, api.Adding)))
    return see("/settings/repositories")


def _remove_repository(visit: Visit) -> Response:
    api.remove(_ask(visit, repository=visit.number("repository")))
    return see("/settings/repositories")


def _people(visit: Visit, shown: str = "", password: str = "") -> Response:
    after = _after(visit.query.get("after", ""))
    with visit.service.database.read() as connection:
        listed = accounts.people_page(connection, after=after, most=PEOPLE + 1)
        theirs = accounts.identities_of_all(connection, [each.id for each in listed])
    return visit.page(
        "people.html",
        "People",
        people=listed[:PEOPLE],
        identities={each.id: theirs.get(each.id, ()) for each in listed},
        roles=ROLES,
        shown=shown,
        password=password,
        after=after,
        next=listed[PEOPLE - 1].id if len(listed) > PEOPLE else 0,
    )


def _after(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _add_person(visit: Visit) -> Response:
    return _at(people.add(_ask(visit, body=_body(visit, NewPerson))).id)


def _at(person: int) -> Response:
    """To the page that begins with this person: of many people they may stand on none that was open."""
    return see(f"/settings/people?after={person - 1}#person-{person}")


def _change_person(visit: Visit) -> Response:
    fields: dict[str, Any] = {**visit.form, "disabled": visit.form.get("disabled") == "1"}
    people.change(_ask(visit, body=_convert(fields, ChangedPerson), person=visit.number("person")))
    return _at(visit.number("person"))


def _new_password(visit: Visit) -> Response:
    made = people.new_password(_ask(visit, person=visit.number("person")))
    with visit.service.database.read() as connection:
        person = accounts.person(connection, visit.number("person"))
    return _people(visit, person.name if person else "", made.password)


def _add_identity(visit: Visit) -> Response:
    people.add_identity(_ask(visit, body=_body(visit, NewIdentity), person=visit.number("person")))
    return _at(visit.number("person"))


def _remove_identity(visit: Visit) -> Response:
    people.remove_identity(_ask(visit, person=visit.number("person"), identity=visit.number("identity")))
    return _at(visit.number("person"))


def _keys(visit: Visit, problem: Problem | None = None) -> Response:
    try:
        webauthn.site_of(visit.service.config)
        no_browser = ""
    except Problem as unfit:
        no_browser = f"{unfit.title}: {unfit.mend}"
    return visit.page(
        "keys.html",
        "Keys",
        problem.status if problem else 200,
        keys=mine.my_keys(_ask(visit)).items,
        no_browser=no_browser,
        question=ssh_keys.question(visit.service, visit.who),
        problem=problem,
        filled=visit.form,
    )


def _add_ssh_key(visit: Visit) -> Response:
    label = visit.form.get("label", "").strip()[:200]
    try:
        ssh_keys.add(visit.service, visit.who, visit.form.get("signature", ""), label or "SSH key")
    except InputError as error:
        return _keys(visit, Problem(422, error.what, detail=error.where, mend=error.mend))
    return see("/settings/keys")


def _begin_authenticator(visit: Visit) -> Response:
    return JSONResponse(webauthn.begin_registration(visit.service, visit.who))


def _add_authenticator(visit: Visit) -> Response:
    label = visit.form.get("label", "").strip()[:200]
    credential = read_credential(visit.form)
    webauthn.finish_registration(visit.service, visit.who, credential, label or "Authenticator")
    return see("/settings/keys")


def _revoke_key(visit: Visit) -> Response:
    mine.revoke_key(_ask(visit, key=visit.number("key")))
    return see("/settings/keys")


def _tokens(visit: Visit, made: str = "") -> Response:
    listed = mine.tokens(_ask(visit)).items
    scopes = [each for each in PERMISSIONS if each in ALLOWED.get(visit.who.role, frozenset())]  # type: ignore[call-overload]
    with visit.service.database.read() as connection:
        known = {f"repository:{one.id}": one.slug for one in repositories.page(connection, most=mine.MOST_REPOSITORIES)}
    return visit.page("tokens.html", "Tokens", tokens=listed, scopes=scopes, repositories=known, made=made)


def _add_token(visit: Visit) -> Response:
    scopes = [each for each in PERMISSIONS if visit.form.get(f"scope-{each}") == "1"]
    if not scopes:
        raise Problem(422, "a token needs at least one permission", mend="go back and choose what it is for")
    days = visit.form.get("days", "")
    fields = {
        "label": visit.form.get("label", ""),
        "scopes": scopes,
        "days": int(days) if days.isdecimal() and len(days) < 4 else 0,
        "repositories": [
            int(name.removeprefix("repository-"))
            for name, value in visit.form.items()
            if re.fullmatch(r"repository-[0-9]{1,15}", name) and value == "1"
        ],
    }
    # Not sent on to another page: what is shown once is in this answer and nowhere else.
    return _tokens(visit, mine.add_token(_ask(visit, body=_convert(fields, NewToken))).token)


def _revoke_token(visit: Visit) -> Response:
    mine.revoke_token(_ask(visit, token=visit.number("token")))
    return see("/settings/tokens")


def _witnesses(visit: Visit) -> Response:
    watched = api.witnesses(_ask(visit))
    log = visit.service.log
    return visit.page(
        "witnesses.html",
        "Witnesses",
        witnesses=watched.items,
        quorum=watched.quorum,
        size=log.size(),
        key=log.public_key().vkey,
    )


def _policies(visit: Visit) -> Response:
    with visit.service.database.read() as connection:
        found = tuple(
            _policy(visit.service.cache, connection, each) for each in repositories.page(connection, most=MOST)
        )
    return visit.page("policies.html", "Policies", policies=found)


def _policy(cache: Cache, connection: Connection, repository: Repository) -> PolicyOf:
    """What the rules of a repository said of its last changes: counted, not estimated."""
    last = assessments.last_of_changes(connection, repository.id, most=LOOKED_AT)

    def count() -> PolicyOf:
        verdicts = [said.verdict for each in last if (said := brief(cache, connection, each.id)) is not None]
        newest = max(last, key=lambda each: each.made_at, default=None)
        return PolicyOf(
            repository,
            verdicts[-1].policy if verdicts else "",
            newest.policy if newest else "",
            Counter(each.outcome for each in verdicts),
            _effects(verdicts),
            len(verdicts),
        )

    key = ("policy", repository, tuple(each.id for each in last))
    return cache.get(key, count, lambda made: 1000 * (1 + len(made.effects)) if made.of == len(last) else NEVER)


def _effects(verdicts: list[Verdict]) -> tuple[Effect, ...]:
    spoke: Counter[str] = Counter()
    known = {}
    for verdict in verdicts:
        for rule in verdict.rules:
            known[rule.id] = rule
            spoke[rule.id] += rule.outcome != "pass"
    made = [Effect(each.id, each.title, each.mode, spoke[each.id], len(verdicts)) for each in known.values()]
    return tuple(sorted(made, key=lambda each: (-each.spoke, each.rule)))


def _ask(visit: Visit, *, body: object = None, **path: int) -> Ask[Any, Any]:
    return Ask(visit.service, visit.who, path, Nothing(), Nothing() if body is None else body)


def _body(visit: Visit, kind: type[T]) -> T:
    return _convert({name: visit.form[name].strip() for name in visit.form if name != "csrf"}, kind)


def _convert(fields: Mapping[str, Any], kind: type[T]) -> T:
    names = getattr(kind, "__struct_fields__", ())
    try:
        return msgspec.convert({name: fields[name] for name in names if name in fields}, kind)
    except msgspec.ValidationError as error:
        raise Problem(
            422, "the form is not filled in as expected", detail=str(error), mend="go back and try again"
        ) from error
