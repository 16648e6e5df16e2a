"""What reads like harm in real history and is none: each test is the general cause behind a false alarm."""

from __future__ import annotations

import pytest

from tidegate.change.trees import given
from tidegate.facts import Infra
from tidegate.infra.collect import facts_of, read_families
from tidegate.infra.environment import named, of_values
from tidegate.infra.judge import judge
from tidegate.infra.rules import RULES


def said(before: dict[str, str], after: dict[str, str]) -> Infra:
    sides = ({path: text.encode() for path, text in side.items()} for side in (before, after))
    return facts_of(judge(read_families(given(*sides)), RULES, "human"), "human")


@pytest.mark.parametrize(
    ("name", "environment"),
    [
        ("aws_sqs_queue.pre_sentence_report", ""),
        ("module.int_queue", ""),
        ("shop-pre", "staging"),
        ("shop-int-2", "staging"),
        ("shop-pre-production", "staging"),
    ],
)
def test_short_words_say_an_environment_only_at_the_end(name: str, environment: str) -> None:
    assert named(name) == environment


def test_not_production_is_heard_unless_a_name_says_more() -> None:
    assert of_values({"is_production": "false"}) == "development"
    assert of_values({"is_production": False, "namespace": "shop-preprod"}) == "staging"
    assert of_values({"labels": {"is-production": "false"}, "name": "harness"}) == "development"
    assert of_values({"is_production": "true", "labels": {"environment-name": "harness"}}) == ""


def test_a_moved_block_holds_where_the_count_is_not_settled() -> None:
    bucket = 'resource "aws_s3_bucket" "files" {{\n{}  bucket = "shop-files"\n}}\n'
    count = '  count = var.where == "here" ? 0 : 1\n'
    moved = "moved {\n  from = aws_s3_bucket.files\n  to   = aws_s3_bucket.files[0]\n}\n"
    variable = 'variable "where" {}\n'
    kept = said({"main.tf": variable + bucket.format("")}, {"main.tf": variable + bucket.format(count) + moved})
    assert kept.removals == 0
    assert kept.severity == "none"
    lost = said({"main.tf": variable + bucket.format("")}, {"main.tf": variable + moved.replace("[0]", "s")})
    assert lost.severity == "high"


def test_a_module_whose_folder_is_gone_destroys_nothing() -> None:
    """Terraform refuses such code, so nothing is applied; it is said that nobody can judge it."""
    call = 'module "files" {\n  source = "../modules/files"\n}\n'
    module = 'resource "aws_s3_bucket" "files" {\n  bucket = "shop-files"\n}\n'
    before = {"stack/main.tf": call, "modules/files/main.tf": module}
    gone = said(before, {"stack/main.tf": call})
    assert not [one for one in gone.effects if one.address.startswith("module.files")]
    assert [one.address for one in gone.unjudged] == ["module.files"]
    assert said(before, {"modules/files/main.tf": module, "stack/main.tf": "locals {}\n"}).severity == "high"


_RECORD = 'resource "aws_route53_record" "{}" {{\n  zone_id = var.zone\n  name = {}\n  type = "{}"\n{}}}\n'
_SERVERS = '  ttl = 300\n  records = ["ns1.example.net", "ns2.example.net"]\n'


def test_a_renamed_record_is_no_lost_name_though_the_name_is_a_variable() -> None:
    before = _RECORD.format("delegation", "var.subdomain", "NS", _SERVERS)
    renamed = said({"dns.tf": before}, {"dns.tf": before.replace('"delegation"', '"delegation_parent"')})
    assert [one.severity for one in renamed.effects if one.code == "DNS_CHANGE"] == ["low"]
    other = _RECORD.format("delegation_parent", "var.another", "NS", _SERVERS)
    lost = said({"dns.tf": before}, {"dns.tf": other})
    assert [one.severity for one in lost.effects if one.code == "DNS_CHANGE"] == ["critical"]


def test_a_record_that_becomes_an_alias_of_the_same_target_sends_nobody_elsewhere() -> None:
    before = _RECORD.format("shop", '"shop.example.org"', "CNAME", '  ttl = 60\n  records = ["edge.example.net."]\n')
    alias = '  alias {{\n    name = "{}"\n    zone_id = "Z1"\n    evaluate_target_health = false\n  }}\n'
    same = _RECORD.format("shop", '"shop.example.org"', "A", alias.format("edge.example.net"))
    other = _RECORD.format("shop", '"shop.example.org"', "A", alias.format("old.example.net"))
    assert said({"dns.tf": before}, {"dns.tf": same}).severity == "none"
    assert said({"dns.tf": before}, {"dns.tf": other}).severity == "medium"


def test_a_stack_read_from_code_is_never_certain() -> None:
    queue = 'resource "aws_sqs_queue" "q{0}" {{\n  name = "q{0}"\n}}\n'
    before = "".join(queue.format(place) for place in range(12))
    gone = said({"main.tf": before}, {"main.tf": "locals {}\n"})
    assert {one.certainty for one in gone.effects} == {"likely"}
    assert "DESTROY" in {one.code for one in gone.effects}


_BACKEND = 'terraform {{\n  backend "s3" {{\n    key = "shop"\n{}  }}\n}}\nresource "aws_sqs_queue" "q" {{}}\n'


@pytest.mark.parametrize(
    ("before", "after", "severity"),
    [
        ('    bucket = "state"\n', "", "medium"),
        ('    bucket = "state"\n', '    bucket = "other"\n', "high"),
        ('    bucket = "state"\n    workspace_key_prefix = "w"\n', '    bucket = "state"\n', "high"),
        ('    bucket = "state"\n    region = "a"\n', '    region = "b"\n', "medium"),
    ],
)
def test_what_a_backend_must_have_and_no_longer_says_is_given_at_init(before: str, after: str, severity: str) -> None:
    found = said({"main.tf": _BACKEND.format(before)}, {"main.tf": _BACKEND.format(after)})
    assert [one.severity for one in found.effects if one.code == "STATE_LOSS"] == [severity]


def test_records_that_prove_a_certificate_are_no_names_that_people_look_up() -> None:
    certificate = 'resource "aws_acm_certificate" "c" {\n  domain_name = "shop.example.org"\n}\n'
    proof = (
        'resource "aws_route53_record" "proof" {\n'
        "  for_each = { for one in aws_acm_certificate.c.domain_validation_options : one.domain_name => one }\n"
        "  name = each.value.resource_record_name\n  type = each.value.resource_record_type\n"
        "  records = [each.value.resource_record_value]\n  zone_id = var.zone\n  ttl = 60\n}\n"
    )
    other = proof.replace("aws_acm_certificate.c.domain_validation_options", "var.names")
    assert "DNS_CHANGE" not in {one.code for one in said({"a.tf": certificate + proof}, {"a.tf": certificate}).effects}
    lost = said({"a.tf": certificate + other}, {"a.tf": certificate}).effects
    assert "DNS_CHANGE" in {one.code for one in lost}
    assert "(record)" in lost[0].reason
    waits = _RECORD.format("shop", '"shop.example.org"', "A", "  depends_on = [aws_acm_certificate.c]\n")
    lost = said({"a.tf": certificate + waits}, {"a.tf": certificate}).effects
    assert [one.severity for one in lost if one.code == "DNS_CHANGE"] == ["high"]
