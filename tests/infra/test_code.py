"""Terraform code without a plan: what is read, settled, compared, and what is left unsaid."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from tidegate.change.trees import Given, given
from tidegate.infra.judge import Judgement, judge
from tidegate.infra.rules import RULES
from tidegate.infra.terraform.addresses import address_of
from tidegate.infra.terraform.family import claims, read
from tidegate.infra.terraform.folders import Folders
from tidegate.infra.terraform.hcl import read_hcl
from tidegate.infra.terraform.stacks import read_stack
from tidegate.infra.values import Found, Hidden, Later, ResourceChange, Value

Files = Mapping[str, str]


def _found(before: Files | str, after: Files | str) -> Found:
    sides = [{"main.tf": side} if isinstance(side, str) else side for side in (before, after)]
    trees = given(*({path: text.encode() for path, text in side.items()} for side in sides))
    return read(trees, tuple(pair for pair in trees.changed if claims(pair.path)))


def _changes(before: Files | str, after: Files | str) -> dict[str, ResourceChange]:
    return {change.address: change for world in _found(before, after).worlds for change in world.changes}


def _actions(before: Files | str, after: Files | str) -> dict[str, str]:
    return {address: change.action for address, change in _changes(before, after).items()}


def _judged(before: Files | str, after: Files | str) -> Judgement:
    return judge([_found(before, after)], RULES, "human")


def _value(code: str, expression: str) -> Value:
    text = f'{code}\nresource "null_resource" "x" {{\n  it = {expression}\n}}\n'
    return read_stack(Folders(Given({"main.tf": text.encode()}), {}), "").pieces["null_resource.x"].values.get("it")


# The language


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('"a-${var.env}"', "a-prod"),
        ("var.env == \"prod\" ? 3 : 1", 3),
        ("1 + 2 * 3 - 4", 3),
        ("!(var.on && false)", True),
        ('[for x in ["a", "b"] : upper(x) if x != "a"]', ["B"]),
        ('{ for k, v in { a = 1 } : "${k}-x" => v }', {"a-x": 1}),
        ('merge({ a = 1 }, { "b" : 2 })', {"a": 1, "b": 2}),
        ('concat(["a"], local.more)', ["a", "b"]),
        ('join(",", toset(["a", "b", "a"]))', "a,b"),
        ('lookup({ a = 1 }, "z", 7)', 7),
        ('cidrsubnet("10.0.0.0/16", 8, 2)', "10.0.2.0/24"),
        ('format("%s-%03d", var.env, 7)', "prod-007"),
        ('[{ n = "x" }, { n = "y" }][*].n', ["x", "y"]),
        ('"$${not} \\"quoted\\" \\u0041"', '${not} "quoted" A'),
        ("<<-EOF\n    a\n      b ${var.env}\n    EOF\n", "a\n  b prod\n"),
        ('jsonencode({ a = [1, true, null] })', {"a": [1, True, None]}),
        ('local . more [0]', "b"),
        ("-5", -5),
        ('try(local.more[0], "none")', "b"),
    ],
)  # fmt: skip
def test_an_expression_is_settled_as_terraform_would(expression: str, value: Value) -> None:
    code = 'variable "env" {\n  default = "prod"\n}\nvariable "on" { default = true }\nlocals {\n  more = ["b"]\n}\n'
    assert _value(code, expression) == value


def test_what_is_not_settled_is_the_same_where_its_words_are_the_same() -> None:
    code = 'variable "size" {}\n'
    assert _value(code, "var.size") == Later("var.size")
    assert _value(code, '"a-${var.size}"') == _value(code, '"a-${ var.size }"')
    assert _value(code, "var.size ? 1 : 2") != _value(code, "var.size ? 1 : 3")
    assert isinstance(_value(code, "timestamp()"), Later)


def test_a_broken_block_hides_no_other_and_is_named() -> None:
    source = read_hcl('resource "a" "x" {\n  v = = 1\n}\n\nresource "a" "y" {\n  v = 1\n}\n')
    assert [(block.labels, bool(block.broken)) for block in source.blocks] == [(("a", "x"), True), (("a", "y"), False)]
    assert [fault.line for fault in source.faults] == [2]


def test_a_block_that_goes_away_is_seen_beside_a_broken_one() -> None:
    bucket = 'resource "aws_s3_bucket" "b" {\n  bucket = "data"\n}\n'
    found = _found(
        f'{bucket}resource "aws_sqs_queue" "q" {{\n  name = "q"\n}}\n',
        'resource "aws_sqs_queue" "q" {\n  name = ]\n}\n',
    )
    assert [(change.address, change.action) for change in found.worlds[0].changes] == [("aws_s3_bucket.b", "delete")]
    assert found.unjudged[0].place.line == 2


@for_all(st.text(alphabet=st.sampled_from('resource "a{}[]()<>-EOF\n$%=?:.,#*/\\_1'), max_size=200))
@settings(max_examples=300, deadline=None)
def test_no_text_breaks_the_reader(text: str) -> None:
    read_hcl(text)


@pytest.mark.parametrize(
    "text", ["a = " + "(" * 50_000, "a = " + "[" * 50_000, "{" * 50_000, 'a = "' + "${" * 20_000, "a = " + "-" * 50_000]
)
def test_deep_nesting_is_a_fault_and_no_crash(text: str) -> None:
    assert read_hcl(text).faults


def test_code_that_doubles_itself_is_bounded() -> None:
    doubling = "".join(f"  l{n + 1} = concat(local.l{n}, local.l{n})\n" for n in range(60))
    loops = "  big = [for a in range(9999) : [for b in range(9999) : [for c in range(9999) : a + b + c]]]\n"
    code = f'locals {{\n  l0 = ["x"]\n{doubling}{loops}}}\nresource "a" "b" {{\n  x = local.l60\n  y = local.big\n}}\n'
    started = time.process_time()
    found = _found(code, code + "# more\n")
    assert time.process_time() - started < 10
    assert any("not judged wholly" in one.reason for one in found.unjudged)


def test_addresses_read_as_terraform_writes_them() -> None:
    for one in ("aws_x.y", "aws_x.y[0]", 'aws_x.y["k"]', "module.m.aws_x.y", 'module.m["k"].aws_x.y', "module.m[1]"):
        block = read_hcl(f"moved {{\n  from = {one}\n}}\n").blocks[0]
        assert address_of(block.attributes["from"]) == one


# What changes


def test_moved_blocks_files_and_order_are_silent() -> None:
    one, two = (
        'resource "aws_s3_bucket" "a" {\n  bucket = "a"\n}\n',
        'resource "aws_sqs_queue" "q" {\n  name = "q"\n}\n',
    )
    assert not _actions({"a.tf": one + two}, {"b.tf": two, "c.tf": one})
    moved = "moved {\n  from = aws_s3_bucket.a\n  to   = aws_s3_bucket.b\n}\n"
    assert _actions(one, one.replace('"aws_s3_bucket" "a"', '"aws_s3_bucket" "b"') + moved) == {
        "aws_s3_bucket.b": "no-op"
    }


@for_all(st.permutations(["  a = 1\n", '  b = ["x", "y"]\n', "  c = { k = true, l = 2 }\n"]))
@settings(deadline=None)
def test_order_and_spelling_never_change_the_answer(lines: list[str]) -> None:
    plain = 'resource "aws_x" "y" {\n  a = 1\n  b = ["x", "y"]\n  c = { k = true, l = 2 }\n}\n'
    other = f'resource "aws_x" "y" {{\n{"".join(lines)}}}\n'
    assert not _actions(plain, other.replace("a = 1", 'a = "1"  # one').replace("k = true", '"k" : "true"'))


def test_a_rename_without_a_moved_block_destroys_and_creates() -> None:
    before = 'resource "aws_db_instance" "old" {\n  identifier = "shop"\n}\n'
    assert _actions(before, before.replace('"old"', '"new"')) == {
        "aws_db_instance.old": "delete",
        "aws_db_instance.new": "create",
    }


def test_a_commented_block_is_gone_and_a_removed_block_forgets() -> None:
    before = 'resource "aws_s3_bucket" "b" {\n  bucket = "b"\n}\n'
    assert _actions(before, "".join(f"# {line}\n" for line in before.splitlines())) == {"aws_s3_bucket.b": "delete"}
    removed = "removed {\n  from = aws_s3_bucket.b\n  lifecycle {\n    destroy = false\n  }\n}\n"
    assert _actions(before, removed) == {"aws_s3_bucket.b": "forget"}


def test_counts_and_loops_are_unfolded() -> None:
    code = (
        'variable "on" {{ default = {} }}\nresource "aws_sqs_queue" "q" {{\n  count = var.on ? 1 : 0\n'
        '  name = "q"\n}}\n'
    )
    assert _actions(code.format("true"), code.format("false")) == {"aws_sqs_queue.q[0]": "delete"}
    plain = 'resource "aws_sqs_queue" "q" {\n  name = "q"\n}\n'
    assert not _actions(plain, code.format("true"))
    each = 'resource "aws_sqs_queue" "q" {{\n  for_each = toset({})\n  name = each.key\n}}\n'
    assert _actions(each.format('["a", "b"]'), each.format('["b", "c"]')) == {
        'aws_sqs_queue.q["a"]': "delete",
        'aws_sqs_queue.q["c"]': "create",
    }
    assert _actions(plain, each.format('["q"]')) == {"aws_sqs_queue.q": "delete", 'aws_sqs_queue.q["q"]': "create"}
    assert not _actions(plain, each.format("var.names"))


def test_an_attribute_that_cannot_change_in_place_replaces() -> None:
    code = 'resource "aws_db_instance" "d" {{\n  db_name = {}\n}}\n'
    change = _changes(code.format('"a"'), code.format('"b"'))["aws_db_instance.d"]
    assert (change.action, change.forced_by, change.certainty) == ("replace", ("db_name",), "likely")
    change = _changes(code.format("var.a"), code.format("var.b"))["aws_db_instance.d"]
    assert (change.action, change.certainty) == ("replace", "possible")
    # The literal went into a variable, as literals do; nobody gives it another value then.
    found = _found(code.format('"a"'), code.format("var.a"))
    assert [one.action for one in found.worlds[0].changes] == ["update"]
    assert ["db_name a -> var.a" in one.reason for one in found.unjudged] == [True]


def test_a_module_elsewhere_is_judged_by_its_name() -> None:
    code = (
        'module "db" {{\n  source = "github.com/acme/terraform-rds-instance?ref=1.2.0"\n'
        '  db_engine_version = "{}"\n  db_name = "{}"\n}}\n'
    )
    change = _changes(code.format("14.2", "a"), code.format("15.1", "b"))["module.db"]
    assert (change.type, change.action, change.forced_by) == ("aws_db_instance", "replace", ("db_name",))
    assert change.spelled["engine_version"] == "db_engine_version"


def test_a_local_module_is_followed() -> None:
    module = (
        'variable "name" {}\nresource "aws_s3_bucket" "b" {\n  bucket = var.name\n}\noutput "arn" {\n'
        "  value = aws_s3_bucket.b.arn\n}\n"
    )
    root = (
        'module "data" {{\n  source = "./storage"\n  name = "{}"\n}}\nresource "aws_sns_topic" "t" {{\n'
        "  name = module.data.arn\n}}\n"
    )
    before = {"main.tf": root.format("a"), "storage/main.tf": module}
    after = {"main.tf": root.format("b"), "storage/main.tf": module}
    world = _found(before, after).worlds[0]
    assert [(one.address, one.forced_by) for one in world.changes] == [("module.data.aws_s3_bucket.b", ("bucket",))]
    assert [use.user for use in world.uses_after.users("module.data.aws_s3_bucket.b")] == ["aws_sns_topic.t"]


def test_a_module_that_changes_is_judged_in_the_stacks_that_call_it() -> None:
    module = 'variable "name" {{}}\nresource "aws_s3_bucket" "b" {{\n  bucket = "${{var.name}}-{}"\n}}\n'
    root = 'module "data" {\n  source = "../modules/storage"\n  name = "shop"\n}\n'
    before = {"prod/main.tf": root, "other/main.tf": "", "modules/storage/main.tf": module.format("a")}
    found = _found(before, {**before, "modules/storage/main.tf": module.format("b")})
    assert [(world.name, world.environment) for world in found.worlds] == [("prod", "production")]
    assert [one.address for one in found.worlds[0].changes] == ["module.data.aws_s3_bucket.b"]


def test_a_file_of_variables_changes_the_folder_that_takes_it() -> None:
    code = 'variable "class" {}\nvariable "name" {}\nresource "aws_db_instance" "d" {\n  db_name = var.name\n}\n'
    files = {"app/main.tf": code, "vars/prod/common.tfvars": 'name = "a"\n'}
    found = _found(files, {**files, "vars/prod/common.tfvars": 'name = "b"\n'})
    assert [(world.name, world.environment, len(world.changes)) for world in found.worlds] == [("app", "production", 1)]
    assert not _found(files, {**files, "vars/prod/common.tfvars": 'name = "a" # same\n'}).worlds


def test_a_policy_document_folds_into_what_refers_to_it() -> None:
    code = (
        'data "aws_iam_policy_document" "p" {{\n  statement {{\n    actions = ["{}"]\n'
        '    resources = ["${{aws_s3_bucket.b.arn}}/*"]\n  }}\n}}\n'
        'resource "aws_s3_bucket" "b" {{\n  bucket = "b"\n}}\n'
        'resource "aws_iam_policy" "p" {{\n  policy = data.aws_iam_policy_document.p.json\n}}\n'
    )
    changes = _changes(code.format("s3:GetObject"), code.format("s3:*"))
    after = changes["aws_iam_policy.p"].after
    assert after is not None
    assert after["policy"]["Statement"] == [
        {"Effect": "Allow", "Action": ["s3:*"], "Resource": ["${aws_s3_bucket.b.arn}/*"]}
    ]


def test_a_policy_in_a_text_is_a_document_though_names_are_in_it() -> None:
    code = (
        'resource "aws_sqs_queue_policy" "p" {\n  policy = <<EOF\n'
        '{"Statement": [{"Resource": "${module.q["a"].arn}", "Action": ${jsonencode(var.x)}}]}\nEOF\n}\n'
    )
    world = _found(code, code + "\n").worlds[0]
    statement = world.after["aws_sqs_queue_policy.p"].values["policy"]["Statement"][0]
    assert statement["Resource"] == "${module.q.a.arn}"


def test_secrets_do_not_get_out() -> None:
    secret = "Tr0ub4dor-and-3"
    code = (
        'resource "aws_db_instance" "d" {{\n  password = "{0}"\n  user_data = "echo {0}"\n}}\n'
        'variable "key" {{\n  default = "{0}x"\n  sensitive = true\n}}\n'
        'resource "aws_instance" "i" {{\n  user_data = "k ${{var.key}} ${{var.other}}"\n}}\n'
    )
    world = _found(code.format(secret), code.format(f"{secret}-new")).worlds[0]
    assert secret not in repr(world)
    change = next(one for one in world.changes if one.address == "aws_db_instance.d")
    assert isinstance(change.after and change.after["password"], Hidden)
    assert change.before
    assert change.after
    assert change.before["password"] != change.after["password"]


def test_a_folder_that_moved_whole_is_the_same_stack() -> None:
    from tidegate.change.trees import Pair, Trees

    code = b'resource "aws_s3_bucket" "b" {\n  bucket = "b"\n}\n'
    trees = Trees(Given({"old/main.tf": code}), Given({"new/main.tf": code}), (Pair("old/main.tf", "new/main.tf"),))
    assert not read(trees, trees.changed).worlds[0].changes


def test_json_code_is_code() -> None:
    text = '{"resource": {"aws_db_instance": {"d": {"db_name": "${var.x}-%s"}}}}'
    assert _actions({"a.tf.json": text % "a"}, {"a.tf.json": text % "b"}) == {"aws_db_instance.d": "replace"}


_SAMPLE = (
    'variable "n" { default = 2 }\nlocals {\n  t = { a = [1, "${var.n}"] }\n}\n'
    'data "aws_iam_policy_document" "d" {\n  statement {\n    actions = ["s3:*"]\n'
    '    principals {\n      type = "AWS"\n'
    "      identifiers = [var.n]\n    }\n  }\n}\n"
    'resource "aws_x" "y" {\n  count = var.n\n  p = data.aws_iam_policy_document.d.json\n  dynamic "rule" {\n'
    "    for_each = local.t\n    content {\n      v = rule.value\n    }\n  }\n}\n"
    'module "m" {\n  for_each = toset(["a"])\n  source = "./"\n  q = aws_x.y[*].id\n}\n'
)
_SPLICES = ("null", "{", "}", '"', "[*]", "...", "${", "count = null\n", 'source = "../"\n', "", "each.key", "\n")


@for_all(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), st.sampled_from(_SPLICES)), min_size=1, max_size=5))
@settings(max_examples=150, deadline=None)
def test_code_that_is_cut_and_spliced_is_read_or_named(cuts: list[tuple[float, int, str]]) -> None:
    text = _SAMPLE
    for where, less, more in cuts:
        place = int(where * len(text))
        text = text[:place] + more + text[place + less :]
    _found(_SAMPLE, text)
    _found(text, _SAMPLE)


# What no plan shows


@pytest.mark.parametrize(
    ("before", "after", "code", "words"),
    [
        ("lifecycle {\n    prevent_destroy = true\n  }", "", "GUARD_REMOVED", "prevent_destroy"),
        ("", 'provisioner "local-exec" {\n    command = "make"\n  }', "SUPPLY_CHAIN", "local-exec"),
        ("", "lifecycle {\n    ignore_changes = all\n  }", "GUARD_REMOVED", "ignore_changes"),
        ("provider = aws.a", "provider = aws.b", "STATE_LOSS", "aws.a -> aws.b"),
    ],
)  # fmt: skip
def test_guards_and_commands_of_the_code_itself(before: str, after: str, code: str, words: str) -> None:
    shape = 'resource "aws_s3_bucket" "b" {{\n  bucket = "b"\n  {}\n}}\n'
    drafts = _found(shape.format(before), shape.format(after)).drafts
    assert [(one.code, one.code_only) for one in drafts] == [(code, True)]
    assert words in drafts[0].reason
    assert not [one for one in _found(shape.format(after), shape.format(before)).drafts if code != "STATE_LOSS"]


@pytest.mark.parametrize(
    ("before", "after", "severity"),
    [
        ("github.com/acme/tf-s3?ref=1.0.0", "github.com/acme/tf-s3?ref=1.1.0", ""),
        ("github.com/acme/tf-s3?ref=1.0.0", "github.com/acme/tf-s3?ref=2.0.0", "low"),
        ("github.com/acme/tf-s3?ref=1.0.0", "github.com/acme/tf-s3", "medium"),
        ("github.com/acme/tf-s3?ref=1.0.0", "github.com/evil/tf-s3?ref=1.0.0", "high"),
        ("git@github.com:acme/tf-s3.git?ref=1.0.0", "git::https://github.com/acme/tf-s3?ref=1.0.0", ""),
    ],
)  # fmt: skip
def test_where_a_module_comes_from(before: str, after: str, severity: str) -> None:
    shape = 'module "b" {{\n  source = "{}"\n}}\n'
    drafts = _found(shape.format(before), shape.format(after)).drafts
    assert [one.severity for one in drafts] == ([severity] if severity else [])


def test_a_state_that_is_looked_for_elsewhere() -> None:
    shape = (
        'terraform {{\n  backend "s3" {{\n    bucket = "state"\n    key = "{}"\n    encrypt = {}\n  }}\n'
        '}}\nresource "aws_x" "y" {{}}\n'
    )
    drafts = _found(shape.format("a", "true"), shape.format("b", "true")).drafts
    assert [(one.code, one.severity) for one in drafts] == [("STATE_LOSS", "high")]
    assert "key a -> b" in drafts[0].reason
    assert not _found(shape.format("a", "true"), shape.format("a", "false")).drafts
    assert _found(shape.format("a", "true"), 'resource "aws_x" "y" {}\n').drafts[0].code == "STATE_LOSS"


def test_another_region_leaves_everything_behind() -> None:
    shape = 'provider "aws" {{\n  region = "{}"\n}}\nresource "aws_s3_bucket" "b" {{\n  bucket = "b"\n}}\n'
    drafts = _found(shape.format("eu-west-1"), shape.format("eu-west-2")).drafts
    assert [(one.code, one.severity) for one in drafts] == [("STATE_LOSS", "high")]


# Judged whole


def test_an_account_of_argo_cd_that_gains_a_key() -> None:
    shape = (
        'resource "helm_release" "argo" {{\n  values = [yamlencode({{\n    configs = {{ cm = {{ {} }} }}\n  }})]\n}}\n'
    )
    effects = _judged(shape.format(""), shape.format('"accounts.robot" = "apiKey"')).effects
    assert [(one.code, one.severity) for one in effects] == [("IAM_WIDEN", "medium")]
    assert not _judged(shape.format('"accounts.robot" = "apiKey"'), shape.format("")).effects


def test_a_refactoring_says_nothing() -> None:
    before = 'resource "aws_db_instance" "d" {\n  identifier = "shop-prod"\n  instance_class = "db.t3.large"\n}\n'
    after = {
        "main.tf": (
            'resource "aws_db_instance" "d" {\n  identifier     = "${local.app}-prod"\n'
            "  instance_class = var.class\n}\n"
        ),
        "locals.tf": 'locals {\n  app = "shop"\n}\n',
        "variables.tf": 'variable "class" {\n  type    = string\n  default = "db.t3.large"\n}\n',
    }
    judged = _judged({"main.tf": before}, after)
    assert not judged.effects
    assert not judged.unjudged
