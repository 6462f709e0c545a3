"""Selection of columns: which are worth their place when there are many for few rows."""

from modelyard.features.selection.choosing import Block, Selection, column_cap, select
from modelyard.features.selection.judges import BoostedJudge, Judge, LinearJudge
from modelyard.features.selection.stability import SelectionReport, Stability, selection_report, stability

__all__ = [
    "Block",
    "BoostedJudge",
    "Judge",
    "LinearJudge",
    "Selection",
    "SelectionReport",
    "Stability",
    "column_cap",
    "select",
    "selection_report",
    "stability",
]
