"""The rollout document: what it holds, and what it says of what is wrong in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.repos import Repo
from tests.rollout.helpers import rollout_of
from tidegate.change.git import open_repository
from tidegate.errors import InputError
from tidegate.rollout.document import Rollout, Unreadable
from tidegate.rollout.read import parse_rollout, read_rollout

GOOD = """time_zone = "Europe/Berlin"

[environments.staging]
tier = "low"

[environments.production]
tier = "high"
after = ["staging"]
bake_minutes = 30
[[environments.production.step]]
share = 0.1
changes = 5
[[environments.production.step]]
risk = 0.5

[calendars.holidays]
days = ["2026-12-25"]

[[freeze]]
name = "weekend"
environments = ["production"]
every = "week"
from = "Fri 16:00"
until = "Mon 08:00"

[[freeze]]
name = "holidays"
calendar = "holidays"

[[exception]]
covers = "freeze"
freeze = "weekend"
environment = "production"
people = ["alice", "bob"]
reason = "the invoices of March"
from = 2026-03-06
until = "2026-03-08"
"""


def test_a_document_holds_what_it_says() -> None:
    document = rollout_of(GOOD)
    assert [f.name for f in document.freezes] == ["weekend", "holidays"]
    assert document.environments["production"].approvals_asked == 1
    assert document.environments["production"].limits(0.05)[0].changes == 5
    assert document.environments["production"].limits(None)[0].risk == 0.5
    assert document.leaves[0].people == ("alice", "bob")
    assert document.digest != rollout_of(GOOD.replace("30", "31")).digest


def test_without_a_tier_an_environment_is_critical() -> None:
    assert rollout_of("[environments.production]\n").environments["production"].approvals_asked == 2


@pytest.mark.parametrize(
    ("old", "new", "line", "what", "mend"),
    [
        ('tier = "high"', 'tier = "hgh"', 7, '"hgh" is none of', "docs/gates.md"),
        ("bake_minutes", "bake_minuts", 9, "there is no key environments.production.bake_minuts", "bake_minutes"),
        ('after = ["staging"]', 'after = ["stging"]', 8, "stging", "did you mean staging?"),
        ("share = 0.1", "share = 1.5", 11, "step[0].share", "docs/gates.md"),
        ("risk = 0.5", "share = 0.05", 13, "not in the order of their share", "smallest first"),
        ('days = ["2026-12-25"]', 'days = ["2026-02-30"]', 17, "2026-02-30", "write it like"),
        ('"Mon 08:00"', '"Mon"', 24, "one end has a time of day", "write both"),
        ('"Fri 16:00"', '"Fry 16:00"', 23, "'Fry 16:00' says no moment", "Fri 16:00"),
        ('calendar = "holidays"', 'calendar = "holiday"', 28, "there is no calendar holiday", "holidays"),
        ('["alice", "bob"]', '["alice", "alice"]', 34, "two people", "people"),
        ("2026-03-08", "2026-05-08", 37, "longer than 14 days", "earlier"),
        ("2026-03-08", "2026-03-01", 37, "ends before it begins", "later"),
        ('time_zone = "Europe/Berlin"', 'time_zone = "Europe/Berln"', 0, "no time zone", "Europe/Berlin"),
        ('freeze = "weekend"', 'freeze = "weekends"', 32, "there is no freeze weekends", "weekend"),
        ('covers = "freeze"', 'covers = "policy"', 31, "is none of", "docs/gates.md"),
    ],
)
def test_an_error_names_its_line_and_how_to_mend_it(old: str, new: str, line: int, what: str, mend: str) -> None:
    assert GOOD.count(old) >= 1
    with pytest.raises(InputError) as error:
        parse_rollout(GOOD.replace(old, new, 1).encode())
    if line:
        assert error.value.where == f".tidegate/rollout.toml, line {line}"
    assert what in error.value.what
    assert mend in error.value.mend


def test_environments_do_not_come_after_themselves() -> None:
    with pytest.raises(InputError, match="after itself"):
        rollout_of('[environments.a]\nafter=["b"]\n[environments.b]\nafter=["a"]\n')


def test_it_is_read_from_the_tree_of_the_revision_and_from_nowhere_else(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    first = repo.commit("Begin", {"a": "1\n"})
    second = repo.commit("Write it", {".tidegate/rollout.toml": GOOD})
    repo.write(".tidegate/rollout.toml", "broken [")
    repo.git("rm", "-q", "--cached", ".tidegate/rollout.toml")
    (repo.path / ".tidegate/rollout.toml").unlink()
    (repo.path / ".tidegate/rollout.toml").symlink_to("/etc/hostname")
    third = repo.commit("Make it a link")
    fourth = repo.commit("Break it", {".tidegate/rollout.toml": None, ".tidegate/x": ""})
    with open_repository(repo.path) as repository:
        assert isinstance(read_rollout(repository, second), Rollout)
        for revision in (first, third, fourth, "0" * 40):
            assert isinstance(read_rollout(repository, revision), Unreadable)


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_anything_else_is_one_clear_error(content: bytes) -> None:
    with pytest.raises(InputError):
        parse_rollout(content)


@pytest.mark.parametrize("wrong", ["at_least = -1", "at_least = nan", "at_leats = 0.5"])
def test_what_is_wrong_in_an_optional_table_is_said(wrong: str) -> None:
    text = f'[environments.a]\n[environments.a.error_budget]\nquery = "x"\n{wrong}\n'
    with pytest.raises(InputError) as error:
        rollout_of(text)
    assert error.value.where.endswith(", line 4")


def test_a_time_zone_that_is_none_is_said_before_a_freeze_needs_it() -> None:
    with pytest.raises(InputError, match="no time zone 'Mars/Olympus'"):
        rollout_of('time_zone = "Mars/Olympus"\n[environments.a]\n')
