"""The impact of a change: what it touches, what it reaches, how hard it is to take back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tidegate.facts import ChangeFacts, Effect, FileFact, Infra, Intent, Reach, Unknown
from tidegate.risk.impact import impact_of


def change_of(*domains: str, critical: bool = False, kind: str = "source", rollback: str = "") -> ChangeFacts:
    file = FileFact("a.py", "a.py", "modified", kind, "Python", 5, 1, False, False, False, domains, critical)  # type: ignore[arg-type]
    return ChangeFacts(
        status="complete",
        files=(file,),
        domains=domains,
        critical_domains=domains if critical else (),
        intent=Intent(rollback=rollback),
    )


KNOWN = Reach(status="complete")


def test_a_change_that_touches_and_reaches_nothing_hits_nothing() -> None:
    impact = impact_of(change_of(), KNOWN, Infra(status="complete"))
    assert (impact.value, impact.band, impact.factors, impact.unknowns) == (0.0, "low", (), ())


def test_each_reason_is_said_with_its_share_the_largest_first() -> None:
    reach = Reach(status="complete", services=("pay", "web"), critical_services=("pay",), entry_points=("GET /a",))
    impact = impact_of(change_of("auth", critical=True), reach, Infra(status="complete"))
    assert [(factor.name, factor.words) for factor in impact.factors] == [
        ("critical-services", "can affect pay, critical"),
        ("critical-domains", "touches auth"),
        ("services", "can affect 1 service more"),
        ("entry-points", "can affect 1 entry point"),
    ]
    left = 0.65 * 0.7 * 0.92 * 0.97
    assert impact.value == round(1 - left, 4)
    assert impact.band == "high"


def test_documents_and_tests_about_a_critical_area_hit_nothing() -> None:
    for kind in ("docs", "test"):
        assert impact_of(change_of("auth", critical=True, kind=kind), KNOWN, Infra(status="complete")).value == 0.0


def test_what_a_revert_does_not_take_back_weighs_less_with_a_plan() -> None:
    bare = impact_of(change_of("migrations"), KNOWN, Infra(status="complete"))
    planned = impact_of(change_of("migrations", rollback="run down.sql"), KNOWN, Infra(status="complete"))
    assert 0.0 < planned.value < bare.value
    assert "no way back is described" in bare.factors[0].words


def test_an_effect_on_infrastructure_counts_by_its_severity() -> None:
    effects = (Effect("destroy", "critical", "aws_db_instance.main", "is destroyed", False),)
    impact = impact_of(change_of(), KNOWN, Infra(status="complete", effects=effects, effects_total=3))
    assert (impact.value, impact.band) == (0.75, "high")
    assert impact.factors[0].words == "aws_db_instance.main: is destroyed and 2 more"


def test_what_could_not_be_told_leaves_the_impact_unknown_and_says_the_least_that_it_is() -> None:
    lost = Reach(status="partial", unknowns=(Unknown("reach.services", "no manifest could be read"),))
    impact = impact_of(change_of("auth", critical=True), lost, Infra(status="complete"))
    assert [unknown.path for unknown in impact.unknowns] == ["risk.impact", "risk.impact_band"]
    assert (
        impact.unknowns[0].reason == "how far it reaches is not known (no manifest could be read); it is 0.30 at least"
    )


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 3000), st.integers(0, 3), st.booleans())
def test_one_more_reason_never_makes_it_smaller(
    services: int, points: int, symbols: int, critical: int, more: bool
) -> None:
    def impact(extra: int) -> float:
        names = tuple(f"s{n}" for n in range(services + critical + extra))
        reach = Reach(
            status="complete",
            services=names,
            critical_services=names[:critical],
            entry_points=tuple(f"p{n}" for n in range(points + extra)),
            reached=symbols + extra,
        )
        return impact_of(change_of("auth", "payments", critical=more), reach, Infra(status="complete")).value

    assert 0.0 <= impact(0) <= impact(1) <= 1.0
