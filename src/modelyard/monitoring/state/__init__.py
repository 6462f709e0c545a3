"""What is kept of a window when its rows are gone: small, exact, and added up.

Takes: rows of a prediction log, or a table with scores, and the frozen bins of a package.
Gives: states by hour that add up to days and weeks without a rounding, and a store that counts no row twice.
Never: keeps a row or an id, needs the whole log in memory, or adds what was counted over other bins.
"""

from modelyard.monitoring.state.counting import count_feature, count_rows
from modelyard.monitoring.state.distinct import count_distinct
from modelyard.monitoring.state.records import LATENCY_BOUNDS_MS, FeatureState, LabelState, WindowState, merged
from modelyard.monitoring.state.shape import Ruler, Shape
from modelyard.monitoring.state.store import StateStore
from modelyard.monitoring.state.update import count_log, count_table, join_states

__all__ = [
    "LATENCY_BOUNDS_MS",
    "FeatureState",
    "LabelState",
    "Ruler",
    "Shape",
    "StateStore",
    "WindowState",
    "count_distinct",
    "count_feature",
    "count_log",
    "count_rows",
    "count_table",
    "join_states",
    "merged",
]
