"""Charts as crisp inline SVG.

Takes: plain numbers and labels.
Gives: a ``Figure`` whose colours follow the page, light or dark, and whose text a screen reader finds.
Never: holds a script, loads anything, or leaves a label unescaped.
"""

from modelyard.report.charts.axes import MARK
from modelyard.report.charts.bars import bar_chart
from modelyard.report.charts.dumbbell import dumbbell_chart
from modelyard.report.charts.fields import Cloud, FieldCell, field_chart
from modelyard.report.charts.heat import HeatCell, heat_chart
from modelyard.report.charts.histogram import histogram_chart
from modelyard.report.charts.intervals import interval_chart
from modelyard.report.charts.layers import LayerNode, layer_chart
from modelyard.report.charts.lines import Series, line_chart
from modelyard.report.charts.matrix import matrix_chart
from modelyard.report.charts.scatter import scatter_chart

__all__ = [
    "MARK",
    "Cloud",
    "FieldCell",
    "HeatCell",
    "LayerNode",
    "Series",
    "bar_chart",
    "dumbbell_chart",
    "field_chart",
    "heat_chart",
    "histogram_chart",
    "interval_chart",
    "layer_chart",
    "line_chart",
    "matrix_chart",
    "scatter_chart",
]
