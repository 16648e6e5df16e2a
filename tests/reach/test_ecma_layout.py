"""Which files the names of modules mean."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.reach.languages.interface import Layout
from tidegate.reach.languages.javascript import JAVASCRIPT
from tidegate.reach.languages.typescript import TYPESCRIPT


def layout(files: Mapping[str, object]) -> Layout:
    """A layout of a tree: contents that are no text are written as JSON."""
    texts = {
        path: (content if isinstance(content, str) else json.dumps(content)).encode() for path, content in files.items()
    }

    def read(paths: Sequence[str]) -> Mapping[str, bytes]:
        return {path: texts[path] for path in paths if path in texts}

    return TYPESCRIPT.read_layout({}, sorted(texts), read)


def files(*paths: str) -> dict[str, object]:
    return dict.fromkeys(paths, "")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("./b", "src/b.ts"),
        ("./b.js", "src/b.ts"),
        ("./c.mjs", "src/c.mts"),
        ("./view", "src/view.tsx"),
        ("./deep", "src/deep/index.js"),
        ("./deep/", "src/deep/index.js"),
        ("../lib/old", "lib/old.js"),
        ("..", "index.js"),
        ("../", "index.js"),
        (".", "src/index.ts"),
        ("./data.json", "src/data.json"),
        ("./b?raw", "src/b.ts"),
        ("./only", "src/only.d.ts"),
        ("./missing", None),
        ("../../../etc/passwd", None),
        ("node:fs", None),
        ("express", None),
        ("", None),
        ("/src/b", "src/b.ts"),
    ],
)
def test_relative_names(spec: str, expected: str | None) -> None:
    tree = layout(
        files(
            "index.js",
            "lib/old.js",
            "src/index.ts",
            "src/b.ts",
            "src/c.mts",
            "src/view.tsx",
            "src/deep/index.js",
            "src/data.json",
            "src/only.d.ts",
        )
    )
    assert tree.find(spec, "src/a.ts") == ((expected,) if expected else ())
    assert tree.visible("src/a.ts") == ()


def test_both_languages_find_files_of_either() -> None:
    texts = {"a.js": b"", "b.ts": b""}
    tree = JAVASCRIPT.read_layout({"a.js": ""}, list(texts), lambda paths: {path: texts[path] for path in paths})
    assert tree.find("./b", "a.js") == ("b.ts",)
    assert tree.find("./a", "b.ts") == ("a.js",)


WORKSPACE: dict[str, object] = {
    "package.json": {"name": "root", "workspaces": ["packages/*"], "imports": {"#tools/*": "./tools/*.js"}},
    "tools/hammer.js": "",
    "packages/core/package.json": {
        "name": "@acme/core",
        "exports": {
            ".": {"types": "./dist/types/index.d.ts", "import": "./dist/index.js"},
            "./util": {"import": {"default": "./dist/esm/util/index.js"}},
            "./plugins/*": "./dist/plugins/*.js",
            "./package.json": "./package.json",
        },
    },
    "packages/core/src/index.ts": "",
    "packages/core/src/util/index.ts": "",
    "packages/core/src/plugins/one.ts": "",
    "packages/core/test/a.test.ts": "",
    "packages/app/package.json": {"name": "app", "main": "lib/main.js", "dependencies": {"near": "file:../../near"}},
    "packages/app/lib/main.js": "",
    "packages/app/lib/other.js": "",
    "near/package.json": {"name": "far", "module": "./m.mjs"},
    "near/m.mjs": "",
    "examples/copy/package.json": {"name": "@acme/core", "main": "x.js"},
    "examples/copy/x.js": "",
}


@pytest.mark.parametrize(
    ("spec", "path", "expected"),
    [
        ("@acme/core", "packages/app/lib/main.js", "packages/core/src/index.ts"),
        ("@acme/core/util", "packages/app/lib/main.js", "packages/core/src/util/index.ts"),
        ("@acme/core/plugins/one", "packages/app/lib/main.js", "packages/core/src/plugins/one.ts"),
        ("@acme/core/nothing", "packages/app/lib/main.js", None),
        ("@acme/core", "packages/core/test/a.test.ts", "packages/core/src/index.ts"),
        ("@acme/core", "examples/copy/x.js", "examples/copy/x.js"),
        ("app", "packages/core/src/index.ts", "packages/app/lib/main.js"),
        ("app/lib/other", "packages/core/src/index.ts", "packages/app/lib/other.js"),
        ("near", "packages/app/lib/main.js", "near/m.mjs"),
        ("near", "packages/core/src/index.ts", None),
        ("#tools/hammer", "tools/hammer.js", "tools/hammer.js"),
        ("@acme", "tools/hammer.js", None),
    ],
)
def test_packages_of_the_tree(spec: str, path: str, expected: str | None) -> None:
    assert layout(WORKSPACE).find(spec, path) == ((expected,) if expected else ())


@pytest.mark.parametrize(
    "declared",
    [
        {"package.json": {"workspaces": {"packages": ["libs/**"]}}},
        {"pnpm-workspace.yaml": "packages:\n  - 'libs/**'\n  - '!**/test/**'\n"},
        {"lerna.json": {"packages": ["libs/*"]}},
    ],
)
def test_members_of_a_workspace_come_before_other_packages(declared: dict[str, object]) -> None:
    tree = {
        "a/package.json": {"name": "twin", "main": "i.js"},
        "a/i.js": "",
        "libs/twin/package.json": {"name": "twin", "main": "i.js"},
        "libs/twin/i.js": "",
        "libs/user/package.json": {"name": "user"},
        "libs/user/u.js": "",
        **declared,
    }
    assert layout(tree).find("twin", "libs/user/u.js") == ("libs/twin/i.js",)


CONFIGURED: dict[str, object] = {
    "tsconfig.base.json": """{
      // shared by all
      "compilerOptions": { "baseUrl": ".", "paths": {
        "@lib/*": ["libs/*/src", "libs/*"], "~exact": ["libs/x/src/e"] } },
    }""",
    "apps/web/tsconfig.json": {"extends": "../../tsconfig.base.json"},
    "apps/web/src/a.ts": "",
    "apps/api/tsconfig.json": {"compilerOptions": {"paths": {"@/*": ["./src/*"]}}},
    "apps/api/src/a.ts": "",
    "apps/api/src/deep/b.ts": "",
    "apps/old/jsconfig.json": '{ "compilerOptions": { "baseUrl": "src" /* here */ } }',
    "apps/old/src/top/c.js": "",
    "libs/x/src/index.ts": "",
    "libs/x/src/e.ts": "",
    "libs/y/index.js": "",
}


@pytest.mark.parametrize(
    ("spec", "path", "expected"),
    [
        ("@lib/x", "apps/web/src/a.ts", "libs/x/src/index.ts"),
        ("@lib/y", "apps/web/src/a.ts", "libs/y/index.js"),
        ("~exact", "apps/web/src/a.ts", "libs/x/src/e.ts"),
        ("libs/x/src/e", "apps/web/src/a.ts", "libs/x/src/e.ts"),
        ("@/deep/b", "apps/api/src/a.ts", "apps/api/src/deep/b.ts"),
        ("@lib/x", "apps/api/src/a.ts", None),
        ("top/c", "apps/old/src/top/c.js", "apps/old/src/top/c.js"),
        ("@lib/none", "apps/web/src/a.ts", None),
    ],
)
def test_paths_of_the_nearest_configuration(spec: str, path: str, expected: str | None) -> None:
    assert layout(CONFIGURED).find(spec, path) == ((expected,) if expected else ())


def test_configurations_that_extend_each_other_end() -> None:
    tree = {"tsconfig.json": {"extends": "./tsconfig.b.json"}, "tsconfig.b.json": {"extends": "./tsconfig.json"}}
    assert layout({**tree, "a.ts": ""}).find("./a", "b.ts") == ("a.ts",)


@pytest.mark.parametrize("broken", ["", "{", "[1]", '{"name": 3, "exports": {"./a": [null, {"x": 4}]}}', "\x00"])
def test_broken_files_say_nothing(broken: str) -> None:
    tree = layout({"package.json": broken, "tsconfig.json": broken, "pnpm-workspace.yaml": broken, "a.ts": ""})
    assert tree.find("./a", "b.ts") == ("a.ts",)
    assert tree.find("x/a", "b.ts") == ()


def test_installed_packages_are_outside() -> None:
    tree = layout({"node_modules/x/package.json": {"name": "x"}, "node_modules/x/index.js": "", "a.js": ""})
    assert tree.find("x", "a.js") == ()


def test_a_large_tree_is_laid_out_quickly() -> None:
    tree: dict[str, object] = {f"packages/p{n % 60}/src/f{n}.ts": "" for n in range(3000)}
    tree |= {f"packages/p{n}/package.json": {"name": f"@a/p{n}", "main": f"src/f{n}.ts"} for n in range(60)}
    texts = {path: json.dumps(content).encode() for path, content in tree.items()}
    paths = sorted(texts)
    started = time.process_time()
    made = TYPESCRIPT.read_layout({}, paths, lambda wanted: {path: texts[path] for path in wanted})
    assert time.process_time() - started < 0.2
    assert made.find("@a/p7", "packages/p1/src/f1.ts") == ("packages/p7/src/f7.ts",)


@given(st.text(alphabet="./@#ab*?:-", max_size=12), st.sampled_from(["a.ts", "a/b.ts", "x/y/z.js"]))
def test_any_name_means_files_of_the_tree_or_nothing(spec: str, path: str) -> None:
    tree = files("a.ts", "a/b.ts", "a/index.ts", "b.js", "ab/a.json")
    tree["a/package.json"] = {"name": "a", "exports": {"./*": "./*.ts", "./b/": "./../"}, "imports": {"#*": "../../*"}}
    made = layout(tree)
    found = made.find(spec, path)
    assert set(found) <= tree.keys()
    assert made.find(spec, path) == found
