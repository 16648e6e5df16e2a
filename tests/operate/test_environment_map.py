"""The map of an environment that a test lays out: code, Terraform, spans, Prometheus' words, deployments, alerts."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.errors import InputError
from tidegate.operate.environment import spans, state
from tidegate.operate.environment.alerts import Alerted
from tidegate.operate.environment.code import Code, read_code
from tidegate.operate.environment.deployments import Deployed
from tidegate.operate.environment.prometheus import Prometheus, Scraped
from tidegate.operate.environment.rules import Firing, Rule
from tidegate.operate.environment.sources import Given, learn
from tidegate.operate.environment.spans import Seen
from tidegate.operate.environment.statements import RuleThere
from tidegate.operate.environment.values import Map, Said, Service
from tidegate.operate.values import Alert
from tidegate.rollout.values import Deployment
from tidegate.settings import Settings
from tidegate.telemetry.graph import Edge
from tidegate.telemetry.otlp import Span

Run = Callable[..., subprocess.CompletedProcess[str]]
AT = 1_770_000_000.0
NEW, OLD = "a" * 40, "b" * 40

COMPOSE = """services:
  web:
    build: web
    environment: [CART_URL=http://cart:80]
  cart:
    build: cart
    depends_on: [redis]
  redis: {image: "redis:7"}
  reports:
    build: reports
"""
RULES = """groups:
- name: shop
  rules:
  - alert: CartErrors
    expr: rate(http_requests_total{job="cart",code="500"}[5m]) > 1
  - alert: WebDown
    expr: up{job="web"} == 0
  - alert: Old
    expr: rate(http_requests_total{job="reports"}[5m]) > 1
"""
TERRAFORM = """resource "aws_lambda_function" "mail" {
  function_name = "shop-mail"
  tags = { team = "post", tier = "2" }
}
resource "aws_sqs_queue" "mail" { name = "mail" }
resource "aws_sns_topic" "later" { name = "later" }
"""
WEB = """from flask import Flask
app = Flask(__name__)

@app.route("/orders/<order>", methods=["GET"])
def order(order):
    return order
"""
CATALOG = """apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: cart, labels: {acme.io/tier: "1"}}
spec: {type: service, owner: "group:default/basket"}
"""


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    made = Repo.init(tmp_path_factory.mktemp("shop") / "shop")
    made.commit(
        "Lay out the shop",
        {
            "compose.yaml": COMPOSE,
            "web/Dockerfile": "FROM python\nCOPY . /app\n",
            "web/app.py": WEB,
            "cart/Dockerfile": "FROM python\nCOPY . /app\n",
            "cart/catalog-info.yaml": CATALOG,
            "reports/Dockerfile": "FROM python\nCOPY . /app\n",
            "infra/main.tf": TERRAFORM,
            "monitoring/rules.yml": RULES,
            ".github/CODEOWNERS": "/cart/ @acme/payments\n/web/ @alice\n",
        },
    )
    return made


@pytest.fixture(scope="module")
def code(repo: Repo) -> Iterator[Code]:
    with open_repository(repo.path) as repository:
        yield read_code(repository, "HEAD", Settings(), "shop at HEAD")


def span(service: str, operation: str, number: int, **more: object) -> Span:
    return Span(
        trace=f"{number:032x}",
        span=f"{number:016x}",
        service=service,
        operation=operation,
        kind="server",
        started=AT,
        seconds=0.1,
        **more,  # type: ignore[arg-type]
    )


def traffic() -> Seen:
    shown = (
        span("web", "GET /orders/17", 1, revision=OLD),
        span("cart", "POST /cart", 2, parent=f"{1:016x}"),
        span("debug-shell", "POST /run", 3),
    )
    return Seen("spans.json", (shown[0], replace(shown[1], trace=shown[0].trace), shown[2]))


def deployed(service: str, revision: str, at: float, **more: object) -> Deployment:
    return Deployment(
        id=f"plain/{service}-{at:.0f}",
        environment="production",
        service=service,
        status="succeeded",
        started=at,
        finished=at,
        revision=revision,
        **more,  # type: ignore[arg-type]
    )


def server(rules: Sequence[str] = ("CartErrors", "WebDown")) -> Prometheus:
    queries = {
        "CartErrors": 'rate(http_requests_total{code=~"5.."}[5m]) > 1',
        "WebDown": 'up{job="web"} == 0',
        "Disk": "node_disk > 1",
    }
    covered = {"http_requests_total": ({"job": "cart"},), "node_disk": ()}
    targets = (Scraped({"job": "cart"}, "down", AT - 30), Scraped({"job": "shop/web"}, "up", AT - 30))
    made = tuple(Rule(name=one, query=queries[one], said=Said(source="rules", where=f"rule {one}")) for one in rules)
    return Prometheus("http://prometheus", targets, made, {}, covered)


def named(found: Map, name: str) -> Service:
    return next(one for one in found.services if one.name == name)


def test_code_alone(code: Code) -> None:
    found = learn(Given(code=(code,)))
    assert [(one.name, one.kind, one.owner, one.tier) for one in found.services] == [
        ("cart", "service", "group:default/basket", "critical"),
        ("redis", "external", "", ""),
        ("reports", "service", "", ""),
        ("shop-mail", "function", "post", "high"),
        ("web", "service", "@alice", ""),
    ]
    assert [str(route) for route in named(found, "web").routes] == ["GET /orders/<order>"]
    assert [(one.target, one.guessed) for one in named(found, "web").calls] == [("cart", False)]
    assert [(one.target, one.guessed) for one in named(found, "cart").calls] == [("redis", True)]
    assert found.unowned == ("redis", "reports")
    assert found.unmonitored == ("redis", "shop-mail")
    assert [(one.kind, one.says) for one in found.contradictions] == [
        (
            "owner",
            "cart belongs to group:default/basket (cart/catalog-info.yaml) or to @acme/payments (.github/CODEOWNERS:1)",
        )
    ]
    assert "calls and routes are those that code shows: no spans were read (--spans)" in found.unknowns


def test_rules_that_name_nobody_leave_open_what_is_unmonitored(code: Code) -> None:
    vague = Given(
        code=(
            replace(
                code,
                statements=(*code.statements, RuleThere(rule="Any", said=Said(source="code", where="x"))),
            ),
        )
    )
    found = learn(vague)
    assert (found.unmonitored, found.unmonitored_routes) == ((), ())
    assert any(one.startswith("what is unmonitored is not known") for one in found.unknowns)


def test_all_together(code: Code) -> None:
    told = (deployed("web", NEW, AT - 900), deployed("cart-svc", NEW, AT - 900))
    given = Given(code=(code,), seen=(traffic(),), servers=(server(),), deployed=(Deployed("service", told),))
    found = learn(given)
    web, cart = named(found, "web"), named(found, "cart")
    assert [(one.name, one.source, one.rule, one.guess) for one in cart.names if one.name != "cart"] == [
        ("cart-svc", "deployments", "ending", True)
    ]
    assert [(str(one), one.calls, one.rules) for one in web.routes] == [("GET /orders/<order>", 1, ())]
    assert [(str(one), one.calls, one.rules) for one in cart.routes] == [("POST /cart", 1, ("CartErrors",))]
    assert {(one.source, one.guess) for one in cart.revisions[0].said} == {
        ("deployments", "cart-svc is taken for cart (ending)")
    }
    assert {one.source for one in web.calls[0].said} == {"code", "spans"}
    assert [(one.kind, one.service) for one in found.contradictions] == [
        ("owner", "cart"),
        ("health", "cart"),
        ("revision", "web"),
    ]
    assert [(one.kind, one.name) for one in found.drift] == [
        ("in no code", "debug-shell"),
        ("not seen", "reports"),
        ("not seen", "shop-mail"),
        ("rule not loaded", "Old"),
    ]
    assert found.unmonitored == ("debug-shell", "redis", "reports", "shop-mail")
    assert [(one.service, one.route) for one in found.unmonitored_routes] == [
        ("debug-shell", "POST /run"),
        ("web", "GET /orders/<order>"),
    ]
    assert learn(given) == found


def test_what_spans_alone_do_not_show_is_no_drift(code: Code) -> None:
    other = Seen("spans.json", (span("something", "GET /x", 1),))
    assert not [
        one for one in learn(Given(code=(code,), seen=(other,))).drift if one.kind in ("in no code", "not seen")
    ]


def test_state_against_code(code: Code) -> None:
    def resource(kind: str, called: str, **attributes: object) -> dict[str, object]:
        return {"mode": "managed", "type": kind, "name": called, "instances": [{"attributes": attributes}]}

    content = {
        "version": 4,
        "resources": [
            resource("aws_lambda_function", "mail", function_name="shop-mail", tags={"team": "letters", "tier": "1"}),
            resource("aws_sqs_queue", "mail", name="mail", password="hunter2"),
            resource("aws_instance", "handmade"),
        ],
    }
    found = learn(Given(code=(code,), states=(state.read_state(json.dumps(content).encode(), "prod.tfstate"),)))
    assert [(one.kind, one.name) for one in found.drift] == [
        ("in no code", "aws_instance.handmade"),
        ("not applied", "aws_sns_topic.later"),
    ]
    assert [
        (one.kind, one.left.value, one.right.value) for one in found.contradictions if one.service == "shop-mail"
    ] == [
        ("owner", "post", "letters"),
        ("tier", "high", "critical"),
    ]
    assert b"hunter2" not in json.dumps(repr(found)).encode()


def test_a_shown_state_and_a_plan(code: Code) -> None:
    module = {
        "resources": [{"address": "aws_sqs_queue.mail", "mode": "managed", "type": "aws_sqs_queue", "values": {}}]
    }
    shown = {"format_version": "1.0", "values": {"root_module": module}}
    assert [one.address for one in state.read_state(json.dumps(shown).encode(), "s").held] == ["aws_sqs_queue.mail"]
    entry = {
        "address": "aws_sqs_queue.mail",
        "type": "aws_sqs_queue",
        "name": "mail",
        "change": {"actions": ["update"]},
    }
    plan = {"format_version": "1.2", "prior_state": shown, "resource_changes": [], "resource_drift": [entry]}
    found = learn(Given(code=(code,), states=(state.read_state(json.dumps(plan).encode(), "plan.json"),)))
    assert ("changed by hand", "aws_sqs_queue.mail") in {(one.kind, one.name) for one in found.drift}


def test_what_was_removed_and_is_at_work(code: Code) -> None:
    told = Deployed("service", (deployed("web", NEW, AT - 900), deployed("web", "", AT - 600, action="remove")))
    found = learn(Given(code=(code,), seen=(traffic(),), deployed=(told,)))
    assert ("removed", "web") in {(one.kind, one.service) for one in found.contradictions}


def test_two_tools_disagree_about_an_alert(code: Code) -> None:
    firing = Rule(
        name="CartErrors",
        query='http_requests_total{service="cart"} > 1',
        said=Said(source="rules", where="rule CartErrors"),
        firing=(Firing({"service": "cart"}, AT - 120),),
    )
    over = Alert(key="k", sender="grafana", name="Cart errors", started=AT - 60, ended=AT, service="cart")
    other = replace(over, key="l", name="Lost", service="nowhere")
    given = Given(
        code=(code,),
        servers=(Prometheus("http://p", (), (firing,)),),
        alerted=(Alerted("service", (over, other)),),
    )
    found = learn(given)
    assert [one.says for one in found.contradictions if one.kind == "alert"] == [
        "CartErrors of cart fires (rule CartErrors) or is over (grafana alert Cart errors)"
    ]
    assert "Lost speaks of nowhere, which no source knows" in found.unknowns
    again = replace(firing, firing=(Firing({"service": "cart"}, AT + 60),))
    later = learn(replace(given, servers=(Prometheus("http://p", (), (again,)),)))
    assert not [one for one in later.contradictions if one.kind == "alert"]


def test_an_environment_is_held_apart() -> None:
    mixed = Seen(
        "spans.json",
        (span("web", "GET /", 1, environment="production"), span("tester", "GET /", 2, environment="staging")),
    )
    found = learn(Given(environment="production", seen=(mixed,)))
    assert [one.name for one in found.services] == ["web"]
    assert "spans of staging were left out" in found.unknowns
    both = learn(Given(seen=(mixed,)))
    assert "the spans are of several environments (production, staging), shown as one" in both.unknowns


def test_names_of_operations_with_ids_are_no_routes() -> None:
    seen = Seen("s", tuple(span("web", f"GET /a/x{number}y", number) for number in range(1, 300)))
    found = learn(Given(seen=(seen,)))
    assert named(found, "web").routes == ()
    assert any("ids stand in them" in one for one in found.unknowns)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b"null", b'{"version": 3, "resources": []}', b"\xff\xfe\x00", b"[" * 100_000, b"PK\x03"],
)
def test_what_is_no_state_is_said(content: bytes) -> None:
    with pytest.raises(InputError):
        state.read_state(content, "state")


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"[" * 100_000, b"\x00\x01", b'{"resourceSpans": 1}', b"{}\n{}"])
def test_what_are_no_spans_is_said(content: bytes) -> None:
    with pytest.raises(InputError):
        spans.read_file(content, "spans")


def test_three_hundred_services_in_a_second() -> None:
    drawn = random.Random(1)
    names = [f"service-{number}" for number in range(300)]
    edges = [
        Edge(
            environment="production",
            caller=caller,
            callee=callee,
            kind="call",
            calls=drawn.randrange(1, 1000),
            failed=0,
            first=AT,
            last=AT + 60,
        )
        for caller, callee in {(drawn.choice(names), drawn.choice(names)) for _ in range(5_200)}
    ][:5_000]
    shown = tuple(span(name, f"GET /{name}/{{id}}", number) for number, name in enumerate(names, 1))
    told = Deployed("service", tuple(deployed(f"{name}-prod", NEW, AT) for name in names))
    given = Given(seen=(Seen("s", shown, tuple(edges)),), deployed=(told,))
    began = time.process_time()
    found = learn(given)
    took = time.process_time() - began
    assert len(found.services) == 300
    assert sum(len(one.calls) for one in found.services) > 4_900
    assert took < 1.0


def test_the_page(repo: Repo, tmp_path: Path, tidegate: Run) -> None:
    lines = [
        {"type": "deployment", "deployment": "d1", "status": "succeeded", "environment": "production", "service": "web"}
        | {"at": AT, "revision": NEW}
    ]
    told = tmp_path / "deployments.jsonl"
    told.write_text("\n".join(map(json.dumps, lines)) + "\n")
    done = tidegate("learn", str(repo.path), "--deployments", str(told), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    head = done.stdout.splitlines()
    assert head[0] == "5 services, 1 route, 2 calls"
    assert "Sources disagree (1)" in head
    assert f"  web                           service, revision {NEW[:10]}" in head


@pytest.mark.parametrize(
    "arguments",
    [
        ("--state", "nowhere"),
        ("--deployments", "nowhere"),
        ("--prometheus", "http://127.0.0.1:1"),
        ("--revision", "no-such"),
    ],
)
def test_bad_input_is_one_line(repo: Repo, tidegate: Run, arguments: tuple[str, ...]) -> None:
    done = tidegate("learn", *arguments, cwd=repo.path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_the_order_in_which_things_are_read_changes_nothing(code: Code) -> None:
    drawn = random.Random(2)
    told = [deployed("web", NEW, AT - 900), deployed("cart-svc", NEW, AT - 900), deployed("web", OLD, AT - 1000)]
    shown = [*traffic().spans, *(span("web", f"GET /orders/{number}", 100 + number) for number in range(30))]
    whole = server(("CartErrors", "WebDown", "Disk"))
    first: Map | None = None
    for _ in range(5):
        for each in (told, shown):
            drawn.shuffle(each)
        turned = Prometheus(whole.url, whole.targets[::-1], whole.rules, {}, whole.covered)
        given = Given(
            code=(code,), seen=(Seen("s", tuple(shown)),), servers=(turned,), deployed=(Deployed("d", tuple(told)),)
        )
        found = learn(given)
        first = first or found
        assert found == first
