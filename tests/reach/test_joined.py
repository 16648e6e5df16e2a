"""What has no symbols joins the code: files that texts name, packages that manifests name, imports, quiet files."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reach.drawn import TextIndex
from tests.repos import Repo
from tidegate.change.git import open_repository
from tidegate.reach.answer import ReachAnswer
from tidegate.reach.journey import read_reach
from tidegate.reach.manifests import compare_manifests, ecosystem_of
from tidegate.reach.named import find_readers, tables_of
from tidegate.reach.naming import names_file
from tidegate.reach.quiet import AUTOMATION, DOCUMENTATION, quiet_kind

SHOP = {
    "shop/__init__.py": "",
    "shop/views.py": (
        "from flask import render_template\n\n\n"
        "def cart():\n    return render_template('cart.html')\n\n\n"
        "def about():\n    return render_template('about.html')\n"
    ),
    "shop/routes.py": "from shop.views import cart\n\n\ndef serve():\n    return cart()\n",
    "shop/templates/base.html": "<h1>{% block a %}{% endblock %}</h1>\n",
    "shop/templates/cart.html": "{% extends 'base.html' %}\n",
    "shop/templates/about.html": "<p>about</p>\n",
}


# Names


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("cart.html", "shop/templates/cart.html"),
        ("shop/templates/cart.html", "shop/templates/cart.html"),
        ("../templates/cart.html", "shop/templates/cart.html"),
        ("owners/details", "src/main/resources/templates/owners/details.html"),
        ("stories/form", "app/views/stories/_form.html.erb"),
        ("translations/{}.json", "locale/translations/de.json"),
        ("translations/%s.json", "locale/translations/de.json"),
        ("translations/*.json", "locale/translations/de.json"),
        ("translations/", "locale/translations/de.json"),
        ("classpath:db/schema.sql", "src/db/schema.sql"),
        ("data.csv?raw", "src/data.csv"),
    ],
)
def test_texts_that_name_a_file(text: str, path: str) -> None:
    assert names_file(text, path)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("art.html", "shop/templates/cart.html"),
        ("other/cart.html", "shop/templates/cart.html"),
        ("https://example.org/cart.html", "shop/templates/cart.html"),
        ("/stories/", "app/views/stories/index.html.erb"),
        ("*.json", "locale/translations/de.json"),
        (".json", "locale/translations/de.json"),
        ("{}", "locale/translations/de.json"),
        ("src/app/**", "src/app/a.json"),
        ("text/html", "shop/templates/html.txt"),
        ("", "a.json"),
        ("a sentence about cart.html", "shop/templates/cart.html"),
    ],
)
def test_texts_that_name_another(text: str, path: str) -> None:
    assert not names_file(text, path)


@given(st.lists(st.sampled_from(["a", "b", "templates", "x.y"]), min_size=1, max_size=5), st.integers(0, 4))
def test_the_end_of_a_path_names_it(folders: list[str], cut: int) -> None:
    path = "/".join([*folders, "page.html"])
    assert names_file("/".join([*folders, "page.html"][min(cut, len(folders)) :]), path)


@settings(max_examples=200)
@given(st.text(max_size=60), st.text(alphabet="ab/._-*{}", min_size=1, max_size=30))
def test_no_text_breaks_a_question(text: str, path: str) -> None:
    assert names_file(text, path) in (True, False)


# Readers


def _readers(files: Mapping[str, str], wanted: str, **more: list[str]) -> dict[str, int]:
    found = find_readers(TextIndex(files), [wanted], more)
    return {str(reader.source): reader.width for reader in found.readers}


def test_templates_lead_through_templates_to_functions() -> None:
    assert _readers(SHOP, "shop/templates/base.html") == {"shop/templates/cart.html": 1, "shop/views.py:cart": 1}


def test_the_nearest_of_several_files_is_meant() -> None:
    files = {
        "a/view.py": "def show():\n    return open('page.html')\n",
        "a/page.html": "",
        "b/page.html": "",
    }
    assert _readers(files, "a/page.html") == {"a/view.py:show": 1}
    assert _readers(files, "b/page.html") == {"a/view.py:show": 2}


def test_a_list_of_files_matters_less_than_who_shows_one() -> None:
    names = ", ".join(f"'views/p{n}.html'" for n in range(9))
    files = {
        "load.py": f"def load():\n    return [{names}]\n\n\ndef show():\n    return open('views/p3.html')\n",
        **{f"views/p{n}.html": "" for n in range(9)},
    }
    assert _readers(files, "views/p3.html") == {"load.py:load": 9, "load.py:show": 1}


def test_rails_shows_a_view_for_its_action() -> None:
    files = {
        "app/controllers/stories_controller.rb": "class StoriesController\n  def index\n  end\nend\n",
        "app/views/stories/index.html.erb": "<%= render 'row' %>\n",
        "app/views/stories/_row.html.erb": "row\n",
        "app/views/layouts/stories.html.erb": "x\n",
    }
    assert _readers(files, "app/views/stories/_row.html.erb") == {
        "app/views/stories/index.html.erb": 1,
        "app/controllers/stories_controller.rb:StoriesController.index": 1,
    }


def test_sql_leads_to_those_who_query_its_tables() -> None:
    files = {
        "db/schema.sql": "CREATE TABLE owners (id int);\n",
        "store.py": "def find(db):\n    return db.execute('SELECT * FROM owners')\n\n\n"
        "def other(db):\n    return db.execute('SELECT * FROM landowners')\n",
    }
    found = find_readers(TextIndex(files), ["db/schema.sql"], {"db/schema.sql": ["owners"]})
    assert [str(reader.source) for reader in found.readers] == ["store.py:find"]


def test_tables_of_statements() -> None:
    sql = b"create table if not exists Shop.Owners (id int references pets(id));\nALTER TABLE `visits` ADD x;\nselect 1"
    assert tables_of(sql.split(b"\n")) == ("owners", "pets", "visits")


# Manifests


@pytest.mark.parametrize(
    ("path", "before", "after", "changed"),
    [
        ("requirements.txt", "a==1\nb[x]>=2  # via c\n", "a==2\nb[x]>=2\n", {"a"}),
        ("sub/requirements-dev.txt", "--hash=x\n", "Flask_Login==1\n", {"flask-login"}),
        ("pyproject.toml", '[project]\ndependencies = ["a>1"]\n', '[project]\ndependencies = ["a>2"]\n', {"a"}),
        ("uv.lock", '[[package]]\nname="a"\nversion="1"\n', '[[package]]\nname="a"\nversion="2"\n', {"a"}),
        ("package.json", '{"dependencies":{"x":"1"}}', '{"devDependencies":{"y":"1"}}', {"x", "y"}),
        (
            "package-lock.json",
            '{"packages":{"node_modules/x":{"version":"1"}}}',
            '{"packages":{"node_modules/x":{"version":"2"},"node_modules/x/node_modules/z":{"version":"1"}}}',
            {"x"},
        ),
        ("yarn.lock", 'x@^1:\n  version "1.0"\n', 'x@^1:\n  version "1.1"\n', {"x"}),
        ("go.mod", "module m\n\nrequire a.b/c v1\n", "module m\n\nrequire (\n\ta.b/c v2 // indirect\n)\n", {"a.b/c"}),
        ("Cargo.toml", '[dependencies]\nx = "1"\n', '[dependencies]\nx = { version = "2" }\n', {"x"}),
        ("Gemfile.lock", "    rack (2.0)\n", "    rack (3.0)\n      rack-test (1)\n", {"rack"}),
        (
            "pom.xml",
            "<v>1</v><dependency><groupId>g</groupId><artifactId>a</artifactId><version>${v}</version></dependency>",
            "<v>2</v><dependency><groupId>g</groupId><artifactId>a</artifactId><version>${v}</version></dependency>",
            {"g:a"},
        ),
        ("build.gradle.kts", 'implementation("g:a:1")', 'implementation("g:a:2")', {"g:a"}),
    ],
)
def test_what_a_change_of_a_manifest_changes(path: str, before: str, after: str, changed: set[str]) -> None:
    found = compare_manifests(path, before.encode(), after.encode())
    assert found is not None
    assert {package.name for package in found.packages} == changed
    same = compare_manifests(path, after.encode(), after.encode())
    assert same is not None
    assert same.packages == ()


def test_settings_of_checkers_are_told_apart() -> None:
    before, after = b"[tool.ruff]\nx = 1\n", b"[tool.ruff]\nx = 2\n"
    found = compare_manifests("pyproject.toml", before, after)
    assert found is not None
    assert found.only_tools
    other = compare_manifests("pyproject.toml", b'[project]\nname = "a"\n', b'[project]\nname = "b"\n')
    assert other is not None
    assert not other.only_tools


@pytest.mark.parametrize("name", ["pyproject.toml", "package.json", "package-lock.json", "Cargo.lock", "Pipfile.lock"])
def test_a_manifest_that_cannot_be_read_is_said_to_be(name: str) -> None:
    assert compare_manifests(name, b"", b"[[[[ {") is None
    assert ecosystem_of(name) is not None
    assert ecosystem_of("src/main.py") is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pom.xml", "<dependency>" * 80_000),
        ("pom.xml", "<dependency><version>" + " " * 800_000),
        ("go.mod", "a." * 400_000),
        ("yarn.lock", "a@1:\n" + "  b\n" * 200_000),
        ("requirements.txt", "a" * 800_000),
        ("package.json", "[" * 100_000),
    ],
)
def test_hostile_manifests_take_no_time(name: str, text: str) -> None:
    started = time.process_time()
    compare_manifests(name, b"", text.encode())
    assert time.process_time() - started < 3


# Quiet files


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("README.md", DOCUMENTATION),
        ("docs/a/b.rst", DOCUMENTATION),
        ("docs/shot.png", DOCUMENTATION),
        (".github/workflows/ci.yml", AUTOMATION),
        (".pre-commit-config.yaml", AUTOMATION),
        ("sub/.gitignore", AUTOMATION),
        ("requirements.txt", ""),
        ("compose.yaml", ""),
        ("static/logo.png", ""),
        ("src/app.py", ""),
        ("src/config.json", ""),
    ],
)
def test_what_no_program_reads(path: str, kind: str) -> None:
    assert quiet_kind(path) == kind


# The whole question


def _reach(tmp_path: Path, before: Mapping[str, str], after: Mapping[str, str], question: str = "HEAD") -> ReachAnswer:
    repo = Repo.init(tmp_path / "r")
    repo.commit("base", before)
    repo.commit("head", after)
    with open_repository(repo.path) as repository:
        return read_reach(question, repository, environment={})


def _names(answer: ReachAnswer) -> set[str]:
    return {str(one.symbol) for one in answer.reached}


def test_a_template_reaches_who_shows_it_and_who_calls_them(tmp_path: Path) -> None:
    answer = _reach(tmp_path, SHOP, {"shop/templates/base.html": "<h2></h2>\n"})
    assert {"shop/templates/cart.html", "shop/views.py:cart", "shop/routes.py:serve"} <= _names(answer)
    assert "shop/views.py:about" not in _names(answer)
    assert answer.verdict == "some"


def test_a_deleted_template_is_missed_by_who_shows_it(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.commit("base", SHOP)
    repo.git("rm", "-q", "shop/templates/about.html")
    repo.commit("head", {})
    with open_repository(repo.path) as repository:
        assert "shop/views.py:about" in _names(read_reach("HEAD", repository, environment={}))


def test_documentation_reaches_nothing_until_a_program_names_it(tmp_path: Path) -> None:
    answer = _reach(tmp_path / "a", {**SHOP, "HELP.md": "a"}, {"HELP.md": "b"})
    assert (answer.verdict, [one.what for one in answer.changed]) == ("none", ["docs"])
    read = {**SHOP, "HELP.md": "a", "shop/help.py": "def help():\n    return open('HELP.md').read()\n"}
    answer = _reach(tmp_path / "b", read, {"HELP.md": "b"})
    assert (answer.verdict, _names(answer)) == ("some", {"shop/help.py:help"})


def test_data_that_nobody_names_is_unknown_and_not_nothing(tmp_path: Path) -> None:
    answer = _reach(tmp_path, {**SHOP, "shop/rates.json": "{}"}, {"shop/rates.json": "[]"})
    assert answer.verdict != "none" or not answer.completeness.unresolved
    assert [one.what for one in answer.changed] == ["file"]


def test_a_new_version_reaches_who_uses_the_package(tmp_path: Path) -> None:
    before = {**SHOP, "shop/plain.py": "def plain():\n    return 1\n", "requirements.txt": "flask==2\nidle==1\n"}
    answer = _reach(tmp_path, before, {"requirements.txt": "flask==3\nidle==2\n"})
    assert [(one.symbol.name, one.kind, one.what) for one in answer.changed] == [("flask", "package", "constant")]
    assert {"shop/views.py:cart", "shop/views.py:about", "shop/routes.py:serve"} <= _names(answer)
    assert "shop/plain.py:plain" not in _names(answer)
    assert answer.notes[:1] == ("no import names idle ==1 -> ==2 of requirements.txt",)


def test_a_manifest_speaks_for_its_folder(tmp_path: Path) -> None:
    before = {
        "one/package.json": '{"dependencies":{"left":"1"}}',
        "one/a.js": 'import left from "left";\nexport function a() { return left(1); }\n',
        "two/package.json": '{"dependencies":{"left":"1"}}',
        "two/b.js": 'import left from "left";\nexport function b() { return left(1); }\n',
    }
    answer = _reach(tmp_path, before, {"one/package.json": '{"dependencies":{"left":"2"}}'})
    assert "one/a.js:a" in _names(answer)
    assert not any(name.startswith("two/") for name in _names(answer))


def test_imports_reach_who_uses_a_name_that_means_something_else(tmp_path: Path) -> None:
    before = {
        "old.py": "def make():\n    return 1\n",
        "new.py": "def make():\n    return 1\n",
        "app.py": "from old import make\n\n\ndef user():\n    return make()\n\n\ndef other():\n    return 2\n",
        "main.py": "import app\n\n\ndef main():\n    return app.other()\n\n\ndef run():\n    return app.user()\n",
    }
    answer = _reach(tmp_path, before, {"app.py": before["app.py"].replace("from old", "from new")})
    assert [(one.symbol.name, one.kind) for one in answer.changed] == [("<imports>", "imports")]
    assert {"app.py:user", "main.py:run"} <= _names(answer)
    assert not {"app.py:other", "main.py:main"} & _names(answer)


def test_imports_beside_another_statement_are_the_module(tmp_path: Path) -> None:
    before = {"app.py": "import os\n\n\ndef user():\n    return os\n"}
    answer = _reach(
        tmp_path, before, {"app.py": "import os\nimport sys\n\nsys.path.append('x')\n\n\ndef user():\n    return os\n"}
    )
    assert [(one.symbol.name, one.kind) for one in answer.changed] == [("", "module")]


def test_who_calls_a_test_does_not_feel_what_it_tests(tmp_path: Path) -> None:
    before = {
        "core.py": "def slug():\n    return 1\n\n\ndef user():\n    return slug()\n",
        "runner.py": "def go(case):\n    case.run_it()\n",
        "tests/test_core.py": "from core import slug\n\nclass TestSlug:\n    def run_it(self): return slug()\n",
    }
    answer = _reach(tmp_path, before, {"core.py": before["core.py"].replace("return 1", "return 2")})
    assert "core.py:user" in _names(answer)
    assert "runner.py:go" not in _names(answer)


def test_code_of_others_in_the_repository_calls_nobody_by_name(tmp_path: Path) -> None:
    before = {
        "core.py": "class Shelf:\n    def restock_all(self):\n        return 1\n",
        "use.py": "def use(shelf):\n    shelf.restock_all()\n",
        "vendor/lib.py": "def lib(thing):\n    thing.restock_all()\n",
    }
    answer = _reach(tmp_path / "a", before, {"core.py": before["core.py"].replace("1", "2")})
    assert _names(answer) == {"use.py:use"}
    inner = {"vendor/lib.py": "def inner():\n    return 1\n\n\ndef lib():\n    return inner()\n"}
    own = {"own.py": "from vendor.lib import lib\n\n\ndef mine():\n    return lib()\n"}
    answer = _reach(tmp_path / "b", {**inner, **own}, {"vendor/lib.py": inner["vendor/lib.py"].replace("1", "2")})
    assert {"vendor/lib.py:lib", "own.py:mine"} <= _names(answer)


def test_a_deleted_test_is_not_to_be_run(tmp_path: Path) -> None:
    before = {
        "core.py": "def f():\n    return 1\n",
        "test_core.py": "from core import f\n\n\ndef test_a():\n    assert f()\n\n\ndef test_b():\n    assert f()\n",
    }
    after = {"test_core.py": "from core import f\n\n\ndef test_a():\n    assert f()\n"}
    answer = _reach(tmp_path, before, after)
    assert (answer.tests, answer.verdict) == ((), "none")


def test_of_a_compose_file_the_changed_services_are_meant(tmp_path: Path) -> None:
    compose = "services:\n  web:\n    build: web\n    ports: ['80']\n  mail:\n    build: mail\n    ports: ['25']\n"
    before = {
        "compose.yaml": compose,
        "web/a.py": "x = 1\n",
        "web/Dockerfile": "FROM a\nCOPY . .\n",
        "mail/b.py": "y = 1\n",
        "mail/Dockerfile": "FROM a\nCOPY . .\n",
    }
    answer = _reach(tmp_path / "a", before, {"compose.yaml": compose.replace("'25'", "'26'")})
    assert [one.service.name for one in answer.services] == ["mail"]
    answer = _reach(tmp_path / "b", before, {"compose.yaml": compose + "networks: {}\n"})
    assert {one.service.name for one in answer.services} == {"mail", "web"}


def test_the_same_question_has_the_same_answer(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.commit("base", {**SHOP, "requirements.txt": "flask==2\n"})
    repo.commit("head", {"requirements.txt": "flask==3\n", "shop/templates/base.html": "<h2></h2>\n"})
    with open_repository(repo.path) as repository:
        assert read_reach("HEAD", repository, environment={}) == read_reach("HEAD", repository, environment={})
