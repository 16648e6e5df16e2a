"""Which names mean one service, and which never do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.operate.environment.names import Joined, Use, join_names

CODE = (Use(name="payments", source="code", hosts=("pay",)), Use(name="cart-service", source="code"))


def joined(*uses: Use) -> Joined:
    return join_names((*CODE, *uses))


@pytest.mark.parametrize(
    ("name", "service", "rule"),
    [
        ("payments", "payments", "same"),
        ("Payments", "payments", "spelling"),
        ("CartService", "cart-service", "spelling"),
        ("cart_service", "cart-service", "spelling"),
        ("pay", "payments", "host"),
        ("payments.shop.svc.cluster.local:8080", "payments", "host"),
        ("payments.default.svc", "payments", "host"),
        ("shop/payments", "payments", "namespace"),
    ],
)
def test_a_rule_that_does_not_guess(name: str, service: str, rule: str) -> None:
    found = joined(Use(name=name, source="spans"))
    assert found.of["spans", name] == service
    assert not found.guesses
    assert rule in {one.rule for one in found.names[service] if one.name == name}


@pytest.mark.parametrize(
    "name", ["payments-svc", "payments-prod", "payments-7d9f8b6c5d-x2x4z", "paymentsservice", "cart"]
)
def test_what_is_guessed_is_said(name: str) -> None:
    found = joined(Use(name=name, source="targets"))
    service = "cart-service" if name == "cart" else "payments"
    assert found.of["targets", name] == service
    assert found.guesses["targets", name] == f"{name} is taken for {service} (ending)"
    assert [one.guess for one in found.names[service] if one.name == name] == [True]


def test_what_begins_every_name_of_a_source_says_nothing() -> None:
    names = ("acme-shop-payments", "acme-shop-cart", "acme-shop-ledger")
    found = joined(*(Use(name=name, source="state") for name in names))
    assert [found.of["state", name] for name in names] == ["payments", "cart-service", "acme-shop-ledger"]


def test_what_one_source_tells_apart_stays_apart() -> None:
    found = join_names([Use(name="orders", source="spans"), Use(name="orders-api", source="spans")])
    assert found.of["spans", "orders-api"] == "orders-api"
    found = join_names(
        [Use(name="orders", source="code"), Use(name="orders", source="spans"), Use(name="orders-svc", source="spans")]
    )
    assert found.of["spans", "orders-svc"] == "orders-svc"


def test_a_name_that_fits_two_is_kept_apart_and_said() -> None:
    uses = [Use(name="billing-api", source="code"), Use(name="mail", source="code")]
    found = join_names([*uses, Use(name="billing-svc", source="spans"), Use(name="billing-app", source="code")])
    assert found.of["spans", "billing-svc"] == "billing-svc"
    assert found.unclear == ("billing-svc (spans) may be any of billing-api, billing-app: it is kept apart",)


def test_a_database_is_known_by_its_system() -> None:
    found = join_names(
        [Use(name="postgresql", source="code"), Use(name="postgresql/orders", source="spans", weak=True)]
    )
    assert found.of["spans", "postgresql/orders"] == "postgresql"
    assert found.guesses["spans", "postgresql/orders"].endswith("(system)")


def test_two_packages_that_would_be_one_service_are_none() -> None:
    packages = [Use(name=name, source="code", weak=True) for name in ("payments-api", "payments-server")]
    found = joined(*packages)
    assert not found.guesses


NAMES = st.sampled_from(
    [
        "a",
        "A",
        "a-svc",
        "b/a",
        "a.x.svc",
        "a:80",
        "b",
        "b-api",
        "b_api",
        "",
        "é",
        "a-0",
        "postgresql/a",
        "x" * 500,
        " ",
        "/",
    ]
)
USES = st.lists(
    st.builds(Use, name=NAMES, source=st.sampled_from(["code", "spans", "targets", "rules"]), weak=st.booleans()),
    max_size=12,
)


@given(USES, st.randoms())
def test_the_order_of_what_is_said_changes_nothing(uses: list[Use], random: object) -> None:
    shuffled = list(uses)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first = join_names(uses)
    assert join_names(shuffled) == first
    assert set(first.of) == {(use.source, use.name) for use in uses}
    assert all(service in first.names for service in first.of.values())
