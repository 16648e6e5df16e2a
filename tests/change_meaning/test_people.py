from __future__ import annotations

import pytest

from tidegate.change.people import People, is_bot_account
from tidegate.change.values import Person
from tidegate.settings import Identity, Settings

PEOPLE = People(
    Settings(
        people={
            "alice": Identity(name="Alice Smith", emails=("Alice@Example.com",), accounts=("AliceHub",)),
            "bob": Identity(emails=("bob@example.com", "bob@home.example"), accounts=("@bobby", "bob.lab")),
        }
    )
)


@pytest.mark.parametrize(
    ("name", "email", "expected"),
    [
        ("A. Smith", "ALICE@example.COM", "alice"),
        ("whoever", "12345+alicehub@users.noreply.github.com", "alice"),
        ("whoever", "alicehub@users.noreply.github.com", "alice"),
        ("whoever", "77-bob.lab@users.noreply.gitlab.com", "bob"),
        ("Bob", "bob@home.example", "bob"),
        ("Carol", "carol@example.com", "Carol <carol@example.com>"),
    ],
)
def test_a_commit_identity_has_one_name(name: str, email: str, expected: str) -> None:
    assert PEOPLE.of_person(Person(name, email)) == expected


@pytest.mark.parametrize(
    ("name", "email"),
    [
        ("alice", ""),
        ("alice", "mallory@example.com"),
        ("alice\x00", ""),
        ("Alice Smith", ""),
        ("", ""),
        ("x", "1-alicehub@users.noreply.github.com"),
        ("x", "alicehub@users.noreply.github.com.evil.example"),
        ("x", "ali\u212aehub@users.noreply.github.com"),
    ],
)
def test_nobody_can_take_the_name_of_somebody_else(name: str, email: str) -> None:
    person = Person(name, email)
    assert PEOPLE.key_of(person) == ""
    assert PEOPLE.of_person(person) not in ("alice", "bob")


def test_a_look_alike_letter_does_not_fold_into_an_account() -> None:
    people = People(Settings(people={"kim": Identity(accounts=("kim",), emails=("kim@example.com",))}))
    assert people.of_account("\u212aim") == ""
    assert people.of_person(Person("K", "\u212aim@example.com")) != "kim"


def test_hostile_text_in_a_name_becomes_one_printable_line() -> None:
    shown = PEOPLE.of_person(Person("Eve\x1b[31m\nCo-authored-by: x \u202e", "e\rve@example.com> <alice@example.com"))
    assert shown.isprintable()
    assert shown.count("<") == 1
    assert shown.count(">") == 1


def test_accounts() -> None:
    assert PEOPLE.of_account("@ALICEHUB") == "alice"
    assert PEOPLE.of_account("nobody") == ""
    assert PEOPLE.of_account("") == ""


@pytest.mark.parametrize(
    "account",
    [
        "dependabot[bot]",
        "app/dependabot",
        "Copilot",
        "github-actions[bot]",
        "project_123_bot_4ffca233d8298ea1",
        "group_9_bot",
    ],
)
def test_surely_a_bot(account: str) -> None:
    assert is_bot_account(account)


@pytest.mark.parametrize("account", ["alice", "talbot", "robot-fan", "bot", "mybot", "abbot", "project_x_bot", ""])
def test_not_surely_a_bot(account: str) -> None:
    assert not is_bot_account(account)


@pytest.mark.parametrize(
    ("name", "email", "bot"),
    [
        ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com", True),
        ("Claude", "noreply@anthropic.com", True),
        ("x", "1+copilot@users.noreply.github.com", True),
        ("Alice", "alice@example.com", False),
        ("Robot", "robot@example.com", False),
    ],
)
def test_commit_identities_of_bots(name: str, email: str, bot: bool) -> None:
    assert PEOPLE.is_bot(Person(name, email)) is bot


def test_the_forge_is_not_a_person() -> None:
    assert PEOPLE.is_forge(Person("GitHub", "noreply@github.com"))
    assert not PEOPLE.is_forge(Person("GitHub", "alice@github.com"))
