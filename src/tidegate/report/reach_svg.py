"""Reach as a picture: one SVG image without scripts, light and dark, that is read from the change to the right."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.reach.answer import ReachAnswer
from tidegate.report.escape import ELLIPSIS, markup, plain
from tidegate.report.layout import columns, grouped, split_at, wrap
from tidegate.report.reach_graph import FURTHEST, Edge, Graph, Node, make_graph
from tidegate.report.reach_layout import (
    GAP_X,
    MARGIN,
    NODE_HEIGHT,
    NODE_WIDTH,
    Band,
    Box,
    Layout,
    column_x,
    lay_out,
)
from tidegate.report.reach_words import View, conclusion, doubts, pair_words, percent, totals

STYLE = """
.page{fill:#fff}.band{fill:#f6f8fa}.box{fill:#fff;stroke:#c4ccd4}.deck{fill:#eef1f4;stroke:#c4ccd4}
.changed .box{fill:#fff3cf;stroke:#c99a1a}.entry .box{fill:#e3f3e8;stroke:#3f8f56}
text{font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;fill:#1f2328}
.title{font-size:15px;font-weight:600}.name{font-size:12px;font-weight:500}.small{font-size:11px;fill:#59636e}
.edge{fill:none;stroke:#8a939c;stroke-width:1.3}.recorded{stroke:#1f6feb;stroke-width:2}
.unlikely{stroke-dasharray:4 4}.faint{opacity:.55}
a:hover .box,a:focus .box{stroke-width:2.5}
@media (prefers-color-scheme:dark){
.page{fill:#0d1117}.band{fill:#161b22}.box{fill:#21262d;stroke:#484f58}.deck{fill:#2d333b;stroke:#484f58}
.changed .box{fill:#3d2e00;stroke:#bb8009}.entry .box{fill:#10301c;stroke:#3fb950}
text{fill:#e6edf3}.small{fill:#9198a1}.edge{stroke:#6e7681}.recorded{stroke:#58a6ff}
}
"""


def render_reach_svg(
    answer: ReachAnswer,
    view: View = View(),  # noqa: B008 an immutable value
    anchors: Mapping[str, str] | None = None,
    *,
    titled: bool = True,
) -> str:
    """The image, its text escaped. `anchors` are ids in the page around it that a file or folder links to.

    Without `titled` the page says the totals, and what is not known.
    """
    graph = make_graph(answer, view)
    layout = lay_out(graph)
    width = max(layout.width, 640.0)
    lines = _lines(answer, graph, width - 2 * MARGIN, titled)
    top = MARGIN + 20 * len(lines) + 4
    height = top + layout.height + _LEGEND
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width)}" height="{_n(height)}" '
        f'viewBox="0 0 {_n(width)} {_n(height)}" role="img" aria-labelledby="reach-title reach-desc">',
        f'<title id="reach-title">How far it reaches: {markup(totals(answer))}</title>',
        f'<desc id="reach-desc">{markup(_description(graph))}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{_n(width)}" height="{_n(height)}"/>',
        *(_line(number, kind, text) for number, (kind, text) in enumerate(lines)),
        f'<g transform="translate(0 {top})">',
        *_heads(layout),
        *(_band(band, width) for band in layout.bands),
        *(_edge(edge, graph, layout) for edge in sorted(graph.edges, key=lambda edge: edge.evidence == "recorded")),
        *(_node(node, box, anchors or {}) for node, box in zip(graph.nodes, layout.boxes, strict=True)),
        "</g>",
        *_legend(height - _LEGEND + 14),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


# Private

_LEGEND = 36
_CHARACTER = 7.1
"""Pixels of a character of a name at most, on average; a text that is measured with it stays inside its box."""


def _lines(answer: ReachAnswer, graph: Graph, width: float, titled: bool) -> list[tuple[str, str]]:
    """The totals and what must be known beside them: class and text of each line."""
    said = conclusion(answer)
    missing = doubts(answer.completeness)
    notes = [said] if said else [f"Not known: {'; '.join(missing)}."] if missing else []
    if not titled:
        notes = []
    if graph.folded:
        notes.append(f"Folded: {graph.folded}.")
    if graph.hidden:
        notes.append(f"{grouped(graph.hidden, 'symbol')} not shown.")
    lines = [("title", line) for line in wrap(plain(totals(answer)), int(width / 9.2))] if titled else []
    return lines + [("small", line) for line in wrap(plain(" ".join(notes), 800), int(width / 6.5)) if line]


def _line(number: int, kind: str, text: str) -> str:
    return f'<text class="{kind}" x="{MARGIN}" y="{MARGIN + 14 + 20 * number}">{markup(text)}</text>'


def _description(graph: Graph) -> str:
    changed = sum(node.kind == "changed" for node in graph.nodes)
    return (
        f"Of {len(graph.nodes)} boxes {changed} on the left changed. "
        "An edge leads from every other box to what it uses on its most likely way to the change."
    )


def _heads(layout: Layout) -> list[str]:
    heads = []
    for index, layer in enumerate(layout.columns):
        text = "changed" if layer == 0 else grouped(layer, "hop") if layer < FURTHEST else f"{FURTHEST} hops or more"
        heads.append(f'<text class="small" x="{_n(column_x(index))}" y="{MARGIN + 12}">{text}</text>')
    return heads


def _band(band: Band, width: float) -> str:
    rect = f'<rect class="band" x="4" y="{_n(band.y)}" width="{_n(width - 8)}" height="{_n(band.height)}" rx="8"/>'
    return f'{rect}<text class="small" x="{MARGIN}" y="{_n(band.y + 17)}">{markup(_fit(band.name, width))}</text>'


def _edge(edge: Edge, graph: Graph, layout: Layout) -> str:
    near, far = layout.boxes[edge.target], layout.boxes[edge.source]
    x1, y1 = near.x + NODE_WIDTH, near.y + NODE_HEIGHT / 2
    x2, y2 = far.x, far.y + NODE_HEIGHT / 2
    classes = ["edge"]
    if edge.evidence == "recorded":
        classes.append("recorded")
    if edge.probability < 0.5:
        classes.append("unlikely")
    if edge.probability < 0.8:
        classes.append("faint")
    if far.x <= near.x:  # of one column: an arc at its right side
        bend, x2 = GAP_X * 0.55, far.x + NODE_WIDTH
        path = f"M{_n(x1)} {_n(y1)}C{_n(x1 + bend)} {_n(y1)} {_n(x2 + bend)} {_n(y2)} {_n(x2)} {_n(y2)}"
    else:
        bend = min(GAP_X * 0.6, (x2 - x1) / 2)
        path = f"M{_n(x1)} {_n(y1)}C{_n(x1 + bend)} {_n(y1)} {_n(x2 - bend)} {_n(y2)} {_n(x2)} {_n(y2)}"
    source, target = graph.nodes[edge.source], graph.nodes[edge.target]
    words = "leads to" if edge.rule == "entry" else pair_words(edge.rule)
    title = f"{source.name} {words} {target.name} ({percent(edge.probability).strip()})"
    return f'<path class="{" ".join(classes)}" d="{path}"><title>{markup(title, 300)}</title></path>'


def _node(node: Node, box: Box, anchors: Mapping[str, str]) -> str:
    x, y = box.x, box.y
    size = f'width="{NODE_WIDTH}" height="{NODE_HEIGHT}" rx="{NODE_HEIGHT // 2 if node.kind == "entry" else 6}"'
    inset = 14 if node.kind == "entry" else 9
    deck = f'<rect class="deck" x="{_n(x + 4)}" y="{_n(y + 4)}" {size}/>' if node.count > 1 else ""
    chance = "" if node.kind == "changed" else percent(node.probability).strip()
    lines = "".join(f"{markup(line, 200)}\n" for line in node.title.split("\n")).rstrip("\n")
    title = f"{lines}\n{chance}" if chance else lines
    room = NODE_WIDTH - 2 * inset
    detail = _fit_tail(node.detail, room - 40, _CHARACTER * 0.93)
    content = (
        f"<title>{title}</title>{deck}"
        f'<rect class="box" x="{_n(x)}" y="{_n(y)}" {size}/>'
        f'<text class="name" x="{_n(x + inset)}" y="{_n(y + 16)}">{markup(_fit(node.name, room))}</text>'
        f'<text class="small" x="{_n(x + inset)}" y="{_n(y + 30)}">{markup(detail)}</text>'
        f'<text class="small" text-anchor="end" x="{_n(x + NODE_WIDTH - inset)}" y="{_n(y + 30)}">{chance}</text>'
    )
    anchor = anchors.get(node.path) if node.kind != "entry" else None
    group = f'<g class="{node.kind}">{content}</g>'
    return f'<a href="#{markup(anchor)}">{group}</a>' if anchor else group


def _fit(text: str, room: float, character: float = _CHARACTER) -> str:
    """The text in so many pixels; its beginning stays. It is not escaped yet, but made visible."""
    shown, most = plain(text, 400), int(room / character)
    return shown if columns(shown) <= most else split_at(shown, most - 1)[0] + ELLIPSIS


def _fit_tail(text: str, room: float, character: float) -> str:
    shown, most = plain(text, 400), int(room / character)
    while columns(shown) > most:
        shown = ELLIPSIS + shown.removeprefix(ELLIPSIS)[1:]
    return shown


def _legend(y: float) -> list[str]:
    parts: list[str] = []
    x = float(MARGIN)
    for classes, words in (
        ("edge recorded", "seen in a run"),
        ("edge", "read in the code"),
        ("edge unlikely faint", "less likely than not"),
    ):
        parts.append(f'<path class="{classes}" d="M{_n(x)} {_n(y)}h28"/>')
        parts.append(f'<text class="small" x="{_n(x + 34)}" y="{_n(y + 4)}">{words}</text>')
        x += 44 + 6.4 * len(words)
    return parts


def _n(value: float) -> str:
    """A number as short as it can be written, to a tenth."""
    return f"{value:.1f}".rstrip("0").rstrip(".")
