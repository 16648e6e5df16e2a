"""Reach as JSON, as a graph for Graphviz, as a picture and as a page."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import time
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot
from msgspec.structs import replace

from tests.report import reach_samples as samples
from tests.report.hostile import hostile_text
from tidegate.cli.schema import schema_of
from tidegate.reach.answer import ReachAnswer, SymbolId
from tidegate.report.reach_dot import render_reach_dot
from tidegate.report.reach_graph import MOST_NODES, TALLEST, make_graph
from tidegate.report.reach_html import render_reach_html
from tidegate.report.reach_json import render_reach_json, render_why_json
from tidegate.report.reach_layout import NODE_HEIGHT, NODE_WIDTH, lay_out
from tidegate.report.reach_svg import render_reach_svg
from tidegate.report.reach_words import View

ALL = (
    samples.small,
    samples.rich,
    samples.nothing,
    samples.unknown,
    samples.asked,
    samples.hostile,
    samples.answer,
    lambda: samples.graph(300),
)
each = pytest.mark.parametrize("sample", ALL, ids=range(len(ALL)))


# JSON


@each
def test_json_fits_its_schema_and_holds_the_whole_answer(sample: Any) -> None:
    answer = sample()
    written = render_reach_json(answer)
    document = json.loads(written)
    jsonschema.Draft202012Validator(json.loads(schema_of("reach"))).validate(document)
    assert document.pop("schema") == "tidegate.reach/1"
    document.pop("tidegate")
    assert written.count("\n") == 1
    if sample is not samples.hostile:
        assert msgspec.convert(document, ReachAnswer, strict=False) == answer


def test_paths_as_json() -> None:
    document = json.loads(render_why_json(samples.paths()))
    jsonschema.Draft202012Validator(json.loads(schema_of("reach-why"))).validate(document)
    assert [len(path) for path in document["paths"]] == [3, 1]
    assert json.loads(render_why_json(()))["paths"] == []


@settings(max_examples=25, deadline=None)
@given(hostile_text)
def test_hostile_json_is_json_and_no_command_of_a_log(text: str) -> None:
    written = render_reach_json(samples.hostile(text))
    written.encode()
    assert json.loads(written)["reviewers"] == [f"{text}!".encode("utf-8", "backslashreplace").decode()]
    assert not re.search(r"##\w*\[", written)


# DOT

_STRING = r'"(?:[^"\\\n]|\\.)*"'
_ATTRIBUTES = rf"\[\w+={_STRING}(?:, \w+={_STRING})*\]"
_DOT_LINE = re.compile(
    rf"digraph reach \{{|\}}|  \}}|  (?:graph|node|edge) {_ATTRIBUTES};|  subgraph cluster_\d+ \{{|"
    rf"  (?:  )?label={_STRING};|    n\d+ {_ATTRIBUTES};|  n\d+ -> n\d+ {_ATTRIBUTES};"
)


def test_a_small_graph_for_graphviz() -> None:
    assert render_reach_dot(samples.small()) == snapshot("""\
digraph reach {
  graph [rankdir="LR", fontname="sans-serif", labelloc="t"];
  label="1 symbol -> 2 symbols, 1 route, 1 team, 1 test; 9 % of calls unresolved";
  node [shape="box", style="rounded,filled", fillcolor="white", fontname="sans-serif", fontsize="11"];
  edge [dir="back", fontname="sans-serif", fontsize="9"];
  subgraph cluster_0 {
    label="shop/";
    n0 [label="charge\\npay.py:12", tooltip="shop/pay.py:charge", fillcolor="#fff3cf"];
    n1 [label="Cart.checkout\\ncart.py:80  99 %", tooltip="shop/cart.py:Cart.checkout"];
    n2 [label="post_order\\napi.py:28  97 %", tooltip="shop/api.py:post_order"];
    n3 [label="POST /orders\\nflask  97 %", tooltip="POST /orders", fillcolor="#e3f3e8", shape="oval"];
  }
  n0 -> n1 [label="calls", style="solid"];
  n1 -> n2 [label="calls", style="solid"];
  n2 -> n3 [label="", style="solid"];
}
""")


@each
def test_every_line_is_a_statement_of_dot(sample: Any) -> None:
    for line in render_reach_dot(sample()).splitlines():
        assert _DOT_LINE.fullmatch(line), line


@settings(max_examples=25, deadline=None)
@given(hostile_text)
def test_hostile_names_stay_in_their_strings(text: str) -> None:
    for line in render_reach_dot(samples.hostile(text)).split("\n")[:-1]:
        assert _DOT_LINE.fullmatch(line), line


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@each
def test_graphviz_draws_it(sample: Any) -> None:
    done = subprocess.run(
        ["dot", "-Tplain"], input=render_reach_dot(sample()).encode(), capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"\nnode ") == len(make_graph(sample()).nodes)


# The picture


@each
def test_the_picture_is_wellformed_and_has_no_scripts(sample: Any) -> None:
    root = parse_svg(render_reach_svg(sample()))
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert names <= {"svg", "title", "desc", "style", "rect", "text", "g", "path", "a"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on") or name in ("style", "href")}
    title = root.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert root.get("aria-labelledby") == "reach-title reach-desc"
    assert "prefers-color-scheme:dark" in render_reach_svg(sample())


@settings(max_examples=25, deadline=None)
@given(hostile_text)
def test_hostile_names_are_text_in_the_picture(text: str) -> None:
    calm, hostile = (parse_svg(render_reach_svg(samples.hostile(t))) for t in ("name", f"x{text}y"))
    assert {element.tag for element in hostile.iter()} == {element.tag for element in calm.iter()}
    for element in hostile.iter():
        assert all(character.isprintable() or character == "\n" for character in element.text or "")


@pytest.mark.parametrize("size", [0, 1, 5, 20, 60, 100, 300, 1000, 5000])
def test_the_picture_can_be_read_at_any_size(size: int) -> None:
    answer = samples.graph(size)
    graph = make_graph(answer)
    layout = lay_out(graph)
    assert len(graph.nodes) <= MOST_NODES + 2
    assert layout.height < (TALLEST + 16) * 48 + 8 * 60
    for index, box in enumerate(layout.boxes):
        assert box.x >= 0
        assert box.x + NODE_WIDTH <= layout.width
        assert box.y >= 0
        assert box.y + NODE_HEIGHT <= layout.height
        assert not any(
            other.x == box.x and abs(other.y - box.y) < NODE_HEIGHT for other in layout.boxes[index + 1 :]
        ), "boxes overlap"
    assert sum(node.count for node in graph.nodes if node.kind == "reached") == size


@pytest.mark.parametrize("size", [5, 60, 300, 5000])
def test_every_box_leads_to_what_changed(size: int) -> None:
    graph = make_graph(samples.graph(size))
    toward = {edge.source: edge.target for edge in graph.edges}
    for index in range(len(graph.nodes)):
        at, steps = index, 0
        while graph.nodes[at].kind != "changed":
            at, steps = toward[at], steps + 1
            assert steps <= len(graph.nodes)


def test_a_tree_in_one_band_has_no_crossings() -> None:
    answer = samples.graph(60, files=1)
    layout = lay_out(make_graph(answer))
    assert len(layout.bands) == 2
    assert layout.crossings == 0


def test_services_are_the_bands_where_they_are_known() -> None:
    assert {node.group for node in make_graph(samples.rich()).nodes} == {"shop", "no service"}


def test_many_changed_symbols_and_entry_points_are_folded() -> None:
    base = samples.graph(20)
    many = tuple(samples.changed(f"core/f{n}.py:g{n}", "body") for n in range(100))
    entries = tuple(replace(base.entry_points[0], name=f"GET /{n}") for n in range(100))
    graph = make_graph(replace(base, changed=(*base.changed, *many), entry_points=entries))
    assert sum(node.count for node in graph.nodes if node.kind == "changed") == 102
    assert sum(node.count for node in graph.nodes if node.kind == "entry") == 100
    assert len(graph.nodes) <= MOST_NODES


def test_the_same_answer_gives_the_same_bytes() -> None:
    for render in (render_reach_svg, render_reach_dot, render_reach_html, render_reach_json):
        assert render(samples.graph(300)) == render(samples.graph(300))


def parse_svg(text: str) -> ET.Element:
    return ET.fromstring(text)


# The page


class _Page(HTMLParser):
    """What a browser would find: tags, attributes, ids, links, and the content of styles and scripts."""

    VOID = ("meta", "br")

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.raw: dict[str, list[str]] = {"style": [], "script": []}
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]].append(data)
        else:
            self.words.append(data)

    def of(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


@each
def test_the_page_stands_alone(sample: Any) -> None:
    written = render_reach_html(sample())
    page = _Page(written)
    assert page.open == []
    assert len(page.of("id")) == len(set(page.of("id")))
    links = page.of("href")
    assert all(link.startswith("#") and link[1:] in page.of("id") for link in links)
    names = {name for _, name, _ in page.attributes}
    assert not {name for name in names if name.startswith("on") or name in ("src", "style", "action")}
    assert page.tags.count("script") == 1
    policy = next(value for value in page.of("content") if "default-src" in value)
    assert policy.startswith("default-src 'none'; ")
    for content in (*page.raw["style"], *page.raw["script"]):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "http" not in "".join(page.raw["script"] + page.raw["style"])


def test_the_page_says_all_of_it_without_scripts() -> None:
    text = " ".join(_Page(render_reach_html(samples.rich())).words)
    for said in ("Cart.checkout", "jobs/job_29.py", "POST /orders", "mail", "@shop/platform", "Alice Smith", "test_8"):
        assert said in text
    for said in ("shop/tax.py:vat", "syntax", "pytest tests/test_cart.py::test_0", "Perl 1"):
        assert said in text


def test_boxes_lead_to_the_symbols_that_they_stand_for() -> None:
    written = render_reach_html(samples.graph(300))
    assert len(re.findall(r'<a href="#file-\d+"><g class="reached">', written)) == sum(
        node.kind == "reached" for node in make_graph(samples.graph(300)).nodes
    )
    assert all(f"method_{number}" in written for number in range(300))


@settings(max_examples=25, deadline=None)
@given(hostile_text)
def test_hostile_names_are_text_in_the_page(text: str) -> None:
    calm, hostile = (_Page(render_reach_html(samples.hostile(t))) for t in ("name", f"x{text}y"))
    assert set(hostile.tags) <= set(calm.tags), "a name that is not safe to copy gives no command"
    assert {name for _, name, _ in hostile.attributes} <= {name for _, name, _ in calm.attributes}
    assert hostile.raw == calm.raw
    for word in hostile.words:
        assert all(character.isprintable() or character == "\n" for character in word)


def test_a_deep_page_is_nested_no_deeper_than_browsers_go() -> None:
    chain = tuple(
        samples.reached(f"a{n}.py:f", f"a{n - 1}.py:f" if n else "x.py:x", 0.9, n + 1, origin=SymbolId("x.py", "x"))
        for n in range(1000)
    )
    written = render_reach_html(samples.answer(changed=(samples.changed("x.py:x", "body"),), reached=chain))
    depth = deepest = 0
    for tag in re.findall(r"<(/?ul)>", written):
        depth += -1 if tag == "/ul" else 1
        deepest = max(deepest, depth)
    assert depth == 0
    assert deepest <= 50
    assert written.count("<b>f</b>") == 1000


def test_large_answers_are_quick_and_bounded() -> None:
    answer = samples.graph(5000, files=400)
    for render, most in ((render_reach_svg, 200_000), (render_reach_dot, 100_000), (render_reach_html, 2_000_000)):
        start = time.process_time()
        assert len(render(answer)) < most
        assert time.process_time() - start < 1.0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 400), st.integers(1, 40), st.integers(1, 4), st.floats(0, 1), st.integers(0, 4))
def test_any_graph_is_drawn(size: int, files: int, roots: int, at_least: float, depth: int) -> None:
    view = View(depth=depth, at_least=at_least)
    answer = samples.graph(size, files=files, roots=roots)
    graph = make_graph(answer, view)
    shown = sum(view.shows(symbol) for symbol in answer.reached)
    assert sum(node.count for node in graph.nodes if node.kind == "reached") == shown
    assert graph.hidden == size - shown
    parse_svg(render_reach_svg(answer, view))
