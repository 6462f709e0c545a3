"""How good the winner is, how sure that is, where it fails, and what it is worth.

Takes: a run, the split it was trained on, and the problem; a reason, if the sealed test part is to be opened.
Gives: ``Evaluation``: every metric with an interval beside the baselines, threshold, money, segments, explanations,
findings, and the account of which rows were opened; and its page.
Never: hides a metric, or opens the test part without a reason.

The evaluation itself is :func:`modelyard.evaluation.evaluate.evaluate`; it needs the training libraries, which this
room does not load before they are needed.
"""

from modelyard.evaluation.archive import load_evaluation, save_evaluation
from modelyard.evaluation.boundary import Boundary, HeldColumn
from modelyard.evaluation.comparison import compare
from modelyard.evaluation.conformal import RegionCoverage, Regions
from modelyard.evaluation.intervals import bootstrap_interval
from modelyard.evaluation.page import evaluation_page
from modelyard.evaluation.periods import Period, Stability
from modelyard.evaluation.quantiles import BelowShare, LevelLoss, Quantiles
from modelyard.evaluation.records import (
    Account,
    Alternative,
    Comparison,
    Contribution,
    Disturbance,
    ErrorAnalysis,
    Evaluation,
    Importance,
    MetricValue,
    Mistake,
    Money,
    PairedTest,
    Robustness,
    RowExplanation,
    SegmentScore,
    SharedTrait,
    SliceSearch,
    SystemScores,
    ThresholdChoice,
    WeakSlice,
)

__all__ = [
    "Account",
    "Alternative",
    "BelowShare",
    "Boundary",
    "Comparison",
    "Contribution",
    "Disturbance",
    "ErrorAnalysis",
    "Evaluation",
    "HeldColumn",
    "Importance",
    "LevelLoss",
    "MetricValue",
    "Mistake",
    "Money",
    "PairedTest",
    "Period",
    "Quantiles",
    "RegionCoverage",
    "Regions",
    "Robustness",
    "RowExplanation",
    "SegmentScore",
    "SharedTrait",
    "SliceSearch",
    "Stability",
    "SystemScores",
    "ThresholdChoice",
    "WeakSlice",
    "bootstrap_interval",
    "compare",
    "evaluation_page",
    "load_evaluation",
    "save_evaluation",
]
