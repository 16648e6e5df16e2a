"""Charts as SVG, made here from plain numbers: a line with its band, bars with whiskers, stacked shares, ratios.

No script and no colour of its own: the page's style sheet says how the classes look (`.chart` in tidegate.css). Beside
every chart stands a table that says the same. A chart never draws a course through fewer than `values.LEAST_COURSE`
points.
"""

from tidegate.report.charts.bars import bar_chart
from tidegate.report.charts.forest import forest_chart
from tidegate.report.charts.line import line_chart
from tidegate.report.charts.stacked import stacked_chart
from tidegate.report.charts.values import Part, Point, Stack

__all__ = ["Part", "Point", "Stack", "bar_chart", "forest_chart", "line_chart", "stacked_chart"]
