"""A small toolkit for pages: blocks of text, figures, tables, findings and charts.

Takes: plain words, numbers and findings.
Gives: one self-contained HTML file, or Markdown, of the same page.
Never: decides anything, knows another room, needs the network, or needs its one script to be understood.
"""

from modelyard.report.blocks import (
    Block,
    Details,
    Fact,
    Facts,
    Figure,
    Findings,
    Page,
    Prose,
    Section,
    Table,
)
from modelyard.report.charts import (
    MARK,
    Cloud,
    FieldCell,
    HeatCell,
    LayerNode,
    Series,
    bar_chart,
    dumbbell_chart,
    field_chart,
    heat_chart,
    histogram_chart,
    interval_chart,
    layer_chart,
    line_chart,
    matrix_chart,
    scatter_chart,
)
from modelyard.report.grouping import SHOWN, group_findings
from modelyard.report.numbers import format_number, format_percent, format_range
from modelyard.report.page_html import render_html
from modelyard.report.page_markdown import render_markdown

__all__ = [
    "MARK",
    "SHOWN",
    "Block",
    "Cloud",
    "Details",
    "Fact",
    "Facts",
    "FieldCell",
    "Figure",
    "Findings",
    "HeatCell",
    "LayerNode",
    "Page",
    "Prose",
    "Section",
    "Series",
    "Table",
    "bar_chart",
    "dumbbell_chart",
    "field_chart",
    "format_number",
    "format_percent",
    "format_range",
    "group_findings",
    "heat_chart",
    "histogram_chart",
    "interval_chart",
    "layer_chart",
    "line_chart",
    "matrix_chart",
    "render_html",
    "render_markdown",
    "scatter_chart",
]
