"""Under which names a repository is installed elsewhere."""

from __future__ import annotations

from pathlib import Path

from tests.repos import build
from tidegate.change.git import open_repository
from tidegate.operate.packages import read_packages


def test_manifests_name_the_packages_and_hostile_ones_name_none(tmp_path: Path) -> None:
    repo = build(
        tmp_path / "repo",
        """
        commit Start
          file package.json
            . {"name": "@acme/shop", "version": "1"}
          file web/package.json
            . {"name": ["not", "a", "name"]}
          file deep/package.json
            . [[[[
          file go.mod
            . module github.com/acme/shop
          file shop.gemspec
            . spec
        """,
    )
    with open_repository(repo.path) as repository:
        head = repository.resolve("HEAD")
        paths = repository.run("ls-tree", "-r", "--name-only", head).decode().split()
        assert read_packages(repository, head, paths) == {"@acme/shop", "github.com/acme/shop", "shop"}
