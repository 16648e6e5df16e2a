"""The map of an environment as the service serves it: what it was told, and the repository in its mirror."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import msgspec
import pytest
from starlette.testclient import TestClient

from tests.repos import Repo
from tests.server.conftest import Made, bearer
from tidegate.operate.environment.values import Map
from tidegate.server.api.problems import Problem
from tidegate.server.mirrors import Mirrors
from tidegate.server.production import mapping
from tidegate.server.production.intake import take
from tidegate.server.production.mapping import environment_map
from tidegate.server.production.measured import keep_spans
from tidegate.server.service import Service
from tidegate.store import repositories
from tidegate.store.clock import moment_of
from tidegate.store.repositories import NewRepository
from tidegate.telemetry.otlp import Span

COMPOSE = """services:
  web: {build: web, environment: [CART_URL=http://cart:80]}
  cart: {build: cart}
"""


@pytest.fixture
def told(service: Service, tmp_path: Path) -> Service:
    """A service that was told of a deployment, of spans and of an alert."""
    shop = Repo.init(tmp_path / "shop")
    files = {"web/Dockerfile": "FROM x\n", "cart/Dockerfile": "FROM x\n", ".github/CODEOWNERS": "* @acme/shop\n"}
    shop.commit("Lay out the shop", {"compose.yaml": COMPOSE, **files})
    mirror = Mirrors(service.config.data / "mirrors").path_of("github", "acme/shop")
    subprocess.run(["git", "clone", "-q", "--mirror", str(shop.path), str(mirror)], check=True)
    now = moment_of(service.now()).timestamp()
    said: dict[str, object] = {"type": "deployment", "deployment": "d1", "status": "succeeded"}
    said["environment"] = "production"
    said |= {
        "service": "web-svc",
        "repository": "https://github.com/acme/shop.git",
        "at": now - 900,
        "revision": "a" * 40,
    }
    alert = {"type": "alert", "key": "k", "name": "CartSlow", "service": "cart", "started": now - 60}
    take(service, "plain", json.dumps([said]).encode(), {})
    take(service, "plain", json.dumps([{**alert, "environment": "production"}]).encode(), {})
    one = Span(
        trace="1" * 32,
        span="1" * 16,
        service="web",
        operation="GET /orders/{id}",
        kind="server",
        environment="production",
        started=now - 60,
        seconds=0.1,
    )
    other = Span(
        trace="1" * 32,
        span="2" * 16,
        parent="1" * 16,
        service="cart",
        operation="GET /cart",
        kind="server",
        environment="production",
        started=now - 60,
        seconds=0.1,
    )
    with service.database.write() as connection:
        new = NewRepository("github", "acme/shop", "https://github.com/acme/shop.git", "main")
        repositories.add(connection, new, service.now())
        keep_spans(connection, [one, other], service.now())
    return service


def test_what_the_service_knows(told: Service) -> None:
    found = environment_map(told, "production")
    web, cart = (next(one for one in found.services if one.name == name) for name in ("web", "cart"))
    assert {one.source for one in web.said} == {"code", "spans", "deployments"}
    assert [(one.name, one.guess) for one in web.names if one.source == "deployments"] == [("web-svc", True)]
    assert (web.owner, cart.owner) == ("@acme/shop", "@acme/shop")
    assert [(one.target, {said.source for said in one.said}) for one in web.calls] == [("cart", {"code", "spans"})]
    assert [str(one) for one in web.routes] == ["GET /orders/{id}"]
    assert [one.rule for one in cart.watches] == ["CartSlow"]
    assert "no Prometheus is set up: TIDEGATE_PRODUCTION_FILE" in found.unknowns


def test_a_map_is_made_once_a_minute(told: Service) -> None:
    assert environment_map(told, "production") is environment_map(told, "production")


def test_an_environment_that_nobody_told_of(told: Service) -> None:
    for name in ("staging", "", "x" * 1000, "\0", "é"):
        with pytest.raises(Problem, match="nothing was told"):
            environment_map(told, name)


def test_what_takes_too_much_is_said(told: Service) -> None:
    with pytest.raises(Problem, match="takes too much"):
        environment_map(told, "production", ("false",))


def test_a_mirror_that_is_gone_leaves_the_rest(told: Service) -> None:
    with told.database.write() as connection:
        new = NewRepository("github", "acme/shop", "https://github.com/acme/shop.git", "gone")
        repositories.add(connection, new, told.now())
    found = environment_map(told, "production")
    assert any(one.startswith("acme/shop could not be read") for one in found.unknowns)
    assert [one.name for one in found.services] == ["cart", "web-svc"]


@pytest.mark.parametrize(
    ("slug", "name", "same"),
    [
        ("acme/shop", "acme/shop", True),
        ("acme/shop", "https://GitHub.com/Acme/Shop.git", True),
        ("acme/shop", "git@github.com:acme/shop.git", True),
        ("acme/shop", "https://github.com/notacme/shop", False),
        ("acme/shop", "acme/shop-two", False),
        ("acme/shop", "", False),
    ],
)
def test_which_repository_is_meant(slug: str, name: str, same: bool) -> None:
    assert mapping._is_of(slug, name) is same


def test_the_endpoint(told: Service, made: Made, client: TestClient) -> None:
    """`told` and `made` are one service."""
    path = "/api/v1/environments/production/map"
    answer = client.get(path, headers=bearer(made.tokens["viewer"]))
    assert answer.status_code == 200
    assert msgspec.json.decode(answer.content, type=Map) == environment_map(told, "production")
    nowhere = client.get(path.replace("production", "nowhere"), headers=bearer(made.tokens["viewer"]))
    assert (nowhere.status_code, nowhere.json()["title"]) == (404, "nothing was told of this environment")
    assert client.get(path).status_code == 401
