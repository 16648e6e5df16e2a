"""Kept graphs: a change finds what a cold start finds, the same bytes every time, whatever happens to the store."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.reach.drawn import TextIndex, drawn, kept
from tests.reach.generated import edited, project
from tests.repos import Repo
from tidegate.reach.affected import find_affected, reached_symbols, reached_tests
from tidegate.reach.affected import tests_of as all_tests
from tidegate.reach.answer import EntryPoint
from tidegate.reach.languages.python import PYTHON
from tidegate.reach.rules import NUMBER, RULES
from tidegate.reach.store import open_store
from tidegate.reach.symbols import FileSymbols
from tidegate.reach.trees import HeadTree, KeptTree, read_head_tree, read_kept_tree

PROGRAM = str(Path(sys.executable).parent / "tidegate")
KNOWN: dict[tuple[str, str], FileSymbols] = {}

SHOP = """
    shop/__init__.py
        from .core import price
    shop/core.py
        class Rule:
            def rate(self): return 1
        class Sale(Rule):
            def rate(self): return discount()
        def discount(): return 0.5
        def price(rule: Rule): return rule.rate()
    app.py
        from flask import Flask
        from shop import price
        from shop.core import Sale
        app = Flask(__name__)
        @app.route("/price")
        def show(): return str(price(Sale()))
    conftest.py
        import pytest
        from shop.core import Sale
        @pytest.fixture
        def sale(): return Sale()
    tests/test_shop.py
        from shop import price
        def test_sale(sale): assert price(sale)
        def test_nothing(): ...
"""


# A change


def edges_of(tree: HeadTree) -> list[tuple[int, int, int]]:
    graph = tree.graph
    targets = np.repeat(np.arange(len(graph)), np.diff(graph.first))
    own = zip(graph.sources.tolist(), targets.tolist(), graph.rules.tolist(), strict=True)
    return [*own, *((extra.source, target, extra.rule) for target, extra in tree.extra)]


def uses_of(tree: HeadTree) -> set[tuple[str, str, bool]]:
    """Who uses whom, over slots and names, and whether the use can run."""
    ahead: dict[int, list[tuple[int, bool]]] = {}
    for source, target, rule in edges_of(tree):
        ahead.setdefault(source, []).append((target, RULES[rule].runs))
    found = set()
    for node in range(len(tree)):
        if tree.kind(node):
            stack = list(ahead.get(node, ()))
            seen = set(stack)
            while stack:
                at, runs = stack.pop()
                if tree.kind(at):
                    found.add((tree.name(node), tree.name(at), runs))
                    continue
                for target, more in ahead.get(at, ()):
                    if (target, runs and more) not in seen:
                        seen.add((target, runs and more))
                        stack.append((target, runs and more))
    return found


def inherits_from_itself(tree: HeadTree) -> bool:
    """Such classes do not run; what is found of them depends on where one begins."""
    above: dict[int, set[int]] = {}
    for source, target, rule in edges_of(tree):
        if rule == NUMBER["inherit"] and source != target:
            above.setdefault(source, set()).add(target)
    for cls in above:
        seen, stack = set(above[cls]), list(above[cls])
        while stack:
            for one in above.get(stack.pop(), ()):
                if one not in seen:
                    seen.add(one)
                    stack.append(one)
        if cls in seen:
            return True
    return False


def changed(base: dict[str, str], head: dict[str, str]) -> set[str]:
    """The definitions that are not the same on both sides, without regard to documentation."""
    found = set()
    for path in {*base, *head}:
        sides = []
        for side in (base, head):
            said: dict[str, list[object]] = {}
            for one in PYTHON.read_digests(side.get(path, "").encode(), ".py") if path in side else ():
                parts = (one.kind, one.signature, one.defaults, one.decorators, one.bases, one.body)
                said.setdefault(one.name, []).append(parts)
            sides.append(said)
        found |= {f"{path}:{name}" for name in {*sides[0], *sides[1]} if sides[0].get(name) != sides[1].get(name)}
    return found


def answers(tree: HeadTree, names: Iterable[str]) -> dict[str, float]:
    """What can feel a change of these definitions: symbols and tests."""
    nodes = [node for node in map(tree.find, sorted(names)) if node is not None]
    affected = find_affected(tree, nodes)
    tests = all_tests(tree)
    found = {str(one.symbol): one.probability for one in reached_symbols(affected, tests)}
    return found | {str(one.symbol): one.probability for one in reached_tests(affected, tests, None)}


@settings(max_examples=60)
@given(st.integers(0, 1 << 32))
@example(70)
@example(88)
@example(162)
@example(781)
def test_a_change_finds_what_a_cold_start_finds(seed: int) -> None:
    source = random.Random(seed)
    base = project(source)
    head = edited(source, base)
    before, after = TextIndex(base, KNOWN), TextIndex(head, KNOWN)
    base_tree, cold = kept(before), read_head_tree(kept(after), None)
    assume(not inherits_from_itself(cold))
    assume(not inherits_from_itself(read_head_tree(base_tree, None)))
    warm = read_head_tree(base_tree, after)
    assert uses_of(cold) - uses_of(warm) == set()
    names = changed(base, head)
    found = answers(warm, names)
    missed = {name: likely for name, likely in answers(cold, names).items() if likely > 0.5 and name not in found}
    assert missed == {}


EDITS: dict[str, tuple[str, dict[str, str | None], str]] = {
    "a new override answers to calls that were there": (
        """
        a.py
            class A:
                def m(self): ...
            def use(a: A): a.m()
        b.py
            from a import A
            class B(A): ...
        """,
        {"b.py": "from a import A\nclass B(A):\n    def m(self): ...\n"},
        "a.py:use > b.py:B.m",
    ),
    "a new base brings methods to calls that were there": (
        """
        a.py
            class A:
                def m(self): ...
            class Other:
                def m(self): ...
            def use(a: A): a.m()
        b.py
            from a import A, Other
            class B(Other):
                def n(self): ...
        """,
        {"b.py": "from a import A, Other\nclass B(Other, A):\n    def n(self): ...\n"},
        "a.py:use > a.py:Other.m",
    ),
    "an override that is gone uncovers the method below it": (
        """
        a.py
            class A:
                def m(self): ...
        b.py
            from a import A
            class B(A):
                def m(self): ...
        c.py
            from b import B
            def use(): B().m()
        """,
        {"b.py": "from a import A\nclass B(A): ...\n"},
        "c.py:use > a.py:A.m",
    ),
    "what a method binds an attribute to": (
        """
        a.py
            class One:
                def m(self): ...
            class Two:
                def m(self): ...
        b.py
            from a import One, Two
            class Holder:
                def __init__(self):
                    kept = One()
                    self.kept = kept
        c.py
            from b import Holder
            def use(): Holder().kept.m()
        """,
        {
            "b.py": "from a import One, Two\nclass Holder:\n    def __init__(self):\n"
            "        kept = Two()\n        self.kept = kept\n"
        },
        "c.py:use > a.py:Two.m",
    ),
    "a fixture begins to run by itself": (
        """
        conftest.py
            import pytest
            @pytest.fixture(scope="module")
            def always(): work()
            def work(): ...
        tests/test_a.py
            def test_a(): ...
        """,
        {
            "conftest.py": "import pytest\n@pytest.fixture(autouse=True)\ndef always(): work()\ndef work(): ...\n",
        },
        "tests/test_a.py:test_a > conftest.py:always",
    ),
    "a conftest that comes between": (
        """
        conftest.py
            import pytest
            @pytest.fixture
            def thing(): ...
        tests/sub/test_a.py
            def test_a(thing): ...
        """,
        {"tests/conftest.py": "import pytest\n@pytest.fixture\ndef thing(): ...\n"},
        "tests/sub/test_a.py:test_a > tests/conftest.py:thing",
    ),
    "a fixture in a conftest that was passed over": (
        """
        conftest.py
            import pytest
            @pytest.fixture
            def thing(): ...
        tests/conftest.py
            import pytest
        tests/test_a.py
            def test_a(thing): ...
        """,
        {"tests/conftest.py": "import pytest\n@pytest.fixture\ndef thing(): ...\n"},
        "tests/test_a.py:test_a > tests/conftest.py:thing",
    ),
    "a module that was missing": (
        """
        a.py
            from b import f
            def use(): f()
        """,
        {"b.py": "def f(): ...\n"},
        "a.py:use > b.py:f",
    ),
    "a package that hides a module": (
        """
        b.py
            def f(): ...
        a.py
            from b import f
            def use(): f()
        """,
        {"b/__init__.py": "def f(): ...\n"},
        "a.py:use > b/__init__.py:f",
    ),
    "a re-export that leads elsewhere": (
        """
        p/__init__.py
            from .one import f
        p/one.py
            def f(): ...
        p/two.py
            def f(): ...
        a.py
            import p
            def use(): p.f()
        """,
        {"p/__init__.py": "from .two import f\n"},
        "a.py:use > p/two.py:f",
    ),
    "a base from outside begins to call back": (
        """
        a.py
            class A:
                def hook(self): ...
        b.py
            from a import A
            def make(): A()
        """,
        {"a.py": "from outside import Base\nclass A(Base):\n    def hook(self): ...\n"},
        "a.py:A > a.py:A.hook",
    ),
    "super goes on to a new mixin": (
        """
        a.py
            class A:
                def m(self): super().m()
        b.py
            from a import A
            class B(A): ...
        """,
        {"b.py": "from a import A\nclass M:\n    def m(self): ...\nclass B(A, M): ...\n"},
        "a.py:A.m > b.py:M.m",
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_what_an_edit_makes_possible(name: str) -> None:
    text, edit, wanted = EDITS[name]
    base = drawn(text)
    head = {path: content for path, content in {**base, **edit}.items() if content is not None}
    source, _, target = wanted.partition(" > ")
    tree = kept(TextIndex(base))
    assert (source, target, True) not in uses_of(read_head_tree(tree, None))
    assert (source, target, True) in uses_of(read_head_tree(tree, TextIndex(head)))


def test_from_nothing_and_to_nothing() -> None:
    shop = TextIndex(drawn(SHOP))
    cold = read_head_tree(kept(shop), None)
    warm = read_head_tree(kept(TextIndex({})), shop)
    assert uses_of(warm) == uses_of(cold)
    assert {warm.name(node) for node in all_tests(warm)} == {cold.name(node) for node in all_tests(cold)}
    assert warm.points == cold.points
    assert uses_of(read_head_tree(kept(shop), TextIndex({}))) == uses_of(cold)


def test_a_change_of_a_body_links_its_own_file_alone() -> None:
    base = drawn(SHOP)
    head = {**base, "shop/core.py": base["shop/core.py"].replace("return rule.rate()", "log(rule); return rule.rate()")}
    assert read_head_tree(kept(TextIndex(base)), TextIndex(head)).linked == {"shop/core.py"}


CLI = """
    shop/cli.py
        import click
        from shop.work import Worker

        class Loop:
            def turn(self):
                pass

        @click.group()
        def shop():
            pass

        shop.add_command(Worker.command)
    shop/work.py
        import click

        class Worker:
            def first(self):
                pass

            @click.command()
            def command():
                pass
    shop/views.py
        from django.views import View

        class Sale(View):
            def get(self, request):
                pass
    shop/urls.py
        from django.urls import path
        from shop.views import Sale

        urlpatterns = [path("sale/", Sale.as_view())]
"""


def test_one_more_function_before_a_command_needs_no_search_for_entry_points() -> None:
    base = drawn(CLI)
    tree = kept(TextIndex(base))
    assert {"GET /sale/", "shop"} <= {point.name for point in tree.points.points}
    head = {**base, "shop/cli.py": base["shop/cli.py"].replace("class Loop:", "class Loop:\n    def one(self): ...\n")}
    other = {**base, "shop/cli.py": base["shop/cli.py"].replace("def shop", "def store")}
    assert points_of(tree, head) == names_of(tree.points.points) != points_of(tree, other)
    assert "store" in points_of(tree, other)


def test_one_more_method_of_a_view_is_one_more_entry_point() -> None:
    base = drawn(CLI)
    more = base["shop/views.py"] + "\n    def post(self, request): ...\n"
    assert "POST /sale/" in points_of(kept(TextIndex(base)), {**base, "shop/views.py": more})
    tree = kept(TextIndex({**base, "shop/views.py": more}))
    assert "POST /sale/" in names_of(tree.points.points)
    assert "POST /sale/" not in points_of(tree, base)


def points_of(tree: KeptTree, head: dict[str, str]) -> list[str]:
    """The names of the head's entry points, by the base's tree and by themselves."""
    found = names_of(read_head_tree(tree, TextIndex(head)).points)
    assert found == names_of(kept(TextIndex(head)).points.points)
    return found


def names_of(points: Iterable[EntryPoint]) -> list[str]:
    return [point.name for point in points]


def test_what_the_change_took_away_is_found_as_well() -> None:
    base = drawn(SHOP)
    head = {**base, "shop/core.py": base["shop/core.py"].replace("return discount()", "return 2")}
    tree = read_head_tree(kept(TextIndex(base)), TextIndex(head))
    assert "tests/test_shop.py:test_sale" in answers(tree, ["shop/core.py:discount"])
    assert "tests/test_shop.py:test_nothing" not in answers(tree, ["shop/core.py:discount"])


# The store


def test_a_kept_graph_is_read_and_a_damaged_one_is_made_again(tmp_path: Path) -> None:
    index = TextIndex(drawn(SHOP))
    folder = tmp_path / "tidegate" / "reach"
    with open_store(folder) as store:
        first = read_kept_tree(index, store)
    kept_files = {path.name: path.read_bytes() for path in folder.glob("value-*")}
    assert len(kept_files) == 3
    for name, content in kept_files.items():
        for damage in (content[:-9], content[:40], b"", content[:-1] + bytes([content[-1] ^ 1]), b"\0" * len(content)):
            (folder / name).write_bytes(damage)
            with open_store(folder) as store:
                again = read_kept_tree(index, store)
            assert again.graph.arrays == first.graph.arrays
            assert (again.state, again.points) == (first.state, first.points)
            assert {path.name: path.read_bytes() for path in folder.glob("value-*")} == kept_files


def test_values_that_are_whole_but_no_graph_are_made_again(tmp_path: Path) -> None:
    import msgspec

    index = TextIndex(drawn(SHOP))
    with open_store(tmp_path / "tidegate" / "reach") as store:
        first = read_kept_tree(index, store)
        from tidegate.reach import trees

        key = f"{index.tree}-{trees._versions()}"
        for kind in ("graph", "links", "points"):
            whole = store.get_bytes(kind, key)
            assert whole is not None
            other = msgspec.msgpack.encode([99, *msgspec.msgpack.decode(whole)[1:]])
            for wrong in (b"", b"\xc1", b"\x90", msgspec.msgpack.encode({"a": 1}), whole[:-1], other):
                assert store.put_bytes(kind, key, wrong)
                assert read_kept_tree(index, store).graph.arrays == first.graph.arrays


def test_a_file_that_could_not_be_read_for_a_while_is_not_left_out_for_ever(tmp_path: Path) -> None:
    index, other = TextIndex(drawn(SHOP)), TextIndex(drawn(SHOP))
    other.unread = {"shop/core.py": "its content is missing in this clone"}
    with open_store(tmp_path / "tidegate" / "reach") as store:
        without = read_kept_tree(other, store)
        assert "shop/core.py:price" not in without.graph.names
        assert "shop/core.py:price" in read_kept_tree(index, store).graph.names


# Whole processes


def run(*arguments: str, cwd: Path, seed: str = "0") -> str:
    done = subprocess.run(
        [PROGRAM, "reach", *arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": os.devnull, "LC_ALL": "C", "PYTHONHASHSEED": seed},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode("utf-8", "replace")
    return done.stdout.decode("utf-8")


@pytest.fixture
def shop(tmp_path: Path) -> Repo:
    repo = Repo.init(tmp_path / "shop")
    base = drawn(SHOP)
    repo.commit("base", base)
    repo.commit("head", {"shop/core.py": base["shop/core.py"].replace("return 0.5", "return 0.4")})
    return repo


def values(repo: Repo) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (repo.path / ".git/tidegate/reach").glob("value-*")}


def test_two_cold_starts_give_the_same_bytes(shop: Repo) -> None:
    given = []
    for seed in ("1", "2"):
        said = run("--format", "json", cwd=shop.path, seed=seed)
        given.append((said, values(shop)))
        shutil.rmtree(shop.path / ".git/tidegate")
    assert given[0] == given[1]
    answer = json.loads(given[0][0])
    assert [test["symbol"]["name"] for test in answer["tests"]] == ["test_sale"]
    assert [point["name"] for point in answer["entry_points"]] == ["GET /price"]


def test_two_at_once_and_one_that_is_killed_leave_a_store_that_answers_right(shop: Repo) -> None:
    more = {f"m{n}.py": f"from shop import price\n\n\ndef f{n}(x):\n    return price(x)\n" for n in range(60)}
    shop.commit("more", more)
    wanted = run("HEAD~2..HEAD", "--format", "json", cwd=shop.path)
    for pause in (0.2, 0.35):
        shutil.rmtree(shop.path / ".git/tidegate")
        command = [PROGRAM, "reach", "HEAD~2..HEAD"]
        killed = subprocess.Popen(command, cwd=shop.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(pause)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert run("HEAD~2..HEAD", "--format", "json", cwd=shop.path) == wanted
    shutil.rmtree(shop.path / ".git/tidegate")
    command = [PROGRAM, "reach", "HEAD~2..HEAD", "--format", "json"]
    both = [subprocess.Popen(command, cwd=shop.path, stdout=subprocess.PIPE) for _ in range(2)]
    assert [process.communicate(timeout=60)[0].decode() for process in both] == [wanted, wanted]
    assert run("HEAD~2..HEAD", "--format", "json", cwd=shop.path) == wanted


# Hostile trees


def test_hostile_trees_cost_their_own_files_alone(shop: Repo) -> None:
    deep = 10_000
    hostile: dict[str, bytes] = {
        "line.py": b"x = '" + b"a" * (10 << 20) + b"'\n",
        "nested.py": b"x = " + b"(" * deep + b")" * deep + b"\n",
        "lists.js": b"x = " + b"[" * deep + b"]" * deep + b"\n",
        "calls.py": b"def f():\n    return x" + b".a()" * 50_000 + b"\n",
        "invalid.py": b"def f(): return '\xff\xfe'\n",
        "nul.py": b"def f(): return 1\0\n",
        "deep.go": b"package a\nfunc f() {" + b"{" * deep + b"}" * deep + b"}\n",
        "deep.java": b"class A { int f() { return " + b"(" * deep + b"1" + b")" * deep + b"; } }\n",
    }
    for path, content in hostile.items():
        shop.write(path, content)
    (shop.path / "loop.py").symlink_to("loop.py")
    (shop.path / "around").symlink_to(".")
    (shop.path / "out.py").symlink_to("/etc/passwd")
    shop.git("add", "-A")
    blob = shop.git("hash-object", "-w", "--stdin", stdin=b"from shop import price\ndef odd(x): return price(x)\n")
    paths = [b"caf\xe9.py", b"new\nline.py", b"a:b.py", b"c#/x.py", b"tab\t.py", b"-x.py"]
    entries = b"".join(b"100644 %s\t%s\0" % (blob.encode(), path) for path in paths)
    shop.git("update-index", "-z", "--index-info", stdin=entries)
    shop.git("update-index", "--add", "--cacheinfo", f"160000,{shop.head()},sub.py")
    shop.git("commit", "-q", "-m", "hostile")
    base = drawn(SHOP)["shop/core.py"]
    shop.git("checkout", "-q", "-f", "HEAD", "--", "shop")
    shop.write("shop/core.py", base.replace("return 0.5", "return 0.3"))
    shop.git("add", "shop")
    shop.git("commit", "-q", "-m", "change")
    began = time.monotonic()
    answer = json.loads(run("--format", "json", cwd=shop.path))
    assert time.monotonic() - began < 40
    assert [test["symbol"]["name"] for test in answer["tests"]] == ["test_sale"]
    reached = {(one["symbol"]["path"], one["symbol"]["name"]) for one in answer["reached"]}
    assert {("app.py", "show"), ("shop/core.py", "price")} <= reached
    assert {("tab\t.py", "odd"), ("-x.py", "odd")} <= reached
    unread = dict(answer["completeness"]["unread"])
    assert unread["line.py"] == "it is larger than 2 MB"
    assert unread["loop.py"] == unread["out.py"] == "it is a symbolic link"
    for path in ("nested.py", "nul.py", "invalid.py", "new\nline.py", "a:b.py", "c#/x.py", "caf\\xe9.py"):
        assert unread[path], path
    assert len(unread) == answer["completeness"]["unread_total"]
    text = run(cwd=shop.path)
    assert "test_sale" in text


def test_a_large_change_takes_time_in_proportion() -> None:
    """Twice the files take about twice the time: nothing looks at every new edge for every new node."""
    taken = []
    for count in (150, 600):
        files = {
            f"m{n}.py": f"from m{n - 1} import f as g, A as B\n\n\ndef f():\n    return g()\n\n\nclass A(B):\n"
            "    def m(self):\n        return self.m()\n\n    def own(self):\n        return f()\n"
            if n % 10
            else "def f(): ...\n\n\nclass A:\n    def m(self): ...\n"
            for n in range(count)
        }
        base, head = TextIndex({}), TextIndex(files)
        tree = read_head_tree(kept(base), head)
        began = time.process_time()
        found = answers(tree, [f"{path}:{name}" for path in files for name in ("f", "A", "A.m")])
        assert len(found) == count * 9 // 10
        taken.append(time.process_time() - began)
    assert taken[1] < 12 * taken[0] + 0.2
