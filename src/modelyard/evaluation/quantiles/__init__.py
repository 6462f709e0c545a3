"""Quantiles of predicted values: calibrated on held-out rows, and held against what came true.

Takes: the run and its held-out rows; later the rows to judge by.
Gives: the rule that the package answers by, the share of rows below each quantile (overall and by segment), and what its
misses cost (pinball loss).
Never: calibrates on the test part, or tells a level that the rows cannot bear.
"""

from modelyard.evaluation.quantiles.findings import quantile_findings
from modelyard.evaluation.quantiles.records import BelowShare, LevelLoss, Quantiles

__all__ = ["BelowShare", "LevelLoss", "Quantiles", "quantile_findings"]
