"""What became of changes, kept on both databases: the last word of each who says something stands."""

from __future__ import annotations

from msgspec import structs
from msgspec.structs import replace

from tests.store.world import at, small_world
from tidegate.operate.outcomes import Became, Incident, Past
from tidegate.server.production.outcomes import Place, _write
from tidegate.store import incidents, outcomes, repositories
from tidegate.store.engine import Database
from tidegate.store.incidents import NewIncident
from tidegate.store.outcomes import NewOutcome, Result

BAD, OTHER = "a" * 40, "b" * 40


def said(repository: int, **changed: object) -> NewOutcome:
    usual = NewOutcome(
        repository=repository,
        environment="production",
        revision=BAD,
        by="incident-1",
        result="incident",
        weight=0.75,
        deployed=100.0,
        known=200.5,
    )
    return structs.replace(usual, **changed)


def test_the_same_again_changes_nothing_and_anything_else_is_written_over(database: Database) -> None:
    with database.write() as connection:
        here = small_world(connection).repository
        assert outcomes.put(connection, said(here), at(1))
        assert not outcomes.put(connection, said(here), at(2))
        (first,) = outcomes.page(connection)
        assert (first.weight, first.changed_at, first.entry) == (0.75, at(1), None)
        assert outcomes.set_entry(connection, first, 7)
        assert outcomes.unrecorded(connection) == ()

        assert outcomes.put(connection, said(here, weight=1.0), at(3))
        (second,) = outcomes.unrecorded(connection)
        assert (second.id, second.weight, second.changed_at) == (first.id, 1.0, at(3))
        assert not outcomes.set_entry(connection, first, 8), "the entry tells of what was said before"
        assert outcomes.set_entry(connection, second, 8)
        outcomes.say_again(connection, second.id, at(4))
        (again,) = outcomes.unrecorded(connection)
        assert (again.id, again.weight, again.changed_at) == (second.id, 1.0, at(4))

        assert outcomes.put(connection, said(here, by=OTHER, result="fixed"), at(4))
        assert outcomes.put(connection, said(here, environment="test"), at(4))
        assert len(outcomes.page(connection, environment="production")) == 2
        assert [one.result for one in outcomes.page(connection, result="fixed")] == ["fixed"]
        assert [one.result for one in outcomes.page(connection, after=second.id, most=1)] == ["fixed"]
        assert outcomes.page(connection, repository=here + 1) == ()
        assert outcomes.page(connection, revision=OTHER) == ()


def test_what_is_taken_back_stands_no_more_and_is_told_to_the_ledger(database: Database) -> None:
    with database.write() as connection:
        here = small_world(connection).repository
        outcomes.put(connection, said(here), at(1))
        outcomes.put(connection, said(here, revision=OTHER, by="", result="clean", weight=1.0), at(1))
        found = outcomes.said_by(connection, "production", ["incident-1", "incident-2"])
        assert [one.revision for one in found] == [BAD]
        assert outcomes.said_by(connection, "test", ["incident-1"]) == ()
        assert [one.revision for one in outcomes.clean(connection, here, "production", [BAD, OTHER])] == [OTHER]

        assert outcomes.take_back(connection, found, at(2)) == 1
        assert outcomes.take_back(connection, found, at(3)) == 0
        assert [one.revision for one in outcomes.page(connection)] == [OTHER]
        assert [(one.revision, one.weight) for one in outcomes.unrecorded(connection)] == [(BAD, 0.0), (OTHER, 1.0)]

        assert outcomes.put(connection, said(here), at(4)), "and may be said again"
        assert len(outcomes.page(connection)) == 2


def test_a_sweep_writes_what_is_new_and_takes_back_what_is_said_no_more(database: Database) -> None:
    def became(commit: str, result: Result, by: str, weight: float) -> Became:
        return Became(commit=commit, result=result, by=by, weight=weight, deployed=10.0, known=20.0)

    with database.write() as connection:
        here = small_world(connection).repository
        repository = repositories.get(connection, here)
        assert repository is not None
        place = Place("production", repository, (), ())
        told = Incident(id="1", started=5.0, causes={}, settled=True, traced=True)

        def write(*found: Became, minute: int, settled: bool = True) -> int:
            past = Past(incidents=[replace(told, settled=settled)])
            return _write(connection, place, past, found, at(minute))

        def stands() -> list[tuple[str, str, float]]:
            return sorted((one.revision[:1], one.result, one.weight) for one in outcomes.page(connection))

        clean = (became(BAD, "clean", "", 1.0), became(OTHER, "clean", "", 1.0))
        assert write(*clean, minute=1) == 2
        assert write(*clean, minute=2) == 0
        assert write(minute=2) == 0, "what lies too far back to be judged again stands"
        trace = became(BAD, "incident", "incident-1", 0.7)
        assert write(trace, clean[1], minute=3) == 2
        assert stands() == [("a", "incident", 0.7), ("b", "clean", 1.0)]
        assert write(clean[1], minute=4, settled=False) == 0, "an incident that began again still says what it said"
        assert write(became(OTHER, "incident", "incident-1", 1.0), minute=5) == 3
        assert stands() == [("b", "incident", 1.0)]
        assert write(*clean, minute=6) == 3
        assert stands() == [("a", "clean", 1.0), ("b", "clean", 1.0)]
        later = replace(became(BAD, "fixed", OTHER, 0.5), deployed=15.0, redeploys=1)
        assert write(replace(later, deployed=10.0, redeploys=3), minute=7) == 2
        assert write(later, minute=8) == 0, "what was known of an earlier time is not forgotten"


def test_incidents_are_found_by_the_files_that_their_causes_touched(database: Database) -> None:
    with database.write() as connection:
        here = small_world(connection).repository
        numbers = []
        for number, started in enumerate((100.0, 300.0)):
            new = NewIncident(
                key=f"i{number}", title="Errors", severity="high", started=started, environment="production"
            )
            numbers.append(incidents.open_incident(connection, new, at(1)).incident.id)
        for identifier in numbers:
            outcomes.put(connection, said(here, by=f"incident-{identifier}"), at(1))
        outcomes.put(connection, said(here, by=f"incident-{numbers[1]}", revision=OTHER, weight=0.25), at(1))
        outcomes.keep_paths(connection, numbers[0], BAD, ["shop/pay.py", "shop/pay_test.py"])
        outcomes.keep_paths(connection, numbers[1], BAD, ["shop/pay.py", "shop/pay.py"])
        outcomes.keep_paths(connection, numbers[1], OTHER, ["shop/cart.py"])

        def at_path(path: str, **more: int) -> list[tuple[int, str]]:
            return [(one.id, out.revision) for one, out in outcomes.incidents_at(connection, path, **more)]

        old, new_ = numbers
        assert at_path("shop/pay.py") == [(new_, BAD), (old, BAD)]
        assert at_path("/shop/cart.py") == [(new_, OTHER)]
        assert at_path("shop/") == [(new_, BAD), (new_, OTHER), (old, BAD)]
        assert at_path("") == at_path("shop")
        assert at_path("shop", most=1) == [(new_, BAD)]
        assert at_path("sho") == at_path("shop/pay") == at_path("shop/p%") == []
        assert at_path("shop", repository=here + 1) == []
        assert outcomes.has_paths(connection, old, BAD)
        assert not outcomes.has_paths(connection, old, OTHER)

        outcomes.take_back(connection, outcomes.said_by(connection, "production", [f"incident-{new_}"]), at(2))
        assert at_path("shop") == [(old, BAD)], "whoever is accused no more is found no more"
