"""Intervals and sets beside the predictions: calibrated on held-out rows, and held against what came true.

Takes: the run and its held-out rows; later the rows to judge by.
Gives: the rule that the package answers by, and its measured coverage: overall, by class and by segment.
Never: calibrates on the test part.
"""

from modelyard.evaluation.conformal.findings import region_findings
from modelyard.evaluation.conformal.records import RegionCoverage, Regions

__all__ = ["RegionCoverage", "Regions", "region_findings"]
