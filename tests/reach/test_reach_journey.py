"""The whole question on real repositories: what changed, what can feel it, and how sure that is."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.reach.drawn import drawn
from tests.repos import Repo, build
from tidegate.change.git import Repository, open_repository
from tidegate.errors import TidegateError
from tidegate.reach.answer import ReachAnswer, SymbolId
from tidegate.reach.costs import CUT
from tidegate.reach.journey import read_reach, read_why
from tidegate.reach.record.build import made_of
from tidegate.reach.record.maps import MapFile, MapRecording, MapSymbol, MapTest, TestMap, write_map

SHOP = """
    shop/__init__.py
        from .core import price
    shop/core.py
        class Rule:
            '''A rule.'''
            def rate(self): return 1
        class Sale(Rule):
            def rate(self): return discount(2)
        def discount(by):
            '''Less.'''
            return 1 / by
        def price(rule): return 3 * rule.rate()
        def unused(): return 0
    shop/web.py
        from flask import Flask
        from shop import price
        from shop.core import Sale
        app = Flask(__name__)
        @app.route("/price")
        def show(): return str(price(Sale()))
    tests/test_shop.py
        from shop import price
        from shop.core import Rule, Sale
        def test_sale(): assert price(Sale())
        def test_plain(): assert price(Rule())
        def test_nothing(): assert True
"""


@contextmanager
def opened(repo: Repo | Path, *, bare: bool = False) -> Iterator[Repository]:
    with open_repository(repo.path if isinstance(repo, Repo) else repo, bare=bare) as repository:
        yield repository


def ask(repo: Repo | Path, question: str = "", *, bare: bool = False) -> ReachAnswer:
    with opened(repo, bare=bare) as repository:
        return read_reach(question, repository, environment={})


def run_for(answer: ReachAnswer) -> list[str]:
    return sorted(one.symbol.name for one in answer.tests)


def reached(answer: ReachAnswer) -> set[str]:
    return {str(one.symbol) for one in answer.reached}


def changes(answer: ReachAnswer) -> dict[str, str]:
    return {str(one.symbol): one.what for one in answer.changed}


@pytest.fixture
def shop(tmp_path: Path) -> Repo:
    repo = Repo.init(tmp_path / "shop")
    repo.commit("base", drawn(SHOP))
    return repo


@pytest.fixture
def edit(shop: Repo) -> Callable[..., ReachAnswer]:
    """Replaces a text in a file, commits, and asks about the last commit."""

    def replace(old: str, new: str, path: str = "shop/core.py") -> ReachAnswer:
        text = (shop.path / path).read_text()
        assert text.count(old) == 1
        shop.commit("edit", {path: text.replace(old, new)})
        return ask(shop)

    return replace


# Changes


def test_a_body_reaches_its_callers_their_tests_and_routes(edit: Callable[..., ReachAnswer]) -> None:
    answer = edit("1 / by", "1 / by / 2")
    assert changes(answer) == {"shop/core.py:discount": "body"}
    assert run_for(answer) == ["test_sale"]
    assert {"shop/core.py:Sale.rate", "shop/core.py:price", "shop/web.py:show"} <= reached(answer)
    assert not reached(answer) & {"shop/core.py:unused", "shop/core.py:Rule.rate", "shop/core.py:discount"}
    assert [point.name for point in answer.entry_points] == ["GET /price"]
    assert answer.verdict == "some"
    assert answer.completeness.tests_known
    hop = next(one for one in answer.reached if str(one.symbol) == "shop/core.py:Sale.rate")
    assert (str(hop.toward), str(hop.origin), hop.distance, hop.rule) == (
        "shop/core.py:discount",
        "shop/core.py:discount",
        1,
        "call",
    )
    assert 0 < hop.probability <= 1


def test_a_method_reaches_only_the_tests_that_have_such_an_instance(edit: Callable[..., ReachAnswer]) -> None:
    answer = edit("def rate(self): return 1\n", "def rate(self): return 2\n")
    assert changes(answer) == {"shop/core.py:Rule.rate": "body"}
    assert run_for(answer) == ["test_plain"]


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("'''Less.'''", "'''Less of it.'''", "docs"),
        ("'''Less.'''", "'''Less.'''\n    # a comment", "format"),
        ("return 1 / by", "return 1/by", "format"),
    ],
)
def test_words_and_white_space_reach_nothing_with_proof(
    edit: Callable[..., ReachAnswer], old: str, new: str, what: str
) -> None:
    answer = edit(old, new)
    assert changes(answer) == {"shop/core.py:discount": what}
    assert answer.verdict == "none"
    assert (answer.reached, answer.tests, answer.entry_points) == ((), (), ())


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("def discount(by):", "def discount(by=2):", {"shop/core.py:discount": "signature"}),
        ("class Sale(Rule):", "class Sale(Rule, object):", {"shop/core.py:Sale": "bases"}),
        ("def discount(by):", "@kept\ndef discount(by):", {"shop/core.py:discount": "decorator"}),
    ],
)
def test_other_parts_of_a_symbol(
    edit: Callable[..., ReachAnswer], old: str, new: str, expected: Mapping[str, str]
) -> None:
    answer = edit(old, new)
    assert changes(answer) == expected
    assert "test_sale" in run_for(answer)
    assert "test_nothing" not in run_for(answer)


def test_a_deleted_function_is_looked_up_in_the_base(shop: Repo) -> None:
    text = (shop.path / "shop/core.py").read_text()
    gone = text.replace("def discount(by):\n    '''Less.'''\n    return 1 / by\n", "")
    assert gone != text
    shop.commit("delete", {"shop/core.py": gone})
    answer = ask(shop)
    assert changes(answer) == {"shop/core.py:discount": "deleted"}
    assert answer.changed[0].side == "base"
    assert "test_sale" in run_for(answer)
    assert "test_nothing" not in run_for(answer)
    assert "shop/core.py:Sale.rate" in reached(answer)


def test_a_renamed_function_reaches_by_both_names(shop: Repo) -> None:
    text = (shop.path / "shop/core.py").read_text()
    shop.commit("rename", {"shop/core.py": text.replace("def discount(", "def lower(")})
    answer = ask(shop)
    assert changes(answer) == {"shop/core.py:lower": "renamed"}
    assert str(answer.changed[0].was) == "shop/core.py:discount"
    assert "test_sale" in run_for(answer), "the old name is still called: that call fails now"
    assert "test_nothing" not in run_for(answer)


def test_a_deleted_and_a_moved_file(shop: Repo) -> None:
    core = (shop.path / "shop/core.py").read_text()
    shop.commit("move", {"shop/core.py": None, "shop/rules.py": core, "shop/__init__.py": "from .rules import price\n"})
    answer = ask(shop)
    assert {"test_sale", "test_plain"} <= set(run_for(answer))
    assert answer.verdict == "some"


def test_a_new_override_reaches_those_who_call_the_base(edit: Callable[..., ReachAnswer]) -> None:
    answer = edit("class Sale(Rule):\n", "class Sale(Rule):\n    def more(self): return 1\n")
    assert changes(answer) == {"shop/core.py:Sale.more": "added"}
    answer = edit("def more(self)", "def __mul__(self, by)")
    assert "shop/core.py:Sale.__mul__" in changes(answer)


def test_a_changed_import_is_never_felt_by_nothing(edit: Callable[..., ReachAnswer], shop: Repo) -> None:
    shop.commit("other", {"shop/other.py": "def price(rule):\n    return 0\n"})
    answer = edit("from shop import price", "from shop.other import price", "shop/web.py")
    assert answer.verdict == "some"
    assert "GET /price" in [point.name for point in answer.entry_points]


def test_a_changed_test_is_a_test_to_run(edit: Callable[..., ReachAnswer]) -> None:
    answer = edit("assert True", "assert 1", "tests/test_shop.py")
    assert run_for(answer) == ["test_nothing"]


def test_a_symbol_that_nobody_uses_is_none_only_where_all_is_known(edit: Callable[..., ReachAnswer]) -> None:
    answer = edit("def unused(): return 0", "def unused(): return 1")
    assert changes(answer) == {"shop/core.py:unused": "body"}
    assert reached(answer) == set()
    assert all(test.probability <= CUT for test in answer.tests), "they load the module, and no path leads to it"
    doubt = answer.completeness.unresolved + answer.completeness.unread_total + answer.completeness.boundaries
    assert answer.verdict != "none" or not doubt


def test_a_second_question_gets_the_same_answer(edit: Callable[..., ReachAnswer], shop: Repo) -> None:
    first = edit("1 / by", "1 / by / 2")
    assert ask(shop) == first
    for kept in (shop.path / ".git/tidegate/reach").iterdir():
        kept.unlink()
    assert ask(shop) == first


# Never a confident zero


def test_a_language_that_is_not_read_is_unknown(shop: Repo) -> None:
    shop.commit("script", {"run.lua": "print(1)\n"})
    shop.commit("edit", {"run.lua": "print(2)\n"})
    answer = ask(shop)
    assert changes(answer) == {"run.lua": "file"}
    assert answer.verdict == "unknown"
    assert answer.completeness.unsupported == ((".lua", 1),)


@pytest.mark.parametrize("content", [b"def f(:\n", b"x = 1\0\n", b"\xff\xfe\x00", b"x = '" + b"a" * (3 << 20) + b"'"])
def test_a_changed_file_that_cannot_be_read_is_unknown(shop: Repo, content: bytes) -> None:
    shop.commit("good", {"alone.py": "def f():\n    return 1\n"})
    shop.commit("bad", {"alone.py": content})
    answer = ask(shop)
    assert answer.verdict in ("unknown", "some")
    assert [path for path, _ in answer.completeness.unread] == ["alone.py"]
    assert answer.completeness.unread_total == 1


def test_an_unread_file_elsewhere_forbids_none(shop: Repo) -> None:
    lonely = {"lonely.py": "def f():\n    return 1\n"}
    repo = Repo.init(shop.path.parent / "small")
    repo.commit("base", lonely)
    repo.commit("edit", {"lonely.py": "def f():\n    return 2\n"})
    assert ask(repo).verdict == "none"
    repo.commit("broken", {"other.py": "def g(:\n"})
    repo.commit("edit", {"lonely.py": "def f():\n    return 3\n"})
    assert ask(repo).verdict == "unknown"


def test_no_tests_at_all_is_said(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r")
    repo.commit("base", {"a.py": "def f():\n    return g()\n\n\ndef g():\n    return 1\n"})
    repo.commit("edit", {"a.py": "def f():\n    return g()\n\n\ndef g():\n    return 2\n"})
    answer = ask(repo)
    assert not answer.completeness.tests_known
    assert (reached(answer), run_for(answer), answer.verdict) == ({"a.py:f"}, [], "some")


# Questions


def test_a_path_and_a_symbol(shop: Repo) -> None:
    answer = ask(shop, "shop/core.py:discount")
    assert changes(answer) == {"shop/core.py:discount": "asked"}
    assert (run_for(answer), answer.base) == (["test_sale"], answer.head)
    answer = ask(shop, "shop/core.py")
    assert run_for(answer) == ["test_plain", "test_sale"]
    assert reached(answer) >= {"shop/web.py:show"}
    assert ask(shop, "./shop/core.py").tests == answer.tests
    answer = ask(shop, "shop/core.py:Sale")
    assert run_for(answer) == ["test_sale"]
    assert all(test.probability <= CUT for test in ask(shop, "shop/core.py:unused").tests)


def test_ranges_and_revisions(shop: Repo, edit: Callable[..., ReachAnswer]) -> None:
    edit("1 / by", "2 / by")
    edit("def unused(): return 0", "def unused(): return 9")
    assert changes(ask(shop, "HEAD~2..HEAD")) == {"shop/core.py:discount": "body", "shop/core.py:unused": "body"}
    assert changes(ask(shop, "HEAD~1")) == {"shop/core.py:discount": "body"}
    shop.git("branch", "feature/one", "HEAD~1")
    assert changes(ask(shop, "feature/one")) == {"shop/core.py:discount": "body"}
    assert changes(ask(shop)) == {"shop/core.py:unused": "body"}
    assert ask(shop, "HEAD..HEAD").changed == ()


@pytest.mark.parametrize(
    ("question", "message", "mend"),
    [
        ("shop/core.py:discoun", "has no symbol 'discoun'", "shop/core.py"),
        ("shop/core.py:rate", "has no symbol 'rate'", "Rule.rate"),
        ("shop/cores.py", "no such file in HEAD", "last commit"),
        ("lib/core.py", "no such file in HEAD", "shop/core.py"),
        ("shop/cores.py:f", "no such file in HEAD", "last commit"),
        ("nowhere", "", ""),
        ("nowhere..HEAD", "", ""),
        ("README.md:x", "no such file", ""),
    ],
)
def test_wrong_names_give_one_clear_error(shop: Repo, question: str, message: str, mend: str) -> None:
    with opened(shop) as repository, pytest.raises(TidegateError) as raised:
        read_reach(question, repository, environment={})
    said = str(raised.value)
    assert message in said
    assert mend in said
    assert "\n" not in said
    assert raised.value.mend


def test_a_symbol_of_a_file_that_could_not_be_read_says_why(shop: Repo) -> None:
    shop.commit("bad", {"bad.py": "def f(:\n"})
    with opened(shop) as repository, pytest.raises(TidegateError) as raised:
        read_reach("bad.py:f", repository, environment={})
    assert "syntax error in line 1" in str(raised.value)


# Why


def test_why_shows_the_strongest_paths(shop: Repo) -> None:
    with opened(shop) as repository:
        paths = read_why("shop/core.py:discount", repository, source="test_sale", environment={})
        assert len(paths) == 1
        names = [str(hop.source) for hop in paths[0]] + [str(paths[0][-1].target)]
        assert names == [
            "tests/test_shop.py:test_sale",
            "shop/core.py:price",
            "shop/core.py:Sale.rate",
            "shop/core.py:discount",
        ]
        assert all(0 < hop.probability <= 1 and hop.line for hop in paths[0])
        by_route = read_why("shop/core.py:discount", repository, source="/price", environment={})
        assert str(by_route[0][0].source) == "shop/web.py:show"
        to = read_why("shop/core.py", repository, source="show", target="price", environment={})
        assert [str(hop.target) for hop in to[0]] == ["shop/core.py:price"]
        assert read_why("shop/core.py:discount", repository, source="test_nothing", environment={}) == ()
        with pytest.raises(TidegateError, match="nothing is named 'nobody'"):
            read_why("shop/core.py:discount", repository, source="nobody", environment={})


# Repositories of every kind


def test_an_empty_repository_says_what_to_do(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "empty")
    with opened(repo) as repository, pytest.raises(TidegateError) as raised:
        read_reach("", repository, environment={})
    assert str(raised.value) == f"{repo.path}: there is no commit yet; make the first commit"


def test_the_first_commit(shop: Repo) -> None:
    answer = ask(shop)
    assert set(changes(answer).values()) == {"added"}
    assert run_for(answer) == ["test_nothing", "test_plain", "test_sale"]
    assert [point.name for point in answer.entry_points] == ["GET /price"]


def test_a_bare_repository(shop: Repo, tmp_path: Path, edit: Callable[..., ReachAnswer]) -> None:
    wanted = edit("1 / by", "2 / by")
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(shop.path), str(bare)], check=True, capture_output=True)
    answer = ask(bare, bare=True)
    assert (answer.tests, answer.reached, answer.verdict) == (wanted.tests, wanted.reached, wanted.verdict)


def test_sha256(tmp_path: Path) -> None:
    repo = Repo.init(tmp_path / "r", object_format="sha256")
    repo.commit("base", drawn(SHOP))
    text = (repo.path / "shop/core.py").read_text()
    repo.commit("edit", {"shop/core.py": text.replace("1 / by", "2 / by")})
    answer = ask(repo)
    assert (len(answer.head), run_for(answer)) == (64, ["test_sale"])


def test_a_merge(tmp_path: Path) -> None:
    repo = build(
        tmp_path / "r",
        """
        commit base
          file a.py
            . def f():
            .     return 1
          file b.py
            . def g():
            .     return 1
          file test_a.py
            . from a import f
            . from b import g
            . def test_f():
            .     assert f()
            . def test_g():
            .     assert g()
        branch side
        commit side
          file a.py
            . def f():
            .     return 2
        checkout main
        commit main
          file b.py
            . def g():
            .     return 2
        merge side
        """,
    )
    answer = ask(repo, "HEAD^1..HEAD")
    assert (changes(answer), run_for(answer)) == ({"a.py:f": "body"}, ["test_f"])
    answer = ask(repo, "HEAD~2..HEAD")
    assert run_for(answer) == ["test_f", "test_g"]


# A map


def test_a_map_sharpens_the_answer(shop: Repo, edit: Callable[..., ReachAnswer]) -> None:
    text = (shop.path / "shop/core.py").read_text()
    ran = {"discount": [0], "Sale.rate": [0], "price": [0, 1], "Rule.rate": [1]}
    _record(shop, {"shop/core.py": text}, ran, ["test_sale", "test_plain", "test_nothing"])
    answer = edit("1 / by", "2 / by")
    assert [(str(one.symbol), one.probability, one.evidence) for one in answer.tests] == [
        ("tests/test_shop.py:test_sale", 1.0, "recorded")
    ]
    assert answer.completeness.map_age == 1
    assert ask(shop, "shop/core.py:unused").tests == ()
    both = ask(shop, "shop/core.py:price")
    assert [one.evidence for one in both.tests] == ["recorded", "recorded"]


def test_what_a_map_does_not_know_is_answered_by_static_paths(shop: Repo) -> None:
    text = (shop.path / "shop/core.py").read_text()
    _record(shop, {"shop/core.py": text}, {"price": [0]}, ["test_plain"])
    shop.commit("new", {"shop/fresh.py": "from shop import price\n\n\ndef fresh(x):\n    return price(x)\n"})
    shop.commit(
        "test",
        {"tests/test_fresh.py": "from shop.fresh import fresh\n\n\ndef test_fresh():\n    assert fresh(Sale())\n"},
    )
    answer = ask(shop, "shop/fresh.py:fresh")
    assert [(one.symbol.name, one.evidence) for one in answer.tests] == [("test_fresh", "static")]


def test_a_recorded_run_of_pytest_sharpens(shop: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from tidegate.cli.reach import reach

    shop.commit("no web", {"shop/web.py": None})
    monkeypatch.chdir(shop.path)
    command = ["record", "--", sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    assert CliRunner().invoke(reach, command, standalone_mode=False).return_value == 0
    answer = ask(shop, "shop/core.py:Rule.rate")
    assert [(one.symbol.name, one.evidence) for one in answer.tests] == [("test_plain", "recorded")]


def test_a_damaged_map_is_said_and_not_believed(shop: Repo) -> None:
    text = (shop.path / "shop/core.py").read_text()
    _record(shop, {"shop/core.py": text}, {"discount": [0]}, ["test_plain"])
    file = shop.path / ".git/tidegate/reach/tests.map"
    file.write_bytes(file.read_bytes()[:-5])
    answer = ask(shop, "shop/core.py:discount")
    assert [(one.symbol.name, one.evidence) for one in answer.tests] == [("test_sale", "static")]
    assert any("record again" in note for note in answer.notes)
    assert answer.completeness.map_age is None


def _record(repo: Repo, sources: Mapping[str, str], ran: Mapping[str, list[int]], names: list[str]) -> None:
    """Keeps a map in which these tests, by their number, executed these symbols of the sources."""
    from tidegate.reach.languages.python import PYTHON

    files = []
    for path, text in sources.items():
        blob = repo.git("hash-object", path)
        symbols = []
        for name, made in made_of(PYTHON.read_digests(text.encode(), ".py")).items():
            bits = sum(1 << number for number in ran.get(name, ()))
            symbols.append(MapSymbol(name, made.digest, made.body, False, bits.to_bytes(2, "little")))
        files.append(MapFile(path, blob, tuple(symbols)))
    tests_ = [SymbolId("tests/test_shop.py", name) for name in names]
    recorded = TestMap(
        (MapRecording(repo.head(), "2026-02-02T00:00:00Z", "monitoring"),),
        tuple(MapTest(symbol, symbol, f"{symbol.path}::{symbol.name}", "passed", 0) for symbol in tests_),
        tuple(files),
    )
    write_map(repo.path / ".git/tidegate/reach", recorded)
