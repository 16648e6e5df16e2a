"""What alert rules watch: by what they name, by what they read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.operate.environment.promql import Selector, selectors_of
from tidegate.operate.environment.rules import Rule, statements_of
from tidegate.operate.environment.statements import NotKnown, Owns, Watched
from tidegate.operate.environment.values import Said

SAID = Said(source="rules", where="here")


@pytest.mark.parametrize(
    ("expression", "selectors"),
    [
        ("up == 0", ["up"]),
        ('sum by (service) (rate(a_total{code=~"5.."}[5m])) / sum by (service) (rate(a_total[5m])) > 0.05',
         ['a_total{code=~"5.."}', "a_total"]),
        ("histogram_quantile(0.9, sum by (le) (rate(x_bucket[20s]))) > 0.09", ["x_bucket"]),
        ('absent(up{job="cart"})', ['up{job="cart"}']),
        ('{__name__="a:b", job="x"} offset 5m', ['a:b{job="x"}']),
        ('a and on (pod) group_left (x) b unless c', ["a", "b", "c"]),
        ("# nothing{a=\"b\"}\n1 + vector(2)", []),
        ('label_replace(a{b="}{"}, "x", "$1", "y", "(.*)")', ['a{b="}{"}']),
        ("rate(a[5m:1m] @ end())", ["a"]),
    ],
)  # fmt: skip
def test_selectors(expression: str, selectors: list[str]) -> None:
    assert [str(one) for one in selectors_of(expression)] == selectors


@given(st.text(alphabet="ab(){}[]\"'=~!,\\#\n 5m.:", max_size=80))
def test_any_text_is_read(expression: str) -> None:
    selectors_of(expression)


def watched(rule: Rule, series: Mapping[str, Sequence[Mapping[str, str]]] = {}, **more: object) -> list[Watched]:
    found = statements_of([rule], "", lambda one: series.get(str(one)), **more)  # type: ignore[arg-type]
    return [one for one in found if isinstance(one, Watched)]


def test_a_rule_watches_what_it_names() -> None:
    rule = Rule(name="CartSlow", query='rate(http_requests_total{job=~"cart|basket",code="500"}[5m]) > 1', said=SAID)
    assert [(one.service, one.watch.scope, one.routes) for one in watched(rule)] == [
        ("basket", "requests", None),
        ("cart", "requests", None),
    ]


def test_a_rule_watches_what_it_reads_now() -> None:
    rule = Rule(name="Errors", query='sum by (service) (rate(http_requests_total{code=~"5.."}[1m])) > 1', said=SAID)
    found = watched(rule, {"http_requests_total": [{"service": "cart"}, {"service": "pay", "route": "/pay"}]})
    assert [(one.service, one.routes) for one in found] == [("cart", None), ("pay", None)]
    assert found[0].watch.why == 'reads http_requests_total{code=~"5.."}'


def test_a_rule_about_one_route_watches_that_route() -> None:
    rule = Rule(name="PaySlow", query='rate(http_request_seconds_sum{route="/pay"}[1m]) > 1', said=SAID)
    series = {'http_request_seconds_sum{route="/pay"}': [{"service": "pay", "route": "/pay", "method": "post"}]}
    assert [(one.service, one.routes) for one in watched(rule, series)] == [("pay", (("POST", "/pay"),))]


def test_a_rule_that_notices_only_absence() -> None:
    rule = Rule(name="Down", query='up{job="cart"} == 0', said=SAID)
    assert [one.watch.scope for one in watched(rule)] == ["presence"]


def test_recording_rules_are_looked_into() -> None:
    rule = Rule(name="Budget", query="slo:errors:ratio > 0.1", said=SAID)
    recorded = {"slo:errors:ratio": 'sum(rate(grpc_server_handled_total{service="cart"}[5m]))'}
    assert [one.service for one in watched(rule, recorded=recorded)] == ["cart"]


def test_a_rule_that_names_nobody_is_said() -> None:
    rules = [Rule(name=name, query="x > 1", said=SAID) for name in ("A", "B")]
    found = [one for one in statements_of(rules, "") if isinstance(one, NotKnown)]
    assert [one.says for one in found] == ["rules A, B name no service: what that watches is not known"]
    silent = [one for one in statements_of(rules[:1], "", lambda _: ()) if isinstance(one, NotKnown)]
    assert [one.says for one in silent] == ["rule A reads no series now: what that would watch is not known"]


def test_whom_a_rule_pages_answers_for_its_one_service() -> None:
    rule = Rule(name="CartSlow", query='http_request_seconds{service="cart"} > 1', said=SAID, labels={"team": "basket"})
    assert [one.owners for one in statements_of([rule], "") if isinstance(one, Owns)] == [("basket",)]


def test_rules_of_another_environment_are_left_out() -> None:
    rule = Rule(name="A", query='up{service="cart"} == 0', said=SAID, labels={"environment": "staging"})
    assert list(statements_of([rule], "production")) == []


def test_absence_is_not_asked_about() -> None:
    asked: list[Selector] = []
    rule = Rule(name="Gone", query='absent(up{service="cart"})', said=SAID)
    list(statements_of([rule], "", asked.append))
    assert asked == []


def test_an_exporter_of_others_is_not_what_its_series_are_about() -> None:
    query = 'kube_deployment_status_replicas{job="kube-state-metrics"%s} == 0'
    assert watched(Rule(name="Stuck", query=query % "", said=SAID)) == []
    named = watched(Rule(name="Stuck", query=query % ',deployment="cart"', said=SAID))
    assert [(one.service, one.watch.scope) for one in named] == [("cart", "presence")]
    series = {
        'kube_deployment_status_replicas{job="kube-state-metrics"}': [
            {"job": "kube-state-metrics", "deployment": "pay"}
        ]
    }
    assert [one.service for one in watched(Rule(name="Stuck", query=query % "", said=SAID), series)] == ["pay"]
