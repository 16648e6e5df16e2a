"""Attacks on signed approvals, one row each: none is accepted by any rule. The honest ones at the end are."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.approvals.keys import Authenticator, FileKey, HardwareKey, envelope, mpint, text
from tests.approvals.world import NOW, World
from tidegate.ledger.approval import encode, parse_key, seal, signed_bytes
from tidegate.ledger.dsse import PAYLOAD_TYPE, pae
from tidegate.ledger.strict_json import canonical
from tidegate.ledger.webauthn_proof import Assertion, encode_proof

Documents = Sequence[bytes]


class Given(NamedTuple):
    documents: Documents = ()
    reviews: Sequence[Mapping[str, object]] = ()


class Attack(NamedTuple):
    """What is handed in, and a part of the reason for which it is refused."""

    name: str
    make: Callable[[World], Given | bytes]
    why: str


OTHER = "ab" * 20
DIGEST = "ab" * 32


def signed(key: str = "bob", person: str = "", **changed: str) -> Callable[[World], bytes]:
    return lambda world: world.signed(key, person, **changed)


def edited(change: Callable[[dict[str, Any]], None], key: str = "bob") -> Callable[[World], bytes]:
    """Bob's envelope, changed after he signed."""

    def make(world: World) -> bytes:
        document = json.loads(world.signed(key))
        change(document)
        return canonical(document)

    return make


def restated(change: Callable[[dict[str, Any]], None], key: str = "bob") -> Callable[[World], bytes]:
    """Bob signs a statement that is no approval, or not a canonical one."""

    def make(world: World) -> bytes:
        statement = json.loads(encode(world.terms("bob", parse_key(world.keys[key].line).evidence)))
        change(statement)
        return world.sealed(canonical(statement), key)

    return make


def payload_of(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(document["payload"]))
    return found


def with_payload(**changed: str) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        statement = payload_of(document)
        statement["predicate"].update(changed)
        document["payload"] = base64.b64encode(canonical(statement)).decode()

    return change


def in_namespace(namespace: str) -> Callable[[World], bytes]:
    def make(world: World) -> bytes:
        payload = encode(world.terms())
        key = world.keys["bob"]
        assert isinstance(key, FileKey)
        return seal(payload, parse_key(key.line), key.sign(signed_bytes(payload), namespace))

    return make


def over(message: Callable[[bytes], bytes], key: str = "bob") -> Callable[[World], bytes]:
    """Bob's signature over something else than DSSE's encoding of the payload."""

    def make(world: World) -> bytes:
        maker = world.keys[key]
        payload = encode(world.terms("bob", parse_key(maker.line).evidence))
        return seal(payload, parse_key(maker.line), maker.sign(message(payload)))

    return make


def a_login(world: World) -> bytes:
    """The raw signature of a login: the key signs the session's data, without SSHSIG around it."""
    hardware = HardwareKey.make()
    payload = encode(world.terms())
    return seal(payload, parse_key(hardware.line), text(b"ssh-ed25519") + text(b"x" * 64))


def by_stranger(make: Callable[[], HardwareKey], **options: Any) -> Callable[[World], bytes]:
    def work(world: World) -> bytes:
        key = make()
        payload = encode(world.terms("bob", "sk-ssh"))
        proof = key.sign(signed_bytes(payload), **options)
        return canonical(
            {
                "payload": base64.b64encode(payload).decode(),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"keyid": "SHA256:x", "sig": base64.b64encode(proof).decode()}],
            }
        )

    return work


def untouched(key: str) -> Callable[[World], bytes]:
    def make(world: World) -> bytes:
        hardware = world.keys[key]
        assert isinstance(hardware, HardwareKey)
        payload = encode(world.terms("bob", "sk-ssh"))
        return seal(payload, parse_key(hardware.line), hardware.sign(signed_bytes(payload), flags=4))

    return make


def with_weak_rsa(world: World) -> bytes:
    numbers = rsa.generate_private_key(65537, 1024).public_key().public_numbers()
    blob = text(b"ssh-rsa") + mpint(numbers.e) + mpint(numbers.n)
    payload = encode(world.terms())
    return edit_signature(world.sealed(payload, "bob"), envelope(blob, text(b"rsa-sha2-512") + text(b"x" * 128)))


def with_certificate(world: World) -> bytes:
    blob = text(b"ssh-ed25519-cert-v01@openssh.com") + text(b"n" * 32) + text(b"k" * 32)
    return edit_signature(world.signed(), envelope(blob, text(b"ssh-ed25519") + text(b"x" * 64)))


def edit_signature(document: bytes, proof: bytes) -> bytes:
    found = json.loads(document)
    found["signatures"][0]["sig"] = base64.b64encode(proof).decode()
    return canonical(found)


def assertion(of: Callable[[bytes], bytes] = signed_bytes, **lies: Any) -> Callable[[World], bytes]:
    """An authenticator that lies in one part."""

    def make(world: World) -> bytes:
        key = world.keys["bob authenticator"]
        assert isinstance(key, Authenticator)
        payload = encode(world.terms("bob", "webauthn"))
        return seal(payload, key.key, key.sign(of(payload), **lies))

    return make


def damaged_assertion(field: str) -> Callable[[World], bytes]:
    def make(world: World) -> bytes:
        key = world.keys["bob authenticator"]
        assert isinstance(key, Authenticator)
        payload = encode(world.terms("bob", "webauthn"))
        made = key.sign(signed_bytes(payload))
        value = getattr(made, field)
        other = "B" if value[40] != "B" else "C"
        proof: Assertion = msgspec.structs.replace(made, **{field: value[:40] + other + value[41:]})
        return edit_signature(seal(payload, key.key, made), encode_proof(proof))

    return make


def anothers_authenticator(world: World) -> bytes:
    key = Authenticator.make()
    payload = encode(world.terms("bob", "webauthn"))
    return seal(payload, key.key, key.sign(signed_bytes(payload)))


def earlier_statement(payload: bytes) -> bytes:
    """What the authenticator signed for another change."""
    return signed_bytes(payload.replace(b"refs/heads/main", b"refs/heads/next"))


def then(*makers: Callable[[World], bytes]) -> Callable[[World], Given]:
    return lambda world: Given([make(world) for make in makers])


def beside(*reviews: tuple[str, str, str], documents: bool = True) -> Callable[[World], Given]:
    """Bob's signature, and reviews at the forge: account, state and time."""

    def make(world: World) -> Given:
        return Given([world.signed()] if documents else [], [world.review(*each) for each in reviews])

    return make


def twice(document: dict[str, Any]) -> None:
    document["signatures"] *= 2


def by_two(world: World) -> bytes:
    document = json.loads(world.signed())
    document["signatures"] += json.loads(world.signed("bob hardware"))["signatures"]
    return canonical(document)


def repeated_key(world: World) -> bytes:
    """Python's parser keeps the last of two values, others the first."""
    payload = encode(world.terms())
    twofold = payload.replace(b'"person":"bob"', b'"person":"mallory","person":"bob"')
    assert twofold != payload
    return world.sealed(twofold, "bob")


def repeated_in_envelope(world: World) -> bytes:
    document = world.signed()
    return document.replace(b'"payloadType"', b'"payload":"e30=","payloadType"')


def spelt_otherwise(world: World) -> bytes:
    """The base64 of the payload with a bit that decoders drop."""
    document = json.loads(world.signed())
    value = document["payload"]
    document["payload"] = value[:-3] + chr(ord(value[-3]) + 1) + "==" if value.endswith("==") else f"{value}\n"
    return canonical(document)


ATTACKS = [
    # By whom
    Attack("the author signs", signed("mallory"), "mallory prompted the agent"),
    Attack("the prompter signs", signed("alice"), "alice prompted the agent"),
    Attack("a committer signs", signed("dave"), "dave wrote part of it"),
    Attack("a bot's entry with a key signs", signed("robot"), "is an app or a bot"),
    Attack("a key that the change itself adds", signed("eve"), "is no key of eve"),
    Attack("a key that was taken from the settings", signed("lost", "bob"), "is no key of bob"),
    Attack("the author's key speaks for bob", signed("mallory", "bob"), "mallory signed it"),
    Attack("the prompter's key speaks for carol", signed("alice", "carol"), "alice signed it"),
    Attack("bob's key speaks for nobody that is known", signed("bob", "zoe"), "bob signed it"),
    Attack("a name with a Cyrillic letter", signed("bob", "b\u043eb"), "bob signed it"),
    Attack("a name in other case", signed("bob", "Bob"), "bob signed it"),
    Attack("a name with a mark that nobody sees", restated(
        lambda s: s["predicate"].update(person="bo\u200bb")), "not printable"),
    Attack("a name with a space behind it", restated(lambda s: s["predicate"].update(person="bob ")), "not printable"),
    Attack("a hardware key of nobody", by_stranger(HardwareKey.make), "is no key of bob"),
    Attack("an authenticator of nobody", anothers_authenticator, "not one of this key"),
    Attack("one person with two keys is two", then(signed("bob"), signed("bob hardware")), "1 of 2"),
    Attack("one person signs and clicks with a second account", beside(("bob-work", "APPROVED", NOW)), "1 of 2"),
    Attack("the merge bot clicks", beside(("mergify[bot]", "APPROVED", NOW), documents=False), "is an app or a bot"),
    Attack("an app clicks", beside(("github-actions[bot]", "APPROVED", NOW), documents=False), "is an app or a bot"),
    Attack("an unknown account clicks", beside(("zoe", "APPROVED", NOW), documents=False), "in no entry of [people]"),
    Attack("the author clicks", beside(("mallory", "APPROVED", NOW), documents=False), "mallory prompted"),
    # Of what
    Attack("of another repository", signed(repository="repo:acme/other"), "another repository"),
    Attack("of a repository of another owner", signed(repository="repo:mallory/shop"), "another repository"),
    Attack("for another branch", signed(target="refs/heads/next"), "signed it for next"),
    Attack("for a tag", signed(target="refs/tags/main"), "no branch"),
    Attack("of another head", signed(head=OTHER), "signed another state"),
    Attack("of another base", signed(base=OTHER), "another base"),
    Attack("of a stale result of the merge", signed(merge_tree=OTHER), "signed another state"),
    Attack("of the head's tree in the place of the merge's", signed(merge_tree="0" * 40), "signed another state"),
    Attack("under another policy", signed(policy=DIGEST), "under another policy"),
    Attack("on other facts", signed(facts=DIGEST), "other facts"),
    Attack("for another stage", signed(stage="push"), "for the stage push"),
    # When
    Attack("expired", signed(at="2026-02-01T00:00:00Z", expires="2026-02-08T00:00:00Z"), "has expired"),
    Attack("expires now", signed(expires=NOW), "has expired"),
    Attack("dated later than now", signed(at="2026-03-01T12:00:01Z"), "later than now"),
    Attack("ends before it begins",
           restated(lambda s: s["predicate"].update(expires="2026-02-01T00:00:00Z")), "before"),
    Attack("holds for years", restated(lambda s: s["predicate"].update(expires="2030-01-01T00:00:00Z")), "90 days"),
    Attack("has no time zone", restated(lambda s: s["predicate"].update(at="2026-03-01T11:00:00")), "malformed"),
    Attack("a day that no calendar has",
           restated(lambda s: s["predicate"].update(at="2026-02-30T11:00:00Z")), "no time"),
    # Taken back
    Attack("withdrawn later",
           then(signed(), signed(word="withdrawn", at="2026-03-01T11:10:00Z")), "dismissed"),
    Attack("withdrawn at the same second", then(signed(), signed(word="withdrawn")), "dismissed"),
    Attack("withdrawn with another key of theirs",
           then(signed(), signed("bob hardware", word="withdrawn", at="2026-03-01T11:10:00Z")), "dismissed"),
    Attack("an older approval replayed after its withdrawal",
           then(signed(at="2026-03-01T10:00:00Z"), signed(word="withdrawn", at="2026-03-01T10:30:00Z")), "dismissed"),
    Attack("asked for changes later at the forge", beside(("bob", "CHANGES_REQUESTED", NOW)), "asked for changes"),
    Attack("asked for changes later by a second account",
           beside(("bob-work", "CHANGES_REQUESTED", NOW)), "asked for changes"),
    Attack("dismissed later at the forge", beside(("bob", "DISMISSED", NOW)), "dismissed"),
    Attack("another reviewer asks for changes", beside(("carol", "CHANGES_REQUESTED", NOW)), "asked for changes"),
    # The envelope
    Attack("the payload was changed", edited(with_payload(stage="push")), "does not say what its fields say"),
    Attack("the payload was changed with its text", edited(lambda d: d.update(
        payload=base64.b64encode(encode_as(d, stage="push")).decode())), "not one of this key"),
    Attack("a signature of one document on another", lambda w: edit_signature(
        w.signed(), base64.b64decode(json.loads(w.signed(at="2026-03-01T10:59:59Z"))["signatures"][0]["sig"])),
        "not one of this key"),
    Attack("another kind of payload", edited(lambda d: d.update(payloadType="application/json")), "another kind"),
    Attack("the kind of payload is signed too", over(lambda p: pae("application/json", p)), "not one of this key"),
    Attack("a signature over the bare payload", over(lambda p: p), "not one of this key"),
    Attack("a signature over the text alone", over(lambda p: b"I approve this change."), "not one of this key"),
    Attack("no signature", edited(lambda d: d.update(signatures=[])), "no DSSE envelope"),
    Attack("two signatures of one key", edited(twice), "one signature"),
    Attack("two signatures of two keys", by_two, "one signature"),
    Attack("a key stands twice in the payload", repeated_key, "twice"),
    Attack("a key stands twice in the envelope", repeated_in_envelope, "twice"),
    Attack("a field that nobody knows in the envelope", edited(lambda d: d.update(more=1)), "no DSSE envelope"),
    Attack("a field that nobody knows in the statement", restated(lambda s: s.update(more="1")), "no statement"),
    Attack("a field that nobody knows in the approval",
           restated(lambda s: s["predicate"].update(more="1")), "malformed"),
    Attack("a field is missing", restated(lambda s: s["predicate"].pop("facts")), "malformed"),
    Attack("another kind of statement", restated(lambda s: s.update(
        predicateType="urn:tidegate:predicate:outcome:1")), "no statement"),
    Attack("the ledger's own kind of approval", restated(lambda s: s.update(
        predicateType="urn:tidegate:predicate:approval:1")), "no statement"),
    Attack("its text says something else", restated(lambda s: s["predicate"].update(statement="fine")), "does not say"),
    Attack("its subject is another tree",
           restated(lambda s: s["subject"][0]["digest"].update(gitTree=OTHER)), "does not"),
    Attack("white space in the payload", lambda w: w.sealed(encode(w.terms()) + b" ", "bob"), "canonical"),
    Attack("base64 in another spelling", spelt_otherwise, "base64"),
    Attack("bytes behind the envelope", lambda w: w.signed() + b"{}", "no JSON"),
    Attack("no JSON at all", lambda w: b"\xff\xfe", "no JSON"),
    Attack("nothing", lambda w: b"", "no JSON"),
    Attack("too much", lambda w: b" " * 100_000, "too long"),
    # The key
    Attack("a signature of a git commit", in_namespace("git"), "made for 'git'"),
    Attack("a signature of a file", in_namespace("file"), "made for 'file'"),
    Attack("a signature of a login", a_login, "no SSH signature"),
    Attack("a weak RSA key", with_weak_rsa, "1024 bits"),
    Attack("a certificate in the place of a key", with_certificate, "certificates do not approve"),
    Attack("a hardware key that nobody touched", untouched("bob hardware"), "nobody touched"),
    Attack("an ECDSA hardware key that nobody touched", untouched("bob hardware ecdsa"), "nobody touched"),
    Attack("a hardware key of a web site",
           by_stranger(lambda: HardwareKey.make(application=b"https://shop")), "not made for SSH"),
    Attack("a key in a file that says it is hardware", signed("bob", evidence="sk-ssh"), "its key is ssh"),
    Attack("a key in a file that says it is an authenticator", signed("bob", evidence="webauthn"), "JSON"),
    Attack("hardware that says it is a key in a file", signed("bob hardware", evidence="ssh"), "its key is sk-ssh"),
    Attack("a click that is dressed as a signature", restated(
        lambda s: s["predicate"].update(evidence="forge-click")), "malformed"),
    # The authenticator
    Attack("an authenticator that did not verify the person", assertion(flags=1), "did not verify the person"),
    Attack("an authenticator that nobody touched", assertion(flags=4), "nobody touched"),
    Attack("an assertion on another page", assertion(origin="https://evil.example"), "another page"),
    Attack("an assertion on a page of another port", assertion(origin="https://gate.example.com:8443"), "another page"),
    Attack("an assertion for another site", assertion(rp_id="evil.example"), "another site"),
    Attack("an assertion of another statement", assertion(earlier_statement), "of another statement"),
    Attack("an assertion of a sign-in",
           assertion(challenge=b"a random challenge of a sign-in"), "of another statement"),
    Attack("an assertion of a registration", assertion(kind="webauthn.create"), "something else than signing"),
    Attack("an assertion inside another site's page", assertion(more={"crossOrigin": True}), "inside a page"),
    Attack("an assertion under another site's page", assertion(more={"topOrigin": "https://evil.example"}), "inside"),
    Attack("an assertion whose counter was changed",
           damaged_assertion("authenticator_data"), "not one of this key|site"),
    Attack("an assertion whose signature was changed", damaged_assertion("signature"), "not one of this key"),
]  # fmt: skip


def encode_as(document: dict[str, Any], **changed: str) -> bytes:
    from tidegate.ledger.approval import decode

    terms = decode(base64.b64decode(document["payload"]))
    return encode(msgspec.structs.replace(terms, **changed))


ABOUT_TWO = ("one person with two keys is two", "one person signs and clicks with a second account")


@pytest.mark.parametrize("attack", ATTACKS, ids=[attack.name for attack in ATTACKS])
def test_no_attack_is_accepted(world: World, attack: Attack) -> None:
    made = attack.make(world)
    given = made if isinstance(made, Given) else Given([made])
    found = world.judge(given.documents, given.reviews)
    rules = ("two",) if attack.name in ABOUT_TWO else tuple(found.rules)
    assert [rule for rule in rules if found.met(rule)] == []
    reasons = " | ".join(found.why(rule) for rule in rules)
    assert any(part in reasons for part in attack.why.split("|")), reasons


def test_there_are_enough_of_them() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 60


def test_a_click_is_weaker_than_a_signature_and_the_text_says_so(world: World) -> None:
    found = world.judge([], [world.review("bob", "APPROVED")])
    assert found.met("any")
    for rule in ("signed", "hardware", "owners"):
        assert not found.met(rule)
        assert "bob only clicked at the forge, which is weaker than the signature that is asked for" in found.why(rule)
    assert "a click at the forge is not enough" in found.rules["signed"].text
    weak = world.judge([world.signed("bob")])
    assert weak.met("signed")
    assert "bob signed with an SSH key, and a hardware SSH key or an authenticator in the console is asked for" in (
        weak.why("hardware")
    )


def test_an_owner_of_another_file_does_not_own_this_one(world: World) -> None:
    found = world.judge([world.signed("carol")])
    assert found.met("signed")
    assert not found.met("owners")


HONEST = {
    "a key in a file": ("bob", ("any", "signed", "owners")),
    "an ECDSA key": ("carol", ("any", "signed")),
    "an RSA key": ("carol rsa", ("any", "signed")),
    "a hardware key": ("bob hardware", ("any", "signed", "hardware", "owners")),
    "an ECDSA hardware key": ("bob hardware ecdsa", ("any", "signed", "hardware", "owners")),
    "an authenticator": ("bob authenticator", ("any", "signed", "hardware", "owners")),
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_approvals_are_accepted(world: World, name: str) -> None:
    key, rules = HONEST[name]
    found = world.judge([world.signed(key)])
    assert {rule for rule in found.rules if found.met(rule)} == set(rules)


def test_honest_people_may_change_their_minds_and_be_two(world: World) -> None:
    both = world.judge([world.signed("bob"), world.signed("carol")])
    assert all(both.met(rule) for rule in ("any", "signed", "two", "owners"))
    again = [
        world.signed(at="2026-03-01T10:00:00Z"),
        world.signed(word="withdrawn", at="2026-03-01T10:30:00Z"),
        world.signed(at="2026-03-01T11:00:00Z"),
    ]
    assert world.judge(again).met("signed")
    commented = Given([world.signed()], [world.review("bob", "COMMENTED", NOW)])
    assert world.judge(*commented).met("signed")
    answered = Given([world.signed()], [world.review("bob", "CHANGES_REQUESTED", "2026-03-01T10:00:00Z")])
    assert world.judge(*answered).met("signed")
    mixed = world.judge([world.signed("bob")], [world.review("carol", "APPROVED", NOW)])
    assert mixed.met("two")


def test_a_document_that_cannot_be_read_takes_nothing_from_one_that_can(world: World) -> None:
    found = world.judge([b"junk", world.signed("mallory", "carol"), world.signed("bob")])
    assert found.met("signed")
