"""Series: rows in time, on a grid.

Takes: a table and the plan.
Gives: the split in time, series side by side with their gaps filled from the past, and what is wrong with them.
Never: fills a gap with what came later.
"""

from modelyard.forecasting.series.checks import Usable, check_panel, usable_series
from modelyard.forecasting.series.division import divide_in_time
from modelyard.forecasting.series.panel import Array, Panel, build_panel

__all__ = ["Array", "Panel", "Usable", "build_panel", "check_panel", "divide_in_time", "usable_series"]
