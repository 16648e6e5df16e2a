"""Arithmetic on addresses and ports: laws that hold for every set, and masks that lie."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.infra.network.ranges import (
    EVERYWHERE,
    Block,
    Span,
    addresses,
    cidrs,
    covers,
    difference,
    internet_share,
    merged,
    overlap,
    protocols,
)

TCP, UDP, ALL = Span(6, 6), Span(17, 17), Span(0, 255)


def block(text: str, low: int = 5432, high: int | None = None, protocol: Span = TCP, named: str = "") -> Block:
    span = addresses(text)
    assert span is not None
    return Block(named, span, protocol, Span(low, low if high is None else high))


def spans(most: int) -> st.SearchStrategy[Span]:
    return st.tuples(st.integers(0, most), st.integers(0, most)).map(lambda ends: Span(min(ends), max(ends)))


BLOCKS = st.lists(
    st.builds(Block, st.sampled_from(["", "", "sg-1"]), spans(30), spans(3), spans(12)),
    max_size=6,
)


def points(blocks: list[Block]) -> set[tuple[str, int, int, int]]:
    return {
        (one.named, 0 if one.named else address, protocol, port)
        for one in blocks
        for address in range(one.addresses.low, one.addresses.high + 1)
        for protocol in range(one.protocols.low, one.protocols.high + 1)
        for port in range(one.ports.low, one.ports.high + 1)
    }


@given(BLOCKS, BLOCKS)
def test_difference_is_that_of_the_points(some: list[Block], less: list[Block]) -> None:
    assert points(list(difference(some, less))) == points(some) - points(less)


@given(BLOCKS, st.randoms())
def test_order_and_cuts_never_change_the_answer(blocks: list[Block], chance: random.Random) -> None:
    cut: list[Block] = []
    for one in blocks:
        middle = chance.randint(one.ports.low, one.ports.high)
        cut.append(one._replace(ports=Span(one.ports.low, middle)))
        if middle < one.ports.high:
            cut.append(one._replace(ports=Span(middle + 1, one.ports.high)))
    chance.shuffle(cut)
    assert difference(cut) == difference(blocks)
    assert covers(blocks, cut)
    assert covers(cut, blocks)


@given(BLOCKS, BLOCKS)
def test_adding_a_rule_never_lets_less_in(some: list[Block], more: list[Block]) -> None:
    assert covers([*some, *more], some)
    assert points(list(overlap(some, more))) == points(some) & points(more)


@pytest.mark.parametrize("text", ["0.0.0.0/0", "192.168.1.0/0", "10.0.0.1/0", "10.0.0.0/0.0.0.0"])
def test_a_mask_of_nothing_is_everyone_whatever_stands_before_it(text: str) -> None:
    assert addresses(text) == Span(0, 2**32 - 1)


@pytest.mark.parametrize(
    "texts",
    [
        ["0.0.0.0/1", "128.0.0.0/1"],
        ["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"],
        [f"{first}.0.0.0/8" for first in range(256)],
        [f"{first}.0.0.0/8" for first in range(1, 224) if first not in (10, 127)],
        ["::/0"],
        ["::/1", "8000::/1"],
        ["2000::/3"],
        ["0.0.0.0-255.255.255.255"],
        ["*"],
    ],
)
def test_the_internet_in_pieces_is_the_internet(texts: list[str]) -> None:
    found = [span for text in texts if (span := addresses(text)) is not None]
    assert len(found) == len(texts)
    assert internet_share(found) > 0.95


@pytest.mark.parametrize(
    "text", ["10.0.0.0/8", "172.16.0.0/12", "192.168.1.0/24", "100.64.0.0/10", "fd00::/8", "fe80::1"]
)
def test_private_ranges_are_none_of_the_internet(text: str) -> None:
    span = addresses(text)
    assert span is not None
    assert internet_share([span]) == 0


def test_half_of_the_internet_is_half() -> None:
    span = addresses("128.0.0.0/1")
    assert span is not None
    assert 0.3 < internet_share([span]) < 0.7


@pytest.mark.parametrize(
    "text", ["", "var.office", "10.0.0.0/33", "300.1.1.1", "pl-123", "10.0.0.9-10.0.0.1", "1::/129"]
)
def test_what_is_no_address_is_not_guessed(text: str) -> None:
    assert addresses(text) is None


def test_groups_are_inside_all_private_addresses_and_in_nothing_smaller() -> None:
    group = [block("*", named="sg-1")]
    assert covers([block("0.0.0.0/0")], group)
    assert covers([block("0.0.0.0/1"), block("128.0.0.0/1")], group)
    assert not covers([block("10.0.0.0/8")], group)
    assert not covers([block("0.0.0.0/0", 443)], group)
    assert not covers([block("*", named="sg-2")], group)


def test_protocols_by_name_number_and_none() -> None:
    assert protocols("TCP") == protocols("6") == TCP
    assert protocols("-1") == protocols("all") == protocols("") == ALL
    assert protocols("quic") is None
    assert covers([block("0.0.0.0/0", 0, 65535, ALL)], [block("1.2.3.4/32", 53, 53, UDP)])


@given(st.lists(spans(2**33), max_size=5))
def test_cidrs_say_the_same_addresses(found: list[Span]) -> None:
    back = merged(span for text in cidrs(found) if (span := addresses(text)) is not None)
    assert back == merged(found)


def test_everywhere_is_both_families() -> None:
    assert cidrs([EVERYWHERE]) == ("0.0.0.0/0", "::/0")
