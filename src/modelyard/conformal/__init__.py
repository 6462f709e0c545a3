"""Statements that are right in a stated share of cases: an interval or quantiles of a value, a set of classes, a probability.

Takes: predictions of rows that the model had not learnt from, and what turned out to be true.
Gives: a rule, plain data, that turns any later prediction into an interval, quantiles or a set; the shares it is
calibrated for.
Never: fits a model, needs more than NumPy to answer, or promises more than exchangeable rows bear out.

Rows that are exchangeable with the later ones make the promise hold whatever the model is (Vovk, Gammerman and Shafer,
2005, "Algorithmic learning in a random world"; Lei et al., 2018, "Distribution-free predictive inference for
regression").
"""

from modelyard.conformal.calibration import calibrate_intervals, calibrate_sets
from modelyard.conformal.curve import ProbabilityCurve
from modelyard.conformal.predictive import (
    QuantileRule,
    calibrate_quantiles,
    fewest_units,
    level_name,
    pinball_losses,
    predictive_quantile,
)
from modelyard.conformal.quantile import conformal_quantile
from modelyard.conformal.rules import ConformalRule, IntervalRule, SetRule
from modelyard.conformal.scale import LocalScale, fit_scale, scaling_pays

__all__ = [
    "ConformalRule",
    "IntervalRule",
    "LocalScale",
    "ProbabilityCurve",
    "QuantileRule",
    "SetRule",
    "calibrate_intervals",
    "calibrate_quantiles",
    "calibrate_sets",
    "conformal_quantile",
    "fewest_units",
    "fit_scale",
    "level_name",
    "pinball_losses",
    "predictive_quantile",
    "scaling_pays",
]
