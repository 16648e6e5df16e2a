"""The place that is made: it parses, denies by default, holds no secret, and our own rules find nothing in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidegate.change.trees import given as trees_of
from tidegate.errors import InputError
from tidegate.infra.collect import judge_found, read_families
from tidegate.infra.judge import Judgement
from tidegate.place.make import Wish, make_place, write_place
from tidegate.place.make.workload import health_path
from tidegate.place.values import TIERS, Application, Host, Operated, Placement, Route, Seen, Tier, Wanted

NOW = "2026-02-03T00:00:00Z"
SHOP = Application(
    name="My Shop!",
    commit="ab" * 20,
    hosts=(
        Host("*.amazonaws.com", 443, "the package boto3", Seen("a.py", 3)),
        Host("api.stripe.com", 443, "the package stripe", Seen("a.py", 1)),
        Host("db.example-bank.com", 5432, "declared", Seen("tidegate.toml")),
    ),
    routes=(Route("GET /healthz", Seen("a.py", 9), None, "a health check"),),
    dynamic=(Seen("a.py", 7, "psycopg connects to what its settings name"),),
    wanted=(Wanted("STRIPE_KEY", True, Seen("a.py", 2)), Wanted("MODE", False, Seen("a.py", 2))),
    operated=Operated(health=(Seen("a.py", 9, "GET /healthz"),), port=5000),
)


def _placed(app: Application, tier: Tier = "T3") -> Placement:
    return Placement("tidegate.place/1", tier, "title", {}, "", (), (), {}, "", app, NOW)


def _judged(files: Mapping[str, str], folder: str = "k8s") -> Judgement:
    contents = {f"{folder}/{name}": text.encode() for name, text in files.items()}
    return judge_found(read_families(trees_of({}, contents)), "unknown")


def _documents(files: Mapping[str, str]) -> list[dict[str, Any]]:
    return [document for text in files.values() for document in yaml.safe_load_all(text)]


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(
    ("kind", "egress"), [("kubernetes", "proxy"), ("kubernetes", "cilium"), ("terraform", "proxy")]
)
def test_our_own_rules_find_nothing(tier: Tier, kind: str, egress: str) -> None:
    judged = _judged(make_place(_placed(SHOP), Wish(kind, tier, egress, runtime_class="gvisor")))
    assert judged.effects == ()
    assert judged.unjudged == ()
    assert judged.files


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("30-application.yaml", "privileged: false", "privileged: true"),
        ("30-application.yaml", "emptyDir:\n            sizeLimit: 64Mi", "hostPath:\n            path: /"),
    ],
)
def test_the_rules_would_find_what_is_wrong(file: str, before: str, after: str) -> None:
    files = dict(make_place(_placed(SHOP), Wish(tier="T2")))
    assert before in files[file]
    files[file] = files[file].replace(before, after)
    assert _judged(files).effects


def test_the_way_out_is_what_was_found_and_nothing_else() -> None:
    proxy = make_place(_placed(SHOP), Wish(tier="T1"))
    allowed = next(one for one in _documents(proxy) if one["kind"] == "ConfigMap")
    assert allowed["data"] == {"allow.txt": "*.amazonaws.com:443\napi.stripe.com:443\n"}
    assert "NOT OPENED: db.example-bank.com:5432" in proxy["20-network.yaml"]
    assert "NOT OPENED: psycopg connects" in proxy["20-network.yaml"]
    cilium = make_place(_placed(SHOP), Wish(tier="T1", egress="cilium"))
    policy = next(one for one in _documents(cilium) if one["kind"] == "CiliumNetworkPolicy")
    text = json.dumps(policy)
    assert '{"matchName": "db.example-bank.com"}' in text
    assert '"5432"' in text
    sandbox = make_place(_placed(SHOP), Wish(tier="T0"))
    assert [one["kind"] for one in _documents(sandbox)].count("NetworkPolicy") == 1
    assert "STRIPE_KEY" not in "".join(sandbox.values())


def test_secrets_are_references_and_terraform_allows_names_one_by_one() -> None:
    deployment = next(
        one for one in _documents(make_place(_placed(SHOP), Wish(tier="T2"))) if one["kind"] == "Deployment"
    )
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    by_name = {one["name"]: one for one in container["env"]}
    assert by_name["STRIPE_KEY"]["valueFrom"] == {"secretKeyRef": {"name": "my-shop-secrets", "key": "STRIPE_KEY"}}
    assert container["readinessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["ports"][0]["containerPort"] == 5000
    terraform = "".join(make_place(_placed(SHOP), Wish("terraform", "T2")).values())
    assert '# the package stripe, a.py:1\n    "api.stripe.com.",' in terraform
    assert 'resource "aws_secretsmanager_secret" "stripe_key"' in terraform
    assert "aws_internet_gateway" not in terraform
    assert "secret_string" not in terraform


_TEXTS = st.one_of(
    st.text(max_size=30), st.sampled_from(("a\n  privileged: true", "${var.x}", "%{ for }", '"', "# x", "-"))
)
_SEEN = st.builds(Seen, _TEXTS, st.integers(0, 9), _TEXTS)
_HOSTS = st.builds(
    Host,
    st.one_of(_TEXTS, st.just("0.0.0.0/0"), st.just("api.example-bank.com")),
    st.integers(-1, 70000),
    _TEXTS,
    _SEEN,
)
_WANTED = st.builds(Wanted, st.one_of(_TEXTS, st.sampled_from(("A_KEY", "a_key", "PORT"))), st.booleans(), _SEEN)
_APPS = st.builds(
    Application,
    name=_TEXTS,
    commit=_TEXTS,
    hosts=st.lists(_HOSTS, max_size=4).map(tuple),
    routes=st.lists(st.builds(Route, _TEXTS, _SEEN), max_size=2).map(tuple),
    dynamic=st.lists(_SEEN, max_size=2).map(tuple),
    wanted=st.lists(_WANTED, max_size=4).map(tuple),
    operated=st.builds(Operated, health=st.lists(_SEEN, max_size=2).map(tuple), port=st.integers(0, 65535)),
)


@given(app=_APPS, tier=st.sampled_from(TIERS), egress=st.sampled_from(("proxy", "cilium")))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_application_gives_a_place_that_parses_and_denies_by_default(
    app: Application, tier: Tier, egress: str
) -> None:
    files = make_place(_placed(app), Wish("kubernetes", tier, egress))
    assert files == make_place(_placed(app), Wish("kubernetes", tier, egress))
    documents = _documents(files)
    denying = [one for one in documents if one["kind"] == "NetworkPolicy" and one["spec"]["podSelector"] == {}]
    assert {"Ingress", "Egress"} <= {word for one in denying for word in one["spec"]["policyTypes"]}
    everything = json.dumps(documents)
    assert "0.0.0.0" not in everything
    assert "ipBlock" not in everything
    assert '"privileged": true' not in everything
    assert {one["metadata"]["namespace"] for one in documents if one["kind"] != "Namespace"} == {
        one["metadata"]["name"] for one in documents if one["kind"] == "Namespace"
    }


@given(app=_APPS, tier=st.sampled_from(TIERS), kind=st.sampled_from(("kubernetes", "terraform")))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_our_rules_find_nothing_in_any_place(app: Application, tier: Tier, kind: str) -> None:
    judged = _judged(make_place(_placed(app), Wish(kind, tier)))
    assert judged.effects == ()
    assert judged.unjudged == ()


def test_a_place_above_the_earned_tier_and_bad_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="earns T1, and a place of T2"):
        make_place(_placed(SHOP, "T1"), Wish(tier="T2"))
    for wish in (Wish(image="shop:latest"), Wish(runtime_class="a\nb")):
        with pytest.raises(InputError):
            make_place(_placed(SHOP), wish)
    names = write_place(
        tmp_path / "out", make_place(_placed(SHOP), Wish(image=f"r.example.com/shop@sha256:{'a' * 64}"))
    )
    assert sorted(names) == sorted(path.name for path in (tmp_path / "out").iterdir())
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_place(tmp_path / "file" / "x", {})


def test_only_a_whole_address_is_probed() -> None:
    whole = Application("a", operated=Operated(health=(Seen("a", 1, "GET {?}/up"), Seen("a", 2, "GET /up"))))
    assert health_path(whole) == "/up"
    assert health_path(Application("a", operated=Operated(health=(Seen("a", 1, "POST /up"),)))) == ""
