"""A measured service graph says who calls a service that a change reaches."""

from __future__ import annotations

import json
from pathlib import Path

from tests.reach.test_traffic import span
from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.reach.journey import read_reach

COMPOSE = "services:\n  web:\n    build: ./web\n  cart:\n    build: ./cart\n"


def test_whoever_was_seen_calling_a_reached_service_is_reached(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    image = "FROM scratch\nCOPY . .\n"
    files = {"compose.yaml": COMPOSE, "web/Dockerfile": image, "cart/Dockerfile": image, "web/a.py": "A = 1\n"}
    repo.commit("start", {**files, "cart/b.py": "def total():\n    return 1\n"})
    repo.commit("change", {"cart/b.py": "def total():\n    return 2\n"})
    seen = tmp_path / "spans.jsonl"
    lines = [span("web", ("2", "1"), 100, "call", kind=3), span("cart", ("3", "2"), 105, "shop.Cart/Get", kind=2)]
    seen.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with open_repository(repo.path) as repository:
        plain = read_reach("HEAD~1..HEAD", repository, environment={})
        measured = read_reach("HEAD~1..HEAD", repository, environment={}, traffic=str(seen))
    assert {one.service.name: one.how for one in plain.services} == {"cart": "built"}
    assert {one.service.name: one.how for one in measured.services} == {"cart": "built", "web": "calls"}
