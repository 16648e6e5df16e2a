"""Dependencies that a change brings: manifests and locks at both sides, names, sources, locks and imports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given as for_any
from hypothesis import settings as run_settings
from hypothesis import strategies as st

from tests.repos import Repo
from tests.verify.changes import subject_of
from tidegate.change.git import open_repository
from tidegate.change.read import Question, read_change, read_ends
from tidegate.change.trees import GitTree, Trees, pairs_of
from tidegate.facts import DependencyFact
from tidegate.settings import DependencySettings, Settings
from tidegate.verify.dependencies.check import check
from tidegate.verify.dependencies.manifests.registry import LOCKS, MANIFESTS, read_listing
from tidegate.verify.dependencies.near import near_miss, skeletons_of
from tidegate.verify.dependencies.values import UnreadableError
from tidegate.verify.dependencies.versions import allows
from tidegate.verify.values import Part, Subject

Files = dict[str, "str | None"]


def part_of(path: Path, base: Files, head: Files, **asked: tuple[str, ...]) -> Part:
    """What the check says of the change from `base` to `base` with `head` over it."""
    repo = Repo.init(path)
    repo.commit("Begin", {"README": "x\n", **base})
    repo.commit("Change", head)
    settings = Settings(dependencies=DependencySettings(**asked))
    with open_repository(path) as repository:
        change = read_change(read_ends(Question(change="HEAD^..HEAD"), repository), repository, settings)
        trees = Trees(GitTree(repository, change.base_tree), GitTree(repository, change.head_tree), pairs_of(change))
        return check(Subject(change=change, trees=trees, settings=settings))


def rules(part: Part) -> list[tuple[str, str, str]]:
    return [(one.rule, one.severity, str(one.place)) for one in part.findings]


def pyproject(*names: str) -> str:
    return (
        f'[project]\nname = "shop"\ndependencies = [\n{"".join(f"  {json.dumps(name)},{chr(10)}" for name in names)}]\n'
    )


def uv_lock(*names: str, digest: bool = True) -> str:
    wheels = 'wheels = [{ url = "https://files.pythonhosted.org/x.whl", hash = "sha256:00" }]\n' if digest else ""
    blocks = [
        f'[[package]]\nname = "{name}"\nversion = "1.0"\n'
        f'source = {{ registry = "https://pypi.org/simple" }}\n{wheels}\n'
        for name in names
    ]
    needs = "".join(f'    {{ name = "{name}" }},\n' for name in names)
    own = f'[[package]]\nname = "shop"\nversion = "0"\nsource = {{ editable = "." }}\ndependencies = [\n{needs}]\n'
    return f"version = 1\n\n{''.join(blocks)}{own}"


def test_a_new_name_that_nothing_vouches_for(tmp_path: Path) -> None:
    part = part_of(tmp_path, {"pyproject.toml": pyproject()}, {"pyproject.toml": pyproject("quick-json-helper>=2")})
    (fact,) = part.fields["dependencies"]
    assert isinstance(fact, DependencyFact)
    assert (fact.name, fact.ecosystem, fact.change, fact.after) == ("quick-json-helper", "pypi", "added", ">=2")
    assert (fact.evidence, str(fact.place)) == ("unknown", "pyproject.toml:4")
    assert part.fields["unknown_dependencies"] == ("quick-json-helper",)
    assert rules(part) == [("dependency-unknown", "medium", "pyproject.toml:4")]


def test_a_lock_with_a_digest_vouches_and_one_without_does_not(tmp_path: Path) -> None:
    base: Files = {"pyproject.toml": pyproject(), "uv.lock": uv_lock()}
    head: Files = {"pyproject.toml": pyproject("cachelet"), "uv.lock": uv_lock("cachelet")}
    part = part_of(tmp_path / "a", base, head)
    assert part.fields["dependencies"][0].evidence == "locked"
    assert part.fields["unknown_dependencies"] == ()
    head["uv.lock"] = uv_lock("cachelet", digest=False)
    assert part_of(tmp_path / "b", base, head).fields["unknown_dependencies"] == ("cachelet",)


def test_the_lists_of_the_organisation(tmp_path: Path) -> None:
    head: Files = {"package.json": json.dumps({"dependencies": {"@acme/ui": "1.0.0", "left-out": "1.0.0"}}, indent=1)}
    part = part_of(tmp_path, {}, head, allow=("@acme/*",), deny=("left-*",))
    assert {one.name: one.evidence for one in part.fields["dependencies"]} == {
        "@acme/ui": "allowed",
        "left-out": "unknown",
    }
    assert rules(part) == [("dependency-denied", "high", "package.json:4")]


@pytest.mark.parametrize(
    ("name", "known"),
    [("reqeusts", "requests"), ("request5", "requests"), ("python-requests", "requests"), ("date-util", "dateutil")],
)
def test_near_misses(name: str, known: str) -> None:
    names = frozenset(("requests", "dateutil", "flask"))
    assert near_miss(name, names, skeletons_of(names))[0] == known


def test_names_that_are_known_or_far_are_no_near_miss() -> None:
    names = frozenset(("requests", "attrs"))
    assert [near_miss(name, names, skeletons_of(names))[0] for name in ("requests", "structlog", "att")] == ["", "", ""]


def test_sources_beside_the_registry(tmp_path: Path) -> None:
    head: Files = {
        "requirements.txt": "--extra-index-url https://pkgs.evil.example/simple\n"
        "flask @ git+https://github.com/x/flask\n"
        "six @ git+https://github.com/acme/six@" + "a" * 40 + "\n"
    }
    part = part_of(tmp_path / "a", {}, head)
    assert [one for one in rules(part) if one[0] == "source-not-registry"] == [
        ("source-not-registry", "high", "requirements.txt:2"),
        ("source-not-registry", "medium", "requirements.txt:3"),
        ("source-not-registry", "high", "requirements.txt:1"),
    ]
    allowed = part_of(tmp_path / "b", {}, head, sources=("pkgs.evil.example", "https://github.com/"))
    assert not [one for one in rules(allowed) if one[0] == "source-not-registry"]


def test_what_a_lock_of_npm_brings_along(tmp_path: Path) -> None:
    def lock(**packages: object) -> str:
        root = {"dependencies": {"left": "^1.0.0"}}
        return json.dumps({"lockfileVersion": 3, "packages": {"": root, **packages}}, indent=1)

    left = {"version": "1.0.0", "integrity": "sha512-x", "license": "MIT"}
    evil = {
        "version": "1.0.0",
        "resolved": "https://evil.example/e.tgz",
        "hasInstallScript": True,
        "license": "GPL-3.0",
    }
    manifest = json.dumps({"dependencies": {"left": "^1.0.0"}})
    base: Files = {"package.json": manifest, "package-lock.json": lock(**{"node_modules/left": left})}
    head: Files = {"package-lock.json": lock(**{"node_modules/left": left, "node_modules/evil": evil})}
    found = {rule for rule, _, _ in rules(part_of(tmp_path, base, head, licences=("MIT",)))}
    assert found == {"install-script", "source-not-registry", "licence-not-allowed", "lock-disagrees"}


def test_a_manifest_that_its_lock_does_not_follow(tmp_path: Path) -> None:
    base: Files = {"pyproject.toml": pyproject("six==1.0"), "uv.lock": uv_lock("six")}
    part = part_of(tmp_path, base, {"pyproject.toml": pyproject("six==2.0", "flask")})
    assert [one.message.partition(", ")[0] for one in part.findings if one.rule == "lock-disagrees"] == [
        "pyproject.toml asks for flask",
        "pyproject.toml asks for six ==2.0",
    ]
    assert ("major-changed", "note", "pyproject.toml:4") in rules(part)


@pytest.mark.parametrize(
    ("manager", "stale", "evidence", "said"),
    [
        ("", "pnpm-lock.yaml", "unknown", ["pnpm-lock.yaml does not hold. Which of package-lock.json and pnpm-lock"]),
        ("", "package-lock.json", "unknown", ["package-lock.json does not hold. Which of package-lock.json and pnpm"]),
        ("pnpm@9.1.0+sha512.00", "package-lock.json", "locked", []),
        ("pnpm@9.1.0", "pnpm-lock.yaml", "unknown", ["pnpm-lock.yaml does not hold."]),
        ("npm@10.2.0", "pnpm-lock.yaml", "locked", []),
        ("npm@10.2.0", "package-lock.json", "unknown", ["package-lock.json does not hold."]),
    ],
)  # fmt: skip
def test_which_of_two_locks_counts(tmp_path: Path, manager: str, stale: str, evidence: str, said: list[str]) -> None:
    def manifest(*names: str) -> str:
        table: dict[str, object] = {"dependencies": dict.fromkeys(names, "^1.0.0")}
        return json.dumps({**table, **({"packageManager": manager} if manager else {})}, indent=1)

    def locks(*names: str) -> dict[str, str | None]:
        entry = {"version": "1.0.0", "integrity": "sha512-x"}
        packages = {f"node_modules/{name}": entry for name in names}
        held = "".join(f"  {name}@1.0.0:\n    resolution: {{integrity: sha512-x}}\n\n" for name in names)
        asked = "".join(f"      {name}:\n        specifier: ^1.0.0\n        version: 1.0.0\n" for name in names)
        return {
            "package-lock.json": json.dumps({"lockfileVersion": 3, "packages": {"": {}, **packages}}),
            "pnpm-lock.yaml": "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n"
            f"{asked}\npackages:\n\n{held}",
        }

    base: Files = {"package.json": manifest("left"), **locks("left")}
    head: Files = {"package.json": manifest("left", "right"), **locks("left", "right"), stale: locks("left")[stale]}
    part = part_of(tmp_path, base, head)
    found = [one.message.partition(", which ")[2] for one in part.findings if one.rule == "lock-disagrees"]
    assert [text[: len(wanted)] for text, wanted in zip(found, said, strict=True)] == said
    facts = part.fields["dependencies"]
    assert isinstance(facts, tuple)
    assert [one.evidence for one in facts if one.name == "right"] == [evidence]


def test_versions_that_are_let_loose(tmp_path: Path) -> None:
    part = part_of(tmp_path, {"requirements.txt": "six==1.16.0\n"}, {"requirements.txt": "six\n"})
    assert rules(part) == [("version-loosened", "medium", "requirements.txt:1")]


@pytest.mark.parametrize(
    ("spec", "version", "expected"),
    [("^1.2.0", "1.9.0", True), ("^1.2.0", "2.0.0", False), ("^0.2.1", "0.3.0", False), ("~1.2.0", "1.3.0", False),
     (">=1.0.0 <2.0.0", "1.5.0", True), ("1.x", "1.4.0", True), ("latest", "9.0.0", True), ("1 || 2", "3.0.0", None)],
)  # fmt: skip
def test_ranges_of_npm(spec: str, version: str, expected: bool | None) -> None:
    assert allows("npm", spec, version) is expected


PYTHON = """\
import os, json
import quickjsontools
import yaml
import shop.prices
from typing import TYPE_CHECKING
try:
    import orjson
except ImportError:
    orjson = None
if TYPE_CHECKING:
    import numpy
import importlib
importlib.import_module("flaskhelperplus.core")
text = "import nothing_at_all"
"""


def test_imports_of_python_that_nothing_declares(tmp_path: Path) -> None:
    base: Files = {"pyproject.toml": pyproject("pyyaml"), "src/shop/__init__.py": "", "src/shop/prices.py": "x = 1\n"}
    part = part_of(tmp_path, base, {"src/shop/cart.py": PYTHON})
    assert rules(part) == [
        ("import-undeclared", "high", "src/shop/cart.py:2"),
        ("import-undeclared", "high", "src/shop/cart.py:13"),
    ]


def test_an_import_that_was_there_is_not_added(tmp_path: Path) -> None:
    base: Files = {"a.py": "import quickjsontools\n"}
    assert rules(part_of(tmp_path, base, {"a.py": "import quickjsontools  # again\n"})) == []


def test_imports_of_typescript_that_nothing_declares(tmp_path: Path) -> None:
    base: Files = {
        "package.json": json.dumps({"name": "shop", "dependencies": {"react": "19.0.0"}}),
        "tsconfig.json": '{"compilerOptions": {"paths": {"@app/*": ["./src/*"]}, /* c */ }}',
    }
    source = (
        'import React from "react/jsx-runtime";\nimport fs from "node:fs";\nimport x from "@app/x";\n'
        'import y from "./y";\n// import z from "commented-out-thing";\nimport q from "quick-json-tools-ts";\n'
        'const l = require("lodash");\n'
    )
    assert rules(part_of(tmp_path, base, {"src/a.ts": source})) == [
        ("import-undeclared", "high", "src/a.ts:6"),
        ("import-undeclared", "medium", "src/a.ts:7"),
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pyproject.toml", "a = " + "[" * 5000 + "]" * 5000),
        ("package.json", "[" * 100_000),
        ("setup.py", "x = " + "(" * 5000 + ")" * 5000),
        ("pyproject.toml", "\udcff"),
        ("yarn.lock", "a: &a [x]\nb: [*a, *a]\n"),
    ],
)
def test_hostile_manifests_are_said_to_be_unknown(tmp_path: Path, name: str, content: str) -> None:
    repo = Repo.init(tmp_path)
    repo.commit("Begin", {"README": "x\n"})
    (tmp_path / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    repo.git("add", ".")
    repo.git("commit", "-q", "-m", "Change")
    with open_repository(tmp_path) as repository:
        change = read_change(read_ends(Question(change="HEAD^..HEAD"), repository), repository, Settings())
        trees = Trees(GitTree(repository, change.base_tree), GitTree(repository, change.head_tree), pairs_of(change))
        part = check(Subject(change=change, trees=trees, settings=Settings()))
    assert "dependencies" not in part.fields
    assert {one.path for one in part.unknowns} == {"verification.dependencies", "verification.unknown_dependencies"}
    assert name in part.unknowns[0].reason


def test_a_lock_may_hold_nothing() -> None:
    assert read_listing("uv.lock", b'version = 1\nrequires-python = ">=3.11"\n').held == ()


@run_settings(max_examples=150, deadline=None)
@for_any(st.sampled_from(sorted({*MANIFESTS, *LOCKS})), st.text(max_size=300) | st.binary(max_size=300))
def test_any_content_is_read_or_refused(name: str, content: str | bytes) -> None:
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    known = {**MANIFESTS, **LOCKS}[name][0]
    try:
        ecosystem = read_listing(name, raw).ecosystem
    except UnreadableError:
        return
    assert ecosystem == known


CODE = {"src/shop/__init__.py": "import flask\n", "pyproject.toml": pyproject("flask")}

NEEDS = '[[package]]\nname = "x"\ndependencies = [\n    { name = "pandas" },\n]\n'


def unused(base: Mapping[str, str], head: Mapping[str, str]) -> list[str]:
    part = check(subject_of(base, {**base, **head}))
    return [str(one.place) for one in part.findings if one.rule == "dependency-unused"]


def test_a_package_that_nothing_imports_or_names() -> None:
    found = unused(CODE, {"pyproject.toml": pyproject("flask", "stripe", "pandas")})
    assert sorted(found) == ["pyproject.toml:5", "pyproject.toml:6"]


@pytest.mark.parametrize(
    "head",
    [
        {"src/shop/read.py": "from pandas import DataFrame\n"},
        {"src/shop/read.py": "import importlib\nx = importlib.import_module('pandas.io')\n"},
        {"settings.yaml": "engine: pandas\n"},
        {"pyproject.toml": pyproject("flask", "pandas").replace('"pandas",', '"pandas",  # reports of last year')},
        {
            "uv.lock": uv_lock("flask", "pandas")
            + '[[package]]\nname = "x"\ndependencies = [\n    { name = "pandas" },\n]\n'
        },
        {"pyproject.toml": '[project]\ndependencies = ["flask"]\n[dependency-groups]\ndev = [\n  "pandas",\n]\n'},
        {"pyproject.toml": '[project.optional-dependencies]\nx = [\n  "pandas",\n]\n'},
        {"pyproject.toml": pyproject("flask", "pytest-shop", "types-shop", "asyncpg", "quick-json-helper")},
    ],
)
def test_what_may_be_used_is_not_said_to_be_unused(head: dict[str, str]) -> None:
    assert unused(CODE, {"pyproject.toml": pyproject("flask", "pandas"), **head}) == []


def test_a_package_that_was_asked_for_before_is_not_new() -> None:
    base = {**CODE, "requirements.txt": "pandas\n"}
    assert unused(base, {"pyproject.toml": pyproject("flask", "pandas")}) == []


@pytest.mark.parametrize(
    ("manifest", "before", "after", "code"),
    [
        ("package.json", '{"dependencies": {\n"a": "1"}}', '{"dependencies": {\n"a": "1",\n"left-pad": "1"}}', "a.ts"),
        ("go.mod", "module a.b/c\n", "module a.b/c\n\nrequire github.com/pkg/errors v0.9.1\n", "a.go"),
        ("Cargo.toml", '[dependencies]\na = "1"\n', '[dependencies]\na = "1"\nindexmap = "2"\n', "src/a.rs"),
    ],
)
def test_unused_packages_of_other_languages(manifest: str, before: str, after: str, code: str) -> None:
    uses = {
        "a.ts": 'import p from "left-pad";\n',
        "a.go": 'import "github.com/pkg/errors"\n',
        "src/a.rs": "use indexmap::IndexMap;\n",
    }
    assert len(unused({manifest: before, code: "x\n"}, {manifest: after})) == 1
    assert unused({manifest: before, code: uses[code]}, {manifest: after}) == []


@pytest.mark.parametrize("options", [{"paths": {"*": ["./src/*"]}}, {"baseUrl": "./src"}])
def test_modules_are_found_where_the_compiler_looks_for_them(options: dict[str, object]) -> None:
    base = {
        "web/package.json": '{"name": "web"}',
        "web/tsconfig.json": json.dumps({"compilerOptions": options}),
        "web/src/components/a.ts": "x\n",
    }
    source = 'import a from "components/a";\nimport b from "quick-json-helper";\n'
    part = check(subject_of(base, {**base, "web/src/b.ts": source}))
    assert rules(part) == [("import-undeclared", "high", "web/src/b.ts:2")]


def test_tools_of_a_pipeline_are_not_looked_for_in_a_lock() -> None:
    base = {"pyproject.toml": pyproject("six"), "uv.lock": uv_lock("six"), "tox.ini": "[testenv]\n"}
    part = check(subject_of(base, {**base, "tox.ini": "[testenv]\ndeps = mysqlclient\n"}))
    assert "lock-disagrees" not in {one.rule for one in part.findings}


def test_a_distribution_may_be_called_after_its_framework_and_then_its_module(tmp_path: Path) -> None:
    declared: Files = {"pyproject.toml": pyproject("django", "django-guardian")}
    assert (
        rules(part_of(tmp_path / "a", declared, {"a.py": "from guardian.core import ObjectPermissionChecker\n"})) == []
    )
    other = part_of(tmp_path / "b", declared, {"a.py": "import gaurdianly\n"})
    assert rules(other) == [("import-undeclared", "high", "a.py:1")]
