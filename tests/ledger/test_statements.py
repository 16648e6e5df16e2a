"""Statements: one spelling for each, and nothing that two readers could read differently."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as OtherEnvelope
from securesystemslib.signer import SSlibKey

from tests.conftest import ROOT
from tests.ledger.examples import ANNA, AT, BERT, ENTRY, PREDICATES, QUESTION, SHA, STATEMENTS, SUBJECT, WHY
from tests.ledger.logs import seeded_key
from tidegate.errors import InputError
from tidegate.ledger import predicates
from tidegate.ledger.commitments import check, commit, new_pseudonym, new_salt
from tidegate.ledger.dsse import PAYLOAD_TYPE, pae, sign_envelope, verify_envelope
from tidegate.ledger.fields import HEX_LENGTHS, Resource, StatementError, Subject, format_time, parse_time
from tidegate.ledger.keys import KeyKind, PublicKey, SoftwareKey
from tidegate.ledger.predicates.approval import Approval
from tidegate.ledger.statements import Statement, encode_statement, open_entry, read_statement, sign_statement
from tidegate.ledger.strict_json import JsonError, canonical, load_canonical, load_strict

ANNAS, BERTS = SoftwareKey("ed25519", b"a" * 32), SoftwareKey("ed25519", b"b" * 32)


def public(key: SoftwareKey) -> PublicKey:
    return PublicKey(key.algorithm, key.public_key)


def test_there_is_an_example_of_every_kind() -> None:
    assert {type(predicate) for predicate in PREDICATES} == set(predicates.PREDICATES.values())


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: type(statement.predicate).__name__)
def test_a_statement_is_read_as_it_was_written(statement: Statement) -> None:
    data = encode_statement(statement)
    assert read_statement(data) == statement
    assert encode_statement(read_statement(data)) == data
    assert json.loads(data)["predicateType"] == statement.predicate_type
    if statement.predicate.time:
        parse_time(statement.predicate.time)


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: type(statement.predicate).__name__)
def test_no_field_may_be_missing_unknown_misspelt_or_of_another_type(statement: Statement) -> None:
    document = json.loads(encode_statement(statement))
    tried = 0
    for changed in wrongly_changed(document):
        with pytest.raises(InputError):
            read_statement(canonical(changed))
        tried += 1
    assert tried > 30


def wrongly_changed(document: Any) -> Iterator[Any]:
    """The document with one value replaced by one of another type, or with an unknown field, at every place."""
    for path in places(document):
        *parents, last = path
        for wrong in (7.5, None, [[]], {"x": {}}, "\n", "", -1):
            changed = copy.deepcopy(document)
            owner = changed
            for step in parents:
                owner = owner[step]
            if wrong == owner[last] or (wrong == -1 and isinstance(owner, dict) and last == "dependencyLevels"):
                continue
            owner[last] = wrong
            yield changed
        changed = copy.deepcopy(document)
        owner = changed
        for step in path:
            owner = owner[step]
        if isinstance(owner, dict):
            owner["unknown"] = {"x": 1}
            yield changed


def places(value: Any) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (key,)
        yield from ((key, *rest) for rest in places(inner))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"at":"2027-01-15T08:00:00Z"', '"at":"2027-02-30T08:00:00Z"'),
        ('"at":"2027-01-15T08:00:00Z"', '"at":"2027-01-15T08:00:00+01:00"'),
        ('"at":"2027-01-15T08:00:00Z"', '"at":"2027-01-15T24:00:00Z"'),
        ('"at":"2027-01-15T08:00:00Z"', '"at":"2027-01-15 08:00:00Z"'),
        ('"at":"2027-01-15T08:00:00Z"', '"at":"2027-01-15T08:00:00z"'),
        ('"at":"2027-01-15T08:00:00Z"', '"at":"2027-01-15T08:00:60Z"'),
        ('"at":"2027-01-15T08:00:00Z"', '"at":"2028-01-15T08:00:00Z"'),
        ('"evidence":"sk-ssh"', '"evidence":"forge-click"'),
        ('"evidence":"sk-ssh"', '"evidence":"oath"'),
        ('"stage":"merge"', '"stage":"push"'),
        ('"target":"refs/heads/main"', '"target":"main"'),
        ('"target":"refs/heads/main"', '"target":"refs/heads/ma in"'),
        (f'"person":"{ANNA}"', '"person":"anna@example.com"'),
        (f'"person":"{ANNA}"', f'"person":"{BERT}"'),
        (f'"facts":"{SHA}"', f'"facts":"{SHA[:-1]}"'),
        (f'"facts":"{SHA}"', f'"facts":"{SHA.upper()}"'),
        (f'"facts":"{SHA}"', f'"facts":"{SHA}\\n"'),
        ('"repository":"git+https', '"repository":"GIT+https'),
        ("I approve this change", "I approve that change"),
        ('"_type":"https://in-toto.io/Statement/v1"', '"_type":"https://in-toto.io/Statement/v0.1"'),
        ("predicate:approval:1", "predicate:approval:2"),
        ('"gitCommit":"aaaa', '"gitCommit":"aaa'),
        ('"gitCommit":"aaaa', '"gitCommit":"Aaaa'),
        ('"gitCommit"', '"sha1"'),
        ('"gitCommit"', '"sha256"'),
        ('"stage":"merge"', '"stage":"merge","stage":"merge"'),
        ('"stage":"merge"', '"stage": "merge"'),
        ('"stage":"merge"', '"stage":"\\u006derge"'),
        ('"stage":"merge"', '"stage":"\\ud800"'),
        ('"stage":"merge"', '"stage":NaN'),
    ],
)
def test_an_approval_that_is_almost_right(old: str, new: str) -> None:
    data = encode_statement(Statement((SUBJECT,), QUESTION.answered("sk-ssh", "SHA256:" + "k" * 43, WHY))).decode()
    assert data.count(old) == 1 or old in data
    with pytest.raises(InputError):
        read_statement(data.replace(old, new, 1).encode())


def test_what_one_approves_is_the_text_of_the_fields() -> None:
    approval = QUESTION.answered("webauthn", "SHA256:" + "k" * 43, WHY)
    for name in ("repository", "target", "base", "head", "merge_tree", "policy", "facts", "stage", "person", "expires"):
        assert getattr(approval, name) in approval.statement
    with pytest.raises(StatementError, match="text"):
        msgspec.structs.replace(approval, stage="push")
    with pytest.raises(StatementError, match="key"):
        QUESTION.answered("ssh")
    with pytest.raises(StatementError, match="key"):
        QUESTION.answered("console-password", "SHA256:" + "k" * 43, WHY)
    with pytest.raises(StatementError, match="one field"):
        msgspec.structs.replace(QUESTION, repository="git+https://x\nhead: other")
    assert isinstance(QUESTION.answered("forge-click"), Approval)


def test_what_only_the_whole_tells() -> None:
    """Rules over several fields, each broken alone."""
    by_kind = {type(predicate).__name__: predicate for predicate in PREDICATES}
    for kind, changes in [
        ("VerificationSummary", {"verification_result": "FAILED"}),
        ("VerificationSummary", {"verified_levels": ("SLSA_SOURCE_LEVEL_3", "SLSA_SOURCE_LEVEL_1")}),
        ("VerificationSummary", {"policy": Resource(uri="urn:p")}),
        ("VerificationSummary", {"input_attestations": (Resource(uri="urn:p"),)}),
        ("VerificationSummary", {"time_verified": "2027-02-29T00:00:00Z"}),
        ("TestResult", {"result": "PASSED"}),
        ("Revocation", {"entry": None}),
        ("Revocation", {"what": "key"}),
        ("BreakGlass", {"people": (ANNA, ANNA)}),
        ("BreakGlass", {"people": (ANNA,)}),
        ("BreakGlass", {"expires": "2020-01-01T00:00:00Z"}),
        ("Recovery", {"restored_size": 10}),
        ("Recovery", {"people": (BERT, BERT)}),
        ("Incident", {"at": "2020-01-01T00:00:00Z"}),
        ("Erasure", {"count": 0}),
        ("PolicyChange", {"before": SHA}),
        ("SampleSeed", {"at": "2027-06-01T00:00:00Z"}),
        ("SampleSeed", {"end": "2020-01-01T00:00:00Z"}),
    ]:
        with pytest.raises(StatementError):
            msgspec.structs.replace(by_kind[kind], **changes)


def test_subjects() -> None:
    for digest in [{}, {"md5": "0" * 32}, {"sha256": "xyz"}, {"gitCommit": "a" * 39}, {"gitCommit": "a" * 50}]:
        with pytest.raises(InputError):
            encode_statement(Statement((Subject(digest=digest),), PREDICATES[0]))
    for subjects in [(), (Subject(digest={"sha256": SHA}, name="x"), Subject(digest={"sha256": SHA}, name="x"))]:
        with pytest.raises(InputError):
            encode_statement(Statement(subjects, PREDICATES[0]))
    for algorithm, lengths in HEX_LENGTHS.items():
        for length in lengths:
            encode_statement(Statement((Subject(digest={algorithm: "0" * length}),), PREDICATES[0]))
    with pytest.raises(StatementError):
        Resource(name="nothing")


def test_a_field_at_its_default_has_one_spelling() -> None:
    plain = Statement((Subject(digest={"sha256": SHA}),), PREDICATES[0])
    document = json.loads(encode_statement(plain))
    document["subject"][0]["name"] = ""
    with pytest.raises(StatementError, match="canonical"):
        read_statement(canonical(document))


def test_a_statement_is_bounded() -> None:
    tests = tuple("x" * 500 for _ in range(200))
    with pytest.raises(JsonError, match="most"):
        encode_statement(Statement((SUBJECT,), msgspec.structs.replace(PREDICATES[1], failed_tests=tests)))


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        '{"a":{"b":1,"b":1}}',
        "NaN",
        "[Infinity]",
        "-Infinity",
        "1.5",
        "1e3",
        "-0",
        "9007199254740992",
        "-9007199254740992",
        "1" * 5000,
        '"\\ud800"',
        '{"\u00e9":1}',
        "[" * 100_000,
        "[" * 13 + "]" * 13,
        '{"a":' * 13 + "1" + "}" * 13,
        "",
        "{",
        "{} {}",
        "\ufeff{}",
        "'a'",
        "\x00",
    ],
)
def test_json_that_is_not_strict(text: str) -> None:
    with pytest.raises(JsonError):
        load_canonical(text.encode(), 200_000)


def test_json_that_is_strict() -> None:
    assert load_strict(b' { "b" : [1, -9007199254740991, "\\u00e9", true, null], "a" : {} }', 100)["a"] == {}
    assert load_canonical('{"a":["\u00e9\u2028\U0001f600","\\u001f\\n"]}'.encode(), 100)
    assert load_strict(b"[" * 12 + b"]" * 12, 100)
    for data in (b'{"b":1,"a":2}', b'{"a": 1}', b'{"a":"\\u00e9"}', b"\xff", b'"\\/"'):
        with pytest.raises(JsonError):
            load_canonical(data, 100)
    with pytest.raises(JsonError):
        load_strict(b"[1,2]", 4)
    with pytest.raises(JsonError):
        canonical(float("nan"))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(codec="utf-8"), max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcXYZ_-9", max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_the_canonical_spelling_is_read_back(document: Any) -> None:
    assert load_canonical(canonical(document), 1 << 20) == document


def test_an_entry_is_believed_by_its_signatures() -> None:
    statement = STATEMENTS[0]
    entry = sign_statement(statement, [ANNAS, BERTS])
    assert open_entry(entry, [public(ANNAS)]) == (statement, (public(ANNAS),))
    assert open_entry(entry, [public(ANNAS), public(BERTS)], 2)[1] == (public(ANNAS), public(BERTS))
    with pytest.raises(StatementError, match="1 trusted keys"):
        open_entry(entry, [public(ANNAS)], 2)
    with pytest.raises(StatementError, match="1 trusted keys"):
        open_entry(sign_statement(statement, [ANNAS, ANNAS]), [public(ANNAS), public(ANNAS)], 2)
    with pytest.raises(StatementError):
        open_entry(entry, [public(ANNAS)], 0)
    with pytest.raises(StatementError):
        open_entry(entry, [])
    with pytest.raises(StatementError, match="holds"):
        verify_envelope(sign_envelope(b"x", [ANNAS], "text/plain"), [public(ANNAS)])


def test_the_key_id_of_an_envelope_proves_nothing() -> None:
    document = json.loads(sign_statement(STATEMENTS[0], [ANNAS]))
    document["signatures"][0]["keyid"] = public(BERTS).fingerprint
    assert open_entry(canonical(document), [public(ANNAS), public(BERTS)])[1] == (public(ANNAS),)
    del document["signatures"][0]["keyid"]
    assert open_entry(canonical(document), [public(ANNAS)])[1] == (public(ANNAS),)


def test_every_byte_of_an_entry_counts() -> None:
    entry = sign_statement(STATEMENTS[8], [ANNAS])
    signed_part = json.loads(entry)
    for at in range(len(entry)):
        changed = bytearray(entry)
        changed[at] ^= 1
        try:
            opened = open_entry(bytes(changed), [public(ANNAS)])
        except InputError:
            continue
        # Only the key id, which nothing hangs on, may change.
        document = json.loads(bytes(changed))
        assert opened[0] == STATEMENTS[8]
        assert document["payload"] == signed_part["payload"]
        assert document["signatures"][0]["sig"] == signed_part["signatures"][0]["sig"]


@pytest.mark.parametrize("statement", STATEMENTS[:3], ids=lambda statement: type(statement.predicate).__name__)
def test_another_implementation_of_dsse_agrees(statement: Statement) -> None:
    entry = sign_statement(statement, [ANNAS])
    key = SSlibKey(public(ANNAS).fingerprint, "ed25519", "ed25519", {"public": ANNAS.public_key.hex()})
    other = OtherEnvelope.from_dict(json.loads(entry))
    assert list(other.verify([key], 1)) == [key.keyid]
    assert other.payload == encode_statement(statement)
    assert other.pae() == pae(PAYLOAD_TYPE, other.payload)


def test_the_example_of_dsse() -> None:
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_an_envelope_may_be_signed_by_ml_dsa() -> None:
    key = SoftwareKey("ml-dsa-44", b"m" * 32)
    assert open_entry(sign_statement(STATEMENTS[4], [key, ANNAS]), [public(key)])[1] == (public(key),)
    assert seeded_key("w", KeyKind.WITNESS_ML_DSA).public.public_key.algorithm == "ml-dsa-44"


def test_a_commitment_opens_for_its_body_alone() -> None:
    salt = new_salt()
    made = commit(salt, b"the prompt")
    assert check(made, salt, b"the prompt")
    assert not check(made, salt, b"the prompt ")
    assert not check(made, new_salt(), b"the prompt")
    assert not check("hmac-sha256:\u00e9", salt, b"the prompt")
    assert made == commit(salt, b"the prompt")
    with pytest.raises(InputError):
        commit(b"short", b"the prompt")
    assert new_pseudonym() != new_pseudonym()


def test_no_field_has_room_for_a_name_or_for_a_text_of_a_person() -> None:
    """Every free text is a commitment, and every person a pseudonym: a statement has nowhere else to put them."""
    for statement in STATEMENTS:
        for path, value in texts(json.loads(encode_statement(statement))["predicate"]):
            if path[-1] in ("reason", "summary", "prompt", "session", "proof"):
                assert value.startswith("hmac-sha256:")
            if path[-1] in ("person", "requester", "deployer", "people"):
                assert value.startswith("person:")


def texts(value: Any, path: tuple[str, ...] = ("",)) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner, (*path, key))
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, path)


def test_times() -> None:
    assert format_time(1_800_000_000) == "2027-01-15T08:00:00Z" == AT
    assert parse_time(AT).timestamp() == 1_800_000_000
    for text in ("", "now", "2027-01-15T08:00:00"):
        with pytest.raises(StatementError):
            parse_time(text)


def test_a_statement_of_no_kind() -> None:
    with pytest.raises(StatementError, match="no kind"):
        encode_statement(Statement((SUBJECT,), ENTRY))  # type: ignore[arg-type]


def test_the_documentation_names_every_kind_and_every_field() -> None:
    page = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")
    for uri, kind in predicates.PREDICATES.items():
        fields = msgspec.structs.fields(kind)
        cells = [
            ", ".join(f"`{field.encode_name}`" for field in fields if field.required is required)
            for required in (True, False)
        ]
        assert f"| `{uri}` | {cells[0]} | {cells[1]} |".replace("|  |", "| |") in page
