"""Policy documents as sets: what is new, however it is written, and silence where nothing is."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.infra.iam.actions import action, expand
from tidegate.infra.iam.documents import read_document
from tidegate.infra.iam.escalate import opened
from tidegate.infra.iam.globs import covers, meets
from tidegate.infra.iam.policy import compare, widened
from tidegate.infra.values import Later

BUCKET = "arn:aws:s3:::invoices/*"


def allow(action: Any = "s3:GetObject", resource: Any = BUCKET, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "s3:DeleteObject", resource: Any = BUCKET, **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def but(not_action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "NotAction": not_action, "Resource": resource, **more}


def to(who: Any, **more: Any) -> dict[str, Any]:
    return allow(Principal=who, **more)


def when(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {"Condition": {operator: {key: list(values)}}}


def doc(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


VPC = when("StringEquals", "aws:SourceVpc", "vpc-1")
MFA = when("Bool", "aws:MultiFactorAuthPresent", "true")
ORG = when("StringEquals", "aws:PrincipalOrgID", "o-1")
GETS = sorted(expand("sqs:get*") | expand("sqs:receive*") | expand("sqs:purge*"))

PAIRS: dict[str, tuple[Any, Any, Any]] = {
    # name: before, the change that widens, its harmless twin
    "service wildcard": (allow(), allow("s3:*", "*"), allow(["s3:GetObject"])),
    "NotAction for Action": (allow(), but(["iam:*"]), allow("S3:getobject")),
    "NotAction loses an exception": (but(["iam:*", "kms:*"]), but(["iam:*"]), but(["kms:*", "iam:*"])),
    "question marks": (allow(), allow("s3:?etObject*"), allow(["s3:GetObject", "s3:getObject"])),
    "half of a verb": (allow("iam:GetRole", "*"), allow("iam:Pass*", "*"), allow("iam:getrole", "*")),
    "mixed case": (allow(), allow("S3:pUTObJect"), allow("S3:GETOBJECT")),
    "split over statements": (
        allow(["s3:GetObject", "s3:PutObject"]),
        [allow("s3:GetObject"), allow("s3:PutObject"), allow("s3:DeleteObject")],
        [allow("s3:PutObject"), allow("s3:GetObject")],
    ),
    "arn with a wildcard": (allow(), allow(resource="arn:*"), allow(resource=[BUCKET, BUCKET])),
    "star in a list": (allow(), allow(resource=[BUCKET, "*"]), allow(resource=[BUCKET])),
    "sub-path to the bucket": (
        allow(resource="arn:aws:s3:::invoices/in/*"),
        allow(resource="arn:aws:s3:::invoices/*"),
        allow(resource=["arn:aws:s3:::invoices/in/*", "arn:aws:s3:::invoices/in/2026/*"]),
    ),
    "a bucket whose name begins so": (
        allow(resource="arn:aws:s3:::invoices/*"),
        allow(resource="arn:aws:s3:::invoices*"),
        allow(resource="arn:aws:s3:::invoices/**"),
    ),
    "condition dropped": (allow(**VPC), allow(), allow(**when("StringEquals", "AWS:sourcevpc", "vpc-1"))),
    "condition always true": (
        allow(**when("StringLike", "aws:PrincipalArn", "arn:aws:iam::1:role/a")),
        allow(**when("StringLike", "aws:PrincipalArn", "*")),
        allow(**when("ArnLike", "aws:PrincipalArn", "arn:aws:iam::1:role/a")),
    ),
    "always true is no condition": (
        allow(**MFA),
        allow(**when("Bool", "aws:SecureTransport", "true", "false")),
        allow(**MFA, Sid="Second"),
    ),
    "IfExists": (
        allow(**VPC),
        allow(**when("StringEqualsIfExists", "aws:SourceVpc", "vpc-1")),
        allow(**when("StringEquals", "aws:SourceVpc", "vpc-1", "vpc-1")),
    ),
    "ForAllValues": (
        allow(**when("ForAnyValue:StringEquals", "aws:TagKeys", "team")),
        allow(**when("ForAllValues:StringEquals", "aws:TagKeys", "team")),
        allow(**when("forAnyValue:stringEquals", "aws:tagkeys", "team")),
    ),
    "StringLike widened": (
        allow(**when("StringLike", "s3:prefix", "in/*")),
        allow(**when("StringLike", "s3:prefix", "*")),
        allow(**when("StringLike", "s3:prefix", "in/*", "in/2026/*")),
    ),
    "addresses halved": (
        allow(**when("IpAddress", "aws:SourceIp", "10.0.0.0/8")),
        allow(**when("IpAddress", "aws:SourceIp", "0.0.0.0/1", "128.0.0.0/1")),
        allow(**when("IpAddress", "aws:SourceIp", "10.0.0.0/9", "10.128.0.0/9")),
    ),
    "a mask that lies": (
        allow(**when("IpAddress", "aws:SourceIp", "10.1.0.0/16")),
        allow(**when("IpAddress", "aws:SourceIp", "10.1.0.0/0")),
        allow(**when("IpAddress", "aws:SourceIp", "10.1.2.3/16")),
    ),
    "negation for a list": (
        allow(**when("StringEquals", "aws:SourceVpc", "vpc-1")),
        allow(**when("StringNotEquals", "aws:SourceVpc", "vpc-9")),
        allow(Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}, "Bool": {"aws:SecureTransport": True}}),
    ),
    "Deny narrowed": (
        [allow("s3:*"), deny(["s3:DeleteObject", "s3:PutObject"])],
        [allow("s3:*"), deny("s3:PutObject")],
        [deny("s3:PutObject"), allow("s3:*"), deny("s3:deleteobject")],
    ),
    "Deny with a condition": (
        [allow("s3:*"), deny()],
        [allow("s3:*"), deny(**MFA)],
        [deny(), allow("s3:*"), deny(**MFA)],
    ),
    "Deny of another resource": (
        [allow("s3:*", "*"), deny("s3:*", "arn:aws:s3:::audit/*")],
        [allow("s3:*", "*"), deny("s3:*", "arn:aws:s3:::audit/x")],
        [allow("s3:*", "*"), deny("s3:*", ["arn:aws:s3:::audit/*", "arn:aws:s3:::audit"])],
    ),
    "NotResource": (
        allow("s3:*"),
        {"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::audit/*"},
        allow(["s3:*", "s3:Get*"]),
    ),
    "everybody": (
        to({"AWS": "arn:aws:iam::111122223333:root"}),
        to({"AWS": "*"}),
        to({"AWS": ["111122223333"]}),
    ),
    "star and AWS star": (to({"AWS": "*"}, **ORG), to("*"), to("*", **ORG)),
    "NotPrincipal": (
        to({"AWS": "arn:aws:iam::111122223333:role/a"}),
        allow(NotPrincipal={"AWS": "arn:aws:iam::111122223333:role/a"}),
        to({"AWS": ["arn:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:role/a"]}),
    ),
    "role to its whole account": (
        to({"AWS": "arn:aws:iam::111122223333:role/a"}),
        to({"AWS": "arn:aws:iam::111122223333:root"}),
        to({"AWS": "arn:aws:iam::111122223333:role/a"}, Sid="Other"),
    ),
    "every action by name": (
        allow(GETS, "*"),
        allow([*GETS, "sqs:AddPermission"], "*"),
        allow(["sqs:Get*", "sqs:Receive*", "sqs:Purge*"], "*"),
    ),
    "a word that is filled in": (
        allow(resource="arn:aws:s3:::b/${aws:username}/*"),
        allow(resource="arn:aws:s3:::b/*"),
        allow(resource="arn:aws:s3:::b/${aws:username}/*", Sid="Home"),
    ),
}  # fmt: skip


def statements(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("name", PAIRS)
def test_a_disguised_widening_is_seen_and_its_twin_is_not(name: str) -> None:
    before, after, twin = (doc(*statements(one)) for one in PAIRS[name])
    assert compare(before, after).widens
    assert not compare(before, twin).widens
    assert not compare(before, before)


SPELLINGS: dict[str, Any] = {
    "escapes": doc(allow()).replace("s3:", "\\u00733:"),
    "percent": "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3%3AGetObject%22%2C"
    "%22Resource%22%3A%22arn%3Aaws%3As3%3A%3A%3Ainvoices%2F%2A%22%7D%5D%7D",
    "twice": json.dumps(doc(allow())),
    "one statement": {"Statement": allow()},
    "list of statements": [allow(["s3:GetObject"], [BUCKET])],
    "data document": {
        "statement": [{"sid": "A", "effect": "Allow", "actions": ["s3:GetObject"], "resources": [BUCKET]}]
    },
    "data document without effect": {"statement": [{"actions": ["s3:GetObject"], "resources": [BUCKET]}]},
    "bom": "\ufeff" + doc(allow(Sid="X")),
}  # fmt: skip


@pytest.mark.parametrize("name", SPELLINGS)
def test_one_document_has_many_spellings(name: str) -> None:
    assert not compare(doc(allow()), SPELLINGS[name])
    assert not compare(SPELLINGS[name], doc(allow()))


def test_data_documents_name_principals_and_conditions_in_blocks() -> None:
    block = {
        "effect": "Allow",
        "actions": ["s3:GetObject"],
        "resources": [BUCKET],
        "principals": [{"type": "AWS", "identifiers": ["arn:aws:iam::111122223333:root"]}],
        "condition": [{"test": "StringEquals", "variable": "aws:SourceVpc", "values": ["vpc-1"]}],
    }
    assert not compare(doc(to({"AWS": "111122223333"}, **VPC)), {"statement": [block]})


def test_what_is_known_only_later_is_never_taken_for_nothing() -> None:
    assert compare(doc(allow()), Later()).unread
    assert widened(doc(allow()), Later("var.policy"))
    assert not compare(Later("var.policy"), Later("var.policy"))
    assert compare("{", "[").unread
    assert not compare("{", "{")
    assert compare(doc(allow()), "{").unread
    assert compare(doc(allow()), "[" * 200_000).unread
    arn = Later("aws_s3_bucket.b.arn")
    assert not compare({"Statement": allow(resource=arn)}, {"Statement": [allow(resource="${aws_s3_bucket.b.arn}")]})
    assert compare({"Statement": allow(resource=Later())}, {"Statement": allow(resource=Later())}).widens
    assert compare(doc(allow()), {"Statement": [allow(), Later("var.more")]}).unread == ("var.more",)


def test_what_is_lost_is_said_too() -> None:
    found = compare(doc(allow(["s3:GetObject", "sqs:SendMessage"])), doc(allow(**VPC)))
    assert [(one.actions, one.resources) for one in found.lost] == [(("s3:GetObject", "sqs:SendMessage"), (BUCKET,))]
    assert not found.gained


def test_actions_have_their_level() -> None:
    levels = {name: action(name).level for name in ("s3:GetObject", "S3:putbucketpolicy", "iam:PassRole", "x:ListAll")}
    assert levels == {"s3:GetObject": "read", "S3:putbucketpolicy": "permissions", "iam:PassRole": "permissions",
                      "x:ListAll": "list"}  # fmt: skip
    assert not action("cloudwatch:PutMetricData").scoped
    assert "s3:getobject" in expand("s3:get*")
    assert "iam:createuser" in expand("*")


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (allow("lambda:*", "*"), [allow("lambda:*", "*"), allow("iam:PassRole", "*")], True),
        (allow("iam:PassRole", "*"), [allow("iam:PassRole", "*"), allow("ec2:Run*", "*")], True),
        (allow("ec2:RunInstances", "*"), allow(["ec2:RunInstances", "ec2:StopInstances"], "*"), False),
        (allow(), [allow("ec2:RunInstances", "*"), allow("iam:PassRole", "arn:aws:iam::1:role/one")], False),
        (allow(), [allow("ec2:*", "*"), allow("iam:PassRole", "arn:aws:iam::1:role/*")], True),
        (allow(), allow("iam:put?olepolicy", "*"), True),
        (allow(), [allow("iam:*", "*"), deny("*", "*")], False),
        (allow(), but(["s3:*"]), True),
    ],
)
def test_an_escalation_is_a_combination_that_was_not_there(before: Any, after: Any, found: bool) -> None:
    old, new = (read_document(doc(*statements(one))) for one in (before, after))
    assert bool(opened(old, new)) is found


def test_a_role_that_may_be_handed_to_one_service_escalates_by_it_alone() -> None:
    only = when("StringEquals", "iam:PassedToService", "lambda.amazonaws.com")
    machines = read_document(doc(allow("iam:PassRole", "*", **only), allow("ec2:RunInstances", "*")))
    functions = read_document(doc(allow("iam:PassRole", "*", **only), allow("lambda:*", "*")))
    nothing = read_document(None)
    assert not opened(nothing, machines)
    assert {one.path.service for one in opened(nothing, functions) if one.path.service} == {"lambda.amazonaws.com"}


TEXTS = st.text("ab*?", max_size=6)


@given(TEXTS, TEXTS, st.text("ab", max_size=5))
@settings(max_examples=300, deadline=None)
def test_patterns_cover_and_meet_as_texts_do(one: str, other: str, text: str) -> None:
    if covers(one, other) and covers(other, text):
        assert covers(one, text)
    if covers(one, text) and covers(other, text):
        assert meets(one, other)
    assert covers(one, one)
    assert meets(one, other) == meets(other, one)


ACTIONS = st.sampled_from(
    ["s3:*", "s3:Get*", "s3:GetObject", "s3:PutObject", "*", "iam:PassRole", "s3:?etObject", "x:Y"]
)
RESOURCES = st.sampled_from(["*", BUCKET, "arn:aws:s3:::*", "arn:aws:s3:::invoices", "${var.arn}"])
TERMS = st.sampled_from([{}, {}, VPC, MFA, when("StringLike", "aws:SourceVpc", "vpc-*")])


@st.composite
def statement(draw: st.DrawFn, effect: str | None = None) -> dict[str, Any]:
    found = {
        "Effect": effect or draw(st.sampled_from(["Allow", "Allow", "Deny"])),
        draw(st.sampled_from(["Action", "Action", "NotAction"])): draw(st.lists(ACTIONS, min_size=1, max_size=3)),
        draw(st.sampled_from(["Resource", "Resource", "NotResource"])): draw(
            st.lists(RESOURCES, min_size=1, max_size=2)
        ),
    }
    return {**found, **draw(TERMS)}


DOCUMENTS = st.lists(statement(), min_size=0, max_size=4)


@given(DOCUMENTS, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_order_and_spelling_never_change_the_answer(document: list[Any], random: Any) -> None:
    other = [{key: _respelled(key, value, random) for key, value in one.items()} for one in document]
    random.shuffle(other)
    assert not compare(doc(*document), doc(*other))


def _respelled(key: str, value: Any, random: Any) -> Any:
    if not isinstance(value, list):
        return value
    shuffled = [*value, value[0]]
    random.shuffle(shuffled)
    if key.endswith("Action"):
        shuffled = [random.choice([str.upper, str.lower, str])(one) for one in shuffled]
    return shuffled if len(value) > 1 or random.random() < 0.5 else value[0]


@given(DOCUMENTS, statement(effect="Allow"))
@settings(max_examples=40, deadline=None)
def test_an_allow_more_is_seen_unless_it_was_contained(document: list[Any], more: Any) -> None:
    grown = [*document, more]
    found = compare(doc(*document), doc(*grown))
    assert not found.lost
    assert not found.undenied
    assert not compare(doc(*grown), doc(*document)).widens
    if not any(one["Effect"] == "Deny" for one in document) and not found.gained:
        assert not compare(doc(*grown), doc(*document)).lost


@given(DOCUMENTS, statement(effect="Deny"))
@settings(max_examples=40, deadline=None)
def test_a_deny_more_never_widens(document: list[Any], more: Any) -> None:
    assert not compare(doc(*document), doc(*document, more)).widens


REQUESTS = [
    (name, thing, terms)
    for name in ("s3:getobject", "s3:putobject", "s3:getbucketacl", "iam:passrole", "ec2:runinstances", "x:y")
    for thing in ("arn:aws:s3:::invoices/1", "arn:aws:s3:::invoices", "arn:aws:s3:::other/1", "${var.arn}")
    for terms in ({}, {"aws:SourceVpc": "vpc-1"}, {"aws:SourceVpc": "vpc-2", "aws:MultiFactorAuthPresent": "true"})
]


def permits(document: list[Any], request: tuple[str, str, Any]) -> bool:
    """What AWS answers: an Allow that matches and no Deny that does."""
    matching = {one["Effect"] for one in document if _matches(one, *request)}
    return matching == {"Allow"}


def _matches(one: Any, name: str, thing: str, terms: Any) -> bool:
    for key, text in (("Action", name), ("Resource", thing)):
        patterns = one.get(key) or one[f"Not{key}"]
        lowered = [pattern.lower() if key == "Action" else pattern for pattern in patterns]
        found = any(re.fullmatch(_regex(pattern), text) for pattern in lowered)
        if found is (f"Not{key}" in one):
            return False
    for operator, keys in one.get("Condition", {}).items():
        for key, values in keys.items():
            like = operator in ("StringLike", "ArnLike")
            given_ = terms.get(key)
            if given_ is None or not any(given_ == v or (like and re.fullmatch(_regex(v), given_)) for v in values):
                return False
    return True


def _regex(pattern: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in pattern)


@given(DOCUMENTS, DOCUMENTS)
@settings(max_examples=60, deadline=None)
def test_nothing_that_aws_would_newly_permit_is_missed(before: list[Any], after: list[Any]) -> None:
    found = compare(doc(*before), doc(*after))
    for request in REQUESTS:
        if permits(after, request) and not permits(before, request):
            assert found.widens, request
        if permits(before, request) and not permits(after, request):
            assert compare(doc(*after), doc(*before)).widens, request
