"""The plan of the work: which candidates are tried, in which order, and when the clock must step in.

Takes: the size of the table, the families, a time budget if there is one.
Gives: a list that is fixed and stored before anything is trained; and a clock that says what is still affordable.
Never: trains; lets the clock change a result without a record of it.
"""

from modelyard.training.planning.clock import Clock, counted_from
from modelyard.training.planning.cost import Size
from modelyard.training.planning.plan import PlannedCandidate, Stage, WorkPlan, make_plan, race_rows
from modelyard.training.planning.portfolio import PORTFOLIO
from modelyard.training.planning.searching import Rung, SearchPlan
from modelyard.training.planning.sharing import Further, shared_out
from modelyard.training.planning.width import matrix_width

__all__ = [
    "PORTFOLIO",
    "Clock",
    "Further",
    "PlannedCandidate",
    "Rung",
    "SearchPlan",
    "Size",
    "Stage",
    "WorkPlan",
    "counted_from",
    "make_plan",
    "matrix_width",
    "race_rows",
    "shared_out",
]
