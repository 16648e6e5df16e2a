"""The fold of deployment events: whatever the order and however often, the same deployments."""

from __future__ import annotations

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tidegate.rollout.deployments import deployment_of, fold, joined, pack, progress_of, unpack
from tidegate.rollout.values import Deployment, DeploymentEvent

COMMIT = "a" * 40


def event(status: str, at: float, **more: object) -> DeploymentEvent:
    usual = DeploymentEvent(
        sender="github",
        key=f"{status}/{at}",
        at=at,
        deployment="1",
        status=status,  # type: ignore[arg-type]
        environment="production",
        service="pay",
    )
    return structs.replace(usual, **more)


def only(*events: DeploymentEvent) -> Deployment:
    (found,) = fold(events)
    return found


def test_a_deployment_starts_and_ends() -> None:
    start = event("started", 10, revision=COMMIT, actor="ada")
    assert only(start) == Deployment(
        id="github/1",
        environment="production",
        service="pay",
        status="started",
        started=10,
        revision=COMMIT,
        actor="ada",
        sender="github",
    )
    done = only(start, event("succeeded", 25, url="https://example.test/1"))
    assert (done.status, done.started, done.finished, done.revision, done.url) == (
        "succeeded",
        10,
        25,
        COMMIT,
        "https://example.test/1",
    )


def test_the_last_status_counts_and_of_two_at_once_the_graver() -> None:
    assert only(event("succeeded", 20), event("started", 10)).status == "succeeded"
    back = only(event("started", 10), event("succeeded", 20), event("rolled_back", 90))
    assert (back.status, back.finished) == ("rolled_back", 90)
    assert only(event("succeeded", 20), event("started", 20)).status == "succeeded"
    assert only(event("failed", 20), event("succeeded", 20)).status == "failed"
    again = only(event("failed", 20), event("started", 30))
    assert (again.status, again.finished) == ("started", None)
    assert only(event("failed", 20), event("started", 30), event("succeeded", 40)).finished == 40
    assert only(event("succeeded", 20), event("succeeded", 50)).finished == 20
    assert only(event("succeeded", 20), event("failed", 30), event("succeeded", 50)).finished == 50


def test_the_last_word_counts_and_silence_takes_nothing_back() -> None:
    found = only(
        event("started", 10, share=0.05, revision=COMMIT, action="roll_back"),
        event("started", 20, share=0.5, environment=""),
    )
    assert (found.share, found.revision, found.environment, found.action) == (0.5, COMMIT, "production", "roll_back")


def test_deployments_are_told_apart_by_sender_and_name() -> None:
    events = [event("started", 30), event("started", 10, sender="argo"), event("started", 20, deployment="2")]
    assert [each.id for each in fold(events)] == ["argo/1", "github/2", "github/1"]
    assert fold([]) == ()


texts = st.sampled_from(["", "a", "b"])
events = st.builds(
    DeploymentEvent,
    sender=st.sampled_from(["github", "argo"]),
    key=st.text("xyz", min_size=1, max_size=2),
    at=st.integers(0, 6).map(float),
    deployment=st.sampled_from(["1", "2"]),
    status=st.sampled_from(["started", "succeeded", "failed", "rolled_back", "cancelled"]),
    environment=texts,
    service=texts,
    revision=texts,
    share=st.sampled_from([None, 0.05, 1.0]),
    actor=texts,
    action=st.sampled_from(["deploy", "roll_back"]),
)


@given(given=st.lists(events, max_size=8), data=st.data())
def test_any_permutation_with_repeats_gives_the_same_deployments(
    given: list[DeploymentEvent], data: st.DataObject
) -> None:
    repeats = data.draw(st.lists(st.sampled_from(given), max_size=6)) if given else []
    assert fold(data.draw(st.permutations([*given, *repeats]))) == fold(given)


@given(given=st.lists(events, min_size=1, max_size=8), data=st.data())
def test_in_whatever_parts_it_is_joined_and_kept(given: list[DeploymentEvent], data: st.DataObject) -> None:
    mine = [structs.replace(each, sender="github", deployment="1") for each in given]
    cut = data.draw(st.integers(0, len(mine)))
    parts = [[progress_of(each) for each in part] for part in (mine[:cut], mine[cut:]) if part]
    kept = [unpack(pack(reduce(joined, part))) for part in parts]
    assert (deployment_of(reduce(joined, kept)),) == fold(mine)
