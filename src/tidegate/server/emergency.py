"""Breaking the glass: two people let one state of a change through for a while, and the record says so for ever.

Neither of them made the change, neither is an agent, and they are two people, not two accounts. Once confirmed it is an
entry of the ledger, and an exception that every evidence pack lists.
"""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from tidegate.errors import InputError
from tidegate.ledger.fields import Subject
from tidegate.ledger.predicates.break_glass import BreakGlass
from tidegate.ledger.statements import Statement, read_statement
from tidegate.server.again import ask_again
from tidegate.server.api.endpoint import Who
from tidegate.server.api.problems import Problem
from tidegate.server.entries import append, keep_body, pseudonym_of, time_of
from tidegate.server.service import Service
from tidegate.server.standing import Standing, look, makers_of, may_sign, name_of
from tidegate.store import accounts, assessments, emergencies, values
from tidegate.store.clock import later
from tidegate.store.emergencies import Emergency

LONGEST_HOURS = 24
WITNESS_SECONDS = 2.0


def ask(service: Service, who: Who, change: int, reason: str, hours: int = 4) -> Emergency:
    """One person asks, from a browser's session. Problem 403 where they may not, 422 without a reason."""
    if len(reason.split()) < 3 or not 1 <= hours <= LONGEST_HOURS:
        raise Problem(422, "an emergency has a reason in words, and ends", detail=f"1 to {LONGEST_HOURS} hours")
    standing = look(service, change)
    _check_person(service, who, standing)
    now = service.now()

    def work(connection: Connection) -> Emergency:
        asked = emergencies.ask(connection, change, reason, who.person, now, later(now, hours * 3600.0))
        values.write(connection, _row(asked.id), f"{standing.change.head} {standing.merge_tree}", now)
        return asked

    return service.database.change(work)


def confirm(service: Service, who: Who, emergency: int) -> Emergency:
    """Another person confirms, and the ledger holds it from now on. Problem 403 where they may not, 409 too late."""
    with service.database.read() as connection:
        asked = emergencies.get(connection, emergency)
        state = values.read(connection, _row(emergency))
    if asked is None:
        raise Problem(404, "there is no such emergency")
    standing = look(service, asked.change)
    if state != f"{standing.change.head} {standing.merge_tree}":
        raise Problem(409, "the change is another one since it was asked for", mend="ask again for what is there now")
    _check_person(service, who, standing)
    _check_two(service, who, asked, standing)
    now = service.now()
    if asked.confirmed_by != who.person or asked.entry is not None:
        if not service.database.change(lambda connection: emergencies.confirm(connection, emergency, who.person, now)):
            raise Problem(409, "it was confirmed before, or has ended")
        asked = _get(service, emergency)
    entry = _enter(service, standing, asked)
    service.database.change(lambda connection: emergencies.set_entry(connection, emergency, entry))
    ask_again(service, asked.change, f"emergency-{emergency}")
    return _get(service, emergency)


def let_through(service: Service, change: int, head: str, merge_tree: str) -> BreakGlass | None:
    """What lets this very state of the change through now; None where nothing does. Read from the ledger's entry,
    which a quorum of witnesses must have seen where there are any."""
    now = service.now()
    with service.database.read() as connection:
        living = emergencies.in_force(connection, change, now)
    if living is None or living.entry is None:
        return None
    entry = service.log.entry(living.entry)
    if entry is None or not service.log.wait_witnessed(living.entry, WITNESS_SECONDS):
        return None
    said = read_statement(_payload(entry.envelope)).predicate
    fits = isinstance(said, BreakGlass) and (said.head, said.merge_tree) == (head, merge_tree)
    return said if fits and isinstance(said, BreakGlass) and said.expires > time_of(now) else None


# Private


def _row(emergency: int) -> str:
    return f"emergency/{emergency}"


def _get(service: Service, emergency: int) -> Emergency:
    with service.database.read() as connection:
        found = emergencies.get(connection, emergency)
    if found is None:
        raise Problem(404, "there is no such emergency")
    return found


def _check_person(service: Service, who: Who, standing: Standing) -> None:
    with service.database.read() as connection:
        person = accounts.person(connection, who.person)
    if not who.session or person is None or not may_sign(person):
        raise Problem(403, "only approvers at a browser break the glass, never an agent and never a token")
    if not standing.merge_tree:
        raise Problem(409, "the change conflicts with its target: there is nothing to let through")
    makers = makers_of(standing)
    name = name_of(service, standing, who.person)
    if name in makers.people:
        raise Problem(403, f"you helped to make it: {makers.people[name]}")
    if not name:
        raise Problem(
            403,
            "you are in no entry of [people], so you may be who made it, or the other one of the two",
            mend="have your account at the forge added here, and to tidegate.toml on the target branch",
        )


def _check_two(service: Service, who: Who, asked: Emergency, standing: Standing) -> None:
    first, second = (name_of(service, standing, person) for person in (asked.asked_by, who.person))
    if asked.asked_by == who.person or (first and first == second):
        raise Problem(403, "another person has to confirm it, not another account")
    with service.database.read() as connection:
        before = accounts.person(connection, asked.asked_by)
    if before is None or not may_sign(before):
        raise Problem(403, "whoever asked for it may not any more", mend="ask again")


def _enter(service: Service, standing: Standing, confirmed: Emergency) -> int:
    key = f"break-glass/{confirmed.id}"
    found = service.log.find(key)
    if found is not None:
        return found.index
    now = service.now()
    if confirmed.confirmed_by is None or confirmed.confirmed_at is None:
        raise Problem(409, "it is not confirmed")
    pair = (confirmed.asked_by, confirmed.confirmed_by)

    def work(connection: Connection) -> tuple[tuple[str, ...], str]:
        people = []
        for each in pair:
            person = accounts.person(connection, each)
            people.append(pseudonym_of(connection, each, person.name if person else "", now))
        return tuple(people), keep_body(connection, people[0], "reason", confirmed.reason.encode(), now)

    people, reason = service.database.change(work)
    said = BreakGlass(
        repository=standing.uri,
        target=f"refs/heads/{standing.change.target}",
        head=standing.change.head,
        merge_tree=standing.merge_tree,
        people=people,
        waived=_unmet(service, standing),
        reason=reason,
        at=time_of(confirmed.confirmed_at),
        expires=time_of(confirmed.expires_at),
    )
    subject = Subject(digest={"gitCommit": standing.change.head, "gitTree": standing.merge_tree})
    return append(service, key, Statement((subject,), said), standing.change.head)


def _unmet(service: Service, standing: Standing) -> tuple[str, ...]:
    """The rules that hold or block the change at its last assessment."""
    with service.database.read() as connection:
        kept = assessments.document(connection, standing.assessment.id)
    document = msgspec.json.decode(kept or b"{}")
    rules = document.get("verdict", {}).get("rules", [])
    return tuple(rule["id"] for rule in rules if rule.get("outcome") in ("hold", "block") and rule["mode"] == "enforce")


def _payload(envelope: bytes) -> bytes:
    from tidegate.ledger.dsse import read_envelope
    from tidegate.ledger.notes import decode_base64

    try:
        return decode_base64(read_envelope(envelope).payload.encode())
    except ValueError as error:
        raise InputError("an entry of the ledger cannot be read") from error
