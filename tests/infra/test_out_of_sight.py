"""Code that is put where a reader might not look: other names, links, files that code reads, overrides, bombs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.infra.test_code import _found, _judged
from tests.repos import Repo
from tidegate.change.ends import Question
from tidegate.change.trees import Pair, Trees, given
from tidegate.cli.options import moment, open_named
from tidegate.collectors import collect_for_infra
from tidegate.infra.collect import read_families
from tidegate.infra.judge import Judgement, judge
from tidegate.infra.rules import RULES

DATABASE = 'resource "aws_db_instance" "main" {\n  identifier = "shop"\n  publicly_accessible = false\n}\n'
PUBLIC = DATABASE.replace("false", "true")
Files = Mapping[str, str]


def everything(before: Files, after: Files) -> Judgement:
    trees = given(*({path: text.encode() for path, text in side.items()} for side in (before, after)))
    return judge(read_families(trees), RULES, "human")


def codes(before: Files, after: Files) -> set[str]:
    return {one.code for one in _judged(before, after).effects}


def doubts(before: Files, after: Files) -> list[str]:
    return [one.reason for one in _found(before, after).unjudged]


@pytest.mark.parametrize("name", ["main.tf.disabled", "main.txt", "old/main.tf.bak", "main.TF", ".terraform/main.tf"])
def test_code_that_is_renamed_to_what_terraform_does_not_read_has_gone(name: str) -> None:
    trees = given({"main.tf": DATABASE.encode()}, {name: DATABASE.encode()})
    renamed = Trees(trees.before, trees.after, (Pair("main.tf", name),))
    assert "DATA_DESTROY" in {one.code for one in judge(read_families(renamed), RULES, "human").effects}


@pytest.mark.parametrize(
    ("name", "before", "after", "code"),
    [
        ("names.json", '["a"]', "[]", 'toset(jsondecode(file("${path.module}/names.json")))'),
        ("names.json", '["a"]', "[]", 'toset(jsondecode(file("names.json")))'),
        ("names.tpl", '["a"]', "[]", 'toset(jsondecode(templatefile("${path.module}/names.tpl", {})))'),
    ],
)
def test_a_file_that_code_reads_is_code(name: str, before: str, after: str, code: str) -> None:
    many = DATABASE.replace("identifier", f"for_each = {code}\n  identifier")
    assert "DATA_DESTROY" in {
        one.code for one in everything({"main.tf": many, name: before}, {"main.tf": many, name: after}).effects
    }
    unread = everything({"main.tf": DATABASE, name: before}, {"main.tf": DATABASE, name: after})
    assert (unread.effects, unread.unjudged) == ((), ())


def test_how_often_a_database_stands_is_doubted_where_nobody_can_read_it() -> None:
    counted = DATABASE.replace("identifier", 'count = terraform.workspace == "dev" ? 1 : 0\n  identifier')
    (said,) = doubts({"main.tf": DATABASE}, {"main.tf": counted})
    assert "count" in said
    assert doubts({"main.tf": counted}, {"main.tf": counted + "\n# as it was\n"}) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("override.tf", 'resource "aws_db_instance" "main" {\n  publicly_accessible = true\n}\n'),
        ("a_override.tf", 'resource "aws_db_instance" "main" {\n  publicly_accessible = true\n}\n'),
        ("a_override.tf.json", '{"resource":{"aws_db_instance":{"main":{"publicly_accessible":true}}}}'),
    ],
)
def test_an_override_is_laid_over_what_it_names(name: str, text: str) -> None:
    before = {"main.tf": DATABASE}
    assert "NET_EXPOSE" in codes(before, {**before, name: text})
    (change,) = _found(before, {**before, name: text}).worlds[0].changes
    assert (change.before or {})["identifier"] == (change.after or {})["identifier"] == "shop"


def test_a_file_that_opentofu_reads_in_the_place_of_another_is_named() -> None:
    (said,) = doubts({"main.tf": DATABASE}, {"main.tf": DATABASE, "main.tofu": "# nothing\n"})
    assert "OpenTofu" in said


def test_a_moved_block_does_not_move_a_database_to_another_type() -> None:
    group = 'resource "aws_security_group" "db" {\n  name = "db"\n}\n'
    lie = "moved {\n  from = aws_db_instance.main\n  to = aws_security_group.db\n}\n"
    assert "DATA_DESTROY" in codes({"main.tf": DATABASE + group}, {"main.tf": group + lie})


def test_a_module_that_comes_from_elsewhere_may_lack_the_database() -> None:
    def call(source: str) -> str:
        return f'module "db" {{\n  source = "{source}"\n}}\n'

    before = {"main.tf": call("./m"), "m/main.tf": DATABASE}
    (said,) = doubts(before, {**before, "main.tf": call("git::https://example.com/x.git?ref=main")})
    assert "module.db.aws_db_instance.main" in said


def test_modules_are_followed_as_deep_as_anybody_nests_them() -> None:
    def nested(depth: int, text: str) -> Files:
        call = 'module "m" {\n  source = "./m"\n}\n'
        return {**{f"{'m/' * place}main.tf": call for place in range(depth)}, f"{'m/' * depth}main.tf": text}

    assert "DATA_DESTROY" in codes(nested(10, DATABASE), nested(10, "# nothing\n"))
    assert [one for one in doubts(nested(20, DATABASE), nested(20, "# nothing\n")) if "nested deeper" in one]


def test_texts_that_grow_are_not_followed() -> None:
    doubled = "".join(f'  a{place} = "${{local.a{place - 1}}}${{local.a{place - 1}}}"\n' for place in range(1, 60))
    bomb = f'locals {{\n  a0 = "0123456789"\n{doubled}}}\n'
    joined = 'resource "null_resource" "x" {\n  triggers = { a = local.a59, b = join(local.a16, range(9000)) }\n}\n'
    start = time.process_time()
    assert "DATA_DESTROY" in codes({"main.tf": DATABASE}, {"main.tf": bomb + joined})
    assert time.process_time() - start < 3


def test_links_that_are_named_like_code_are_named(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    (repo.path / "notes.txt").write_text(PUBLIC)
    repo.git("add", "-A")
    repo.git("commit", "-qm", "Notes")
    (repo.path / "danger.tf").symlink_to("notes.txt")
    repo.git("add", "-A")
    repo.git("commit", "-qm", "A link")
    with open_named(repo.path) as repository:
        question = Question(change="HEAD~1..HEAD")
        _, found = collect_for_infra(question, repository, moment(None), {}, plans=(), config=None, actor="human")
    assert [one.address for one in found.unjudged] == ["danger.tf"]


BINDING = """apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: x}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: default, namespace: prod}]
"""


def test_an_object_in_a_list_of_lists_is_an_object() -> None:
    inner = "".join(f"    {line}\n" for line in BINDING.splitlines())
    text = f"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - {inner.lstrip()}"
    assert "PRIV_ESC" in {one.code for one in everything({}, {"k8s/x.yaml": text}).effects}


def test_a_manifest_in_utf_16_is_not_left_out_in_silence() -> None:
    trees = given({}, {"k8s/x.yaml": BINDING.encode("utf-16")})
    found = judge(read_families(trees), RULES, "human")
    assert found.unjudged or found.effects
