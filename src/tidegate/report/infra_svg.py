"""Effects on infrastructure as a picture: what is hit on the left, what needs it to the right; cut ways dashed."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from tidegate.facts import Effect, Infra, Severity
from tidegate.infra.judge import Judgement
from tidegate.infra.severity import ORDER
from tidegate.report.escape import ELLIPSIS, markup, plain
from tidegate.report.infra_words import HEAD, headline, word_of
from tidegate.report.layout import columns, grouped, split_at, wrap
from tidegate.report.reach_graph import Edge, Graph, Node
from tidegate.report.reach_layout import GAP_X, MARGIN, NODE_HEIGHT, NODE_WIDTH, Box, Layout, lay_out

MOST_HIT = 18
MOST_NODES = 60
DEEPEST = 4

STYLE = """
.page{fill:#fff}.box{fill:#fff;stroke:#c4ccd4}
.critical .box{fill:#ffe3e0;stroke:#b3261e;stroke-width:2}.high .box{fill:#ffecdc;stroke:#b95c00}
.medium .box{fill:#fff3cf;stroke:#c99a1a}.low .box,.note .box{fill:#f0f3f6;stroke:#8a939c}
text{font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;fill:#1f2328}
.title{font-size:15px;font-weight:600}.name{font-size:12px;font-weight:500}.small{font-size:11px;fill:#59636e}
.edge{fill:none;stroke:#8a939c;stroke-width:1.3}.cut{stroke:#b3261e;stroke-width:2;stroke-dasharray:6 4}
@media (prefers-color-scheme:dark){
.page{fill:#0d1117}.box{fill:#21262d;stroke:#484f58}
.critical .box{fill:#3d1512;stroke:#f2665b}.high .box{fill:#3a2108;stroke:#e08a3c}
.medium .box{fill:#3d2e00;stroke:#bb8009}.low .box,.note .box{fill:#262c33;stroke:#6e7681}
text{fill:#e6edf3}.small{fill:#9198a1}.edge{stroke:#6e7681}.cut{stroke:#f2665b}
}
"""


def render_infra_svg(judged: Judgement, infra: Infra) -> str:
    """One SVG image without scripts, light and dark, its text escaped. The gravest stand at the top left."""
    hit = _hit(infra.effects)
    graph, cut = _graph(judged, infra.effects, hit)
    layout = lay_out(graph)
    width = max(layout.width, 640.0)
    said = f"{HEAD[word_of(infra)]}: {headline(infra)}"
    notes = _notes(infra, len(hit), graph)
    lines = [("title", line) for line in wrap(plain(said), int((width - 2 * MARGIN) / 9.2))]
    lines += [("small", line) for line in wrap(plain(notes), int((width - 2 * MARGIN) / 6.5)) if notes]
    top = MARGIN + 20 * len(lines) + 4
    height = top + layout.height + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width)}" height="{_n(height)}" '
        f'viewBox="0 0 {_n(width)} {_n(height)}" role="img" aria-labelledby="infra-title">',
        f'<title id="infra-title">{markup(said, 600)}</title>',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{_n(width)}" height="{_n(height)}"/>',
        *(f'<text class="{kind}" x="{MARGIN}" y="{MARGIN + 14 + 20 * n}">{markup(text)}</text>'
          for n, (kind, text) in enumerate(lines)),
        f'<g transform="translate(0 {top})">',
        *(_edge(edge, graph, layout, cut) for edge in graph.edges),
        *(_node(node, box) for node, box in zip(graph.nodes, layout.boxes, strict=True)),
        "</g>",
        "</svg>",
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


# Private

_CHARACTER = 7.1


def _hit(effects: Iterable[Effect]) -> dict[str, Effect]:
    """The gravest effect of each address, as many as can be read."""
    found: dict[str, Effect] = {}
    for effect in effects:
        if ORDER.index(effect.severity) >= 1:
            found.setdefault(effect.address, effect)
    return dict(list(found.items())[:MOST_HIT])


def _graph(judged: Judgement, effects: Iterable[Effect], hit: dict[str, Effect]) -> tuple[Graph, set[tuple[str, str]]]:
    """What is hit and what needs it, hop by hop, and the ways that the change cuts."""
    layers = dict.fromkeys(hit, 0)
    uses: dict[tuple[str, str], str] = {}
    frontier = list(hit)
    for layer in range(1, DEEPEST + 1):
        reached = []
        for address in frontier:
            for world in judged.worlds:
                for use in world.uses_before.users(address):
                    if use.user not in layers and len(layers) < MOST_NODES:
                        layers[use.user] = layer
                        reached.append(use.user)
                    if use.user in layers:
                        uses.setdefault((use.user, address), use.through)
        frontier = reached
    cut: set[tuple[str, str]] = set()
    for effect in effects:
        steps = [step for step in effect.path if step in layers or len(layers) < MOST_NODES]
        for place, (one, other) in enumerate(pairwise(steps)):
            for step, back in ((one, place), (other, place + 1)):
                layers.setdefault(step, min(DEEPEST, len(steps) - back))
            cut.add((one, other))
            uses.setdefault((one, other), "way in")
    names = list(layers)
    nodes = tuple(_to_node(name, layers[name], hit.get(name)) for name in names)
    at = {name: place for place, name in enumerate(names)}
    edges = tuple(Edge(at[a], at[b], through, 1.0, "static") for (a, b), through in sorted(uses.items()))
    return Graph(nodes, edges, "", 0), cut


def _to_node(name: str, layer: int, effect: Effect | None) -> Node:
    detail = f"{effect.severity}: {effect.code}" if effect is not None else ""
    title = f"{name}\n{effect.reason}" if effect is not None else name
    return Node("changed" if effect is not None else "reached", name, detail, title, "", "", layer)


def _notes(infra: Infra, shown: int, graph: Graph) -> str:
    parts = []
    addresses = len({effect.address for effect in infra.effects})
    if addresses > shown:
        parts.append(f"{grouped(addresses - shown, 'resource')} with effects not shown.")
    if len(graph.nodes) >= MOST_NODES:
        parts.append("More needs these than fits.")
    parts += [f"Cannot judge {one.address}: {one.reason}" for one in infra.unjudged[:2]]
    return " ".join(parts)


def _edge(edge: Edge, graph: Graph, layout: Layout, cut: set[tuple[str, str]]) -> str:
    near, far = layout.boxes[edge.target], layout.boxes[edge.source]
    source, target = graph.nodes[edge.source], graph.nodes[edge.target]
    if far.x <= near.x:
        x1, x2, bend = near.x + NODE_WIDTH, far.x + NODE_WIDTH, GAP_X * 0.55
        curve = (x1 + bend, x2 + bend)
    else:
        x1, x2 = near.x + NODE_WIDTH, far.x
        bend = min(GAP_X * 0.6, (x2 - x1) / 2)
        curve = (x1 + bend, x2 - bend)
    y1, y2 = near.y + NODE_HEIGHT / 2, far.y + NODE_HEIGHT / 2
    path = f"M{_n(x1)} {_n(y1)}C{_n(curve[0])} {_n(y1)} {_n(curve[1])} {_n(y2)} {_n(x2)} {_n(y2)}"
    kind = "edge cut" if (source.name, target.name) in cut else "edge"
    through = f" through {edge.rule}" if edge.rule else ""
    title = markup(f"{source.name} needs {target.name}{through}", 300)
    return f'<path class="{kind}" d="{path}"><title>{title}</title></path>'


def _node(node: Node, box: Box) -> str:
    severity: Severity | str = node.detail.partition(":")[0]
    lines = "".join(f"{markup(line, 600)}\n" for line in node.title.split("\n")).rstrip("\n")
    room = NODE_WIDTH - 18
    return (
        f'<g class="{severity}"><title>{lines}</title>'
        f'<rect class="box" x="{_n(box.x)}" y="{_n(box.y)}" width="{NODE_WIDTH}" height="{NODE_HEIGHT}" rx="6"/>'
        f'<text class="name" x="{_n(box.x + 9)}" y="{_n(box.y + 16)}">{markup(_fit(node.name, room))}</text>'
        f'<text class="small" x="{_n(box.x + 9)}" y="{_n(box.y + 30)}">{markup(_fit(node.detail, room))}</text></g>'
    )


def _fit(text: str, room: float) -> str:
    """The end of a name tells it from others, its beginning what it is: the middle goes."""
    shown, most = plain(text, 400), int(room / _CHARACTER)
    if columns(shown) <= most:
        return shown
    head = split_at(shown, most // 2)[0]
    return head + ELLIPSIS + shown[-(most - len(head) - 1) :]


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
