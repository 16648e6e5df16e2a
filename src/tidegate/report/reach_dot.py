"""Reach as a graph for Graphviz: the same nodes and edges as the picture, in clusters by service or folder."""

from __future__ import annotations

from tidegate.reach.answer import ReachAnswer
from tidegate.report.escape import dot
from tidegate.report.reach_graph import MOST_NODES, Edge, Graph, Node, make_graph
from tidegate.report.reach_words import View, pair_words, percent, totals


def render_reach_dot(answer: ReachAnswer, view: View = View()) -> str:  # noqa: B008 an immutable value
    """A digraph in the DOT language (https://graphviz.org/doc/info/lang.html). `--limit` sets how many nodes it has."""
    graph = make_graph(answer, view, view.limit or MOST_NODES)
    groups: dict[str, list[int]] = {}
    for index, node in enumerate(graph.nodes):
        groups.setdefault(node.group, []).append(index)
    lines = [
        "digraph reach {",
        '  graph [rankdir="LR", fontname="sans-serif", labelloc="t"];',
        f'  label="{_label(totals(answer), _folded(graph))}";',
        '  node [shape="box", style="rounded,filled", fillcolor="white", fontname="sans-serif", fontsize="11"];',
        '  edge [dir="back", fontname="sans-serif", fontsize="9"];',
    ]
    for number, (name, members) in enumerate(groups.items()):
        lines.append(f"  subgraph cluster_{number} {{")
        lines.append(f'    label="{dot(name, 120)}";')
        lines += [f"    {_node(index, graph.nodes[index])}" for index in members]
        lines.append("  }")
    lines += [f"  {_edge(edge)}" for edge in graph.edges]
    return "\n".join([*lines, "}"]) + "\n"


# Private


def _folded(graph: Graph) -> str:
    return f"Folded: {graph.folded}." if graph.folded else ""


def _label(*lines: str) -> str:
    return "\\n".join(dot(line, 300) for line in lines if line)


def _node(index: int, node: Node) -> str:
    look = {"changed": ', fillcolor="#fff3cf"', "entry": ', fillcolor="#e3f3e8", shape="oval"'}.get(node.kind, "")
    chance = "" if node.kind == "changed" else percent(node.probability).strip()
    label = _label(node.name, "  ".join(part for part in (node.detail, chance) if part))
    return f'n{index} [label="{label}", tooltip="{_label(*node.title.split(chr(10)))}"{look}];'


def _edge(edge: Edge) -> str:
    """From the change outwards, so that it stands at the left; the arrow points the other way, to what is used."""
    style = "bold" if edge.evidence == "recorded" else "dashed" if edge.probability < 0.5 else "solid"
    label = "" if edge.rule == "entry" else dot(pair_words(edge.rule), 60)
    return f'n{edge.target} -> n{edge.source} [label="{label}", style="{style}"];'
