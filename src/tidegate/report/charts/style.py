"""How charts look: the variables of the page that holds them, and textures that tell parts apart without colour."""

from __future__ import annotations

KINDS = ("ai", "mixed", "human", "unknown")
"""Filled, striped, pale, dotted."""

STYLE = """\
.chart { display: block; width: 100%; max-width: 30rem; height: auto; }
.chart text { font: 11px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--dim); }
.chart text.name { fill: var(--text); }
.chart .end { text-anchor: end; } .chart .mid { text-anchor: middle; }
.chart path { fill: none; }
.chart .rule { stroke: var(--line); } .chart .one { stroke: var(--text); }
.chart .band { fill: var(--accent); fill-opacity: 0.18; }
.chart .course { stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; }
.chart .dot { fill: var(--back); stroke: var(--accent); stroke-width: 1.75; }
.chart .bar { fill: var(--accent); fill-opacity: 0.55; }
.chart .whisker { stroke: var(--text); stroke-width: 1.25; }
.chart .ai { fill: var(--accent); } .chart .human { fill: var(--soft); }
.chart .mixed { fill: var(--accent-soft); } .chart .unknown { fill: var(--back); }
.chart .ai, .chart .human, .chart .mixed, .chart .unknown { stroke: var(--edge); }
.chart .stripes { stroke: var(--accent); stroke-width: 2; } .chart .dots { stroke: var(--edge); stroke-dasharray: 1 4; }
"""
