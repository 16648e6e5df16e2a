"""What senders, repositories and models put into words about production is shown, and does nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct
from msgspec.structs import replace
from playwright.sync_api import Page
from sqlalchemy import update

from tests.server.console import production
from tests.server.console.house import House
from tests.server.console.production import Story
from tests.server.console.test_hostile import BAD
from tidegate.operate.environment.values import (
    Call,
    Contradiction,
    Drift,
    Fact,
    Map,
    Name,
    Route,
    Said,
    Service,
    SourceRead,
    UnmonitoredRoute,
    Watch,
)
from tidegate.operate.investigate.values import Conflict
from tidegate.server.console.map_drawing import draw_map
from tidegate.server.console.render import Page as Frame
from tidegate.server.console.render import render
from tidegate.server.production.document import read_kept
from tidegate.store import incidents
from tidegate.store.clock import now
from tidegate.store.incidents import Finding
from tidegate.store.tables import alerts as alerts_table
from tidegate.store.tables import canaries as canaries_table
from tidegate.store.tables import deployments as deployments_table
from tidegate.store.tables import gates as gates_table
from tidegate.store.tables import incidents as incidents_table
from tidegate.store.tables import regressions as regressions_table

URL = 'https://evil.test/"onmouseover="window.hacked=10"><script>window.hacked=11</script>'


def poisoned(value: Any) -> Any:
    """The same with the payload in every text that is not one of a few words."""
    if isinstance(value, Struct):
        fields = {
            name: BAD if hint == "str" and name != "id" else poisoned(getattr(value, name))
            for name, hint in type(value).__annotations__.items()
            if name in value.__struct_fields__
        }
        return replace(value, **fields)
    if isinstance(value, Mapping):
        return {BAD if name else name: poisoned(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return tuple(BAD if isinstance(each, str) else poisoned(each) for each in value)
    return value


@pytest.fixture
def poison(house: House) -> Story:
    story = production.tell(house)
    with house.service.database.write() as connection:
        kept = read_kept(incidents.document(connection, story.incident))
        said = replace(kept.investigation, conflicts=(Conflict(one="x", other="y", sources=("z",)),))
        bad = poisoned(replace(kept, investigation=said))
        bad = replace(bad, decided={BAD: next(iter(bad.decided.values()))}, made_at=now())
        finding = Finding(document=msgspec.json.encode(bad), deployment=story.bad, revision=BAD, probability=0.5)
        incidents.record(connection, story.incident, finding, now())
        connection.execute(update(incidents_table).values(title=BAD, environment=BAD, service=BAD, cause=BAD))
        connection.execute(
            update(alerts_table).values(name=BAD, environment=BAD, service=BAD, summary=BAD, url=URL, sender=BAD)
        )
        words = {"environment": BAD, "service": BAD, "revision": BAD, "previous": BAD, "artifact": BAD, "actor": BAD}
        connection.execute(
            update(deployments_table).values(**words, repository="javascript:window.hacked=12", url=URL, sender=BAD)
        )
        where = {"environment": BAD, "service": BAD, "revision": BAD}
        connection.execute(update(gates_table).values(**where, asked_by=BAD))
        connection.execute(update(canaries_table).values(**where, name=BAD, asked_by=BAD))
        connection.execute(update(regressions_table).values(service=BAD, metric=BAD))
    return story


def test_nothing_of_production_acts_on_any_page(as_person: Callable[..., Page], house: House, poison: Story) -> None:
    page = as_person("root")
    for path in (
        "/",
        "/incidents",
        f"/incidents/{poison.incident}",
        "/deployments",
        f"/deployments/{poison.bad}",
        f"/deployments/{poison.good}",
        f"/changes/{house.change}",
        "/map",
    ):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        page.mouse.move(200, 400)
        assert page.evaluate("window.hacked") is None, path
        assert page.locator("main script, main img:not([src]), main iframe, [onerror], [onload]").count() == 0, path
        assert page.locator("[onmouseover], main image, main foreignObject, main use").count() == 0, path
        links = page.locator("main a").evaluate_all(
            "all => all.map((each) => [each.href?.baseVal ?? each.href, each.rel])"
        )
        for href, rel in links:
            ours = href.startswith((house.url, "#"))
            assert ours or (href.startswith("https://evil.test/") and rel == "noopener noreferrer"), (path, href)
    page.goto(f"/incidents/{poison.incident}")
    assert "<script>window.hacked=1</script>" in page.locator("main").inner_text()


def test_a_map_of_payloads_is_drawn_and_does_nothing(as_person: Callable[..., Page], tmp_path: Path) -> None:
    said = (Said(source="code", where=BAD, guess=BAD),)
    fact = Fact(value=BAD, said=said)
    one = Service(
        name=BAD,
        kind="service",
        said=said,
        names=(Name(name="other", source="code", rule=BAD, guess=True),),
        owners=(fact, fact),
        tiers=(fact,),
        revisions=(fact,),
        routes=(Route(method=BAD, path=BAD, said=said),),
        calls=(Call(target="other", said=said),),
        watches=(Watch(rule=BAD, said=said[0]),),
    )
    made = Map(
        environment=BAD,
        sources=(SourceRead(source="code", where=BAD, says=BAD),),
        services=(one, Service(name="other", kind="peer", said=said)),
        contradictions=(Contradiction(kind="owner", service=BAD, says=BAD, left=fact, right=fact),),
        unowned=(BAD,),
        unmonitored=(BAD,),
        unmonitored_routes=(UnmonitoredRoute(service=BAD, route=BAD),),
        drift=(Drift(kind="in no code", name=BAD, says=BAD, said=said),),
        unknowns=(BAD,),
    )
    drawn = {"map": made, "picture": draw_map(made), "at": 1.0, "problem": "", "mend": ""}
    html = render(
        Frame("Map", "/map", now()),
        "map.html",
        environment=BAD,
        environments=(BAD,),
        drawn=drawn,
        map=made,
        making=False,
        routes_unwatched=((BAD, (BAD,)),),
        most_routes=8,
    ).body
    page = as_person()
    page.set_content(bytes(html).decode())
    assert page.evaluate("window.hacked") is None
    assert page.locator("main script, main img, main iframe, [onerror], [onload], main foreignObject").count() == 0
    assert page.locator("svg.map a").count() == 2
