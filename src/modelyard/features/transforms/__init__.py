"""Numbers bent before a model meets them: logarithms, ranks, bins, curves, and products of two."""

from modelyard.features.transforms.bins import BinsEncoding, fit_bins
from modelyard.features.transforms.interactions import InteractionEncoding, fit_interaction
from modelyard.features.transforms.quantiles import QuantileEncoding, fit_quantiles
from modelyard.features.transforms.skew import LogEncoding, log_unit
from modelyard.features.transforms.splines import SplineEncoding, fit_spline

__all__ = [
    "BinsEncoding",
    "InteractionEncoding",
    "LogEncoding",
    "QuantileEncoding",
    "SplineEncoding",
    "fit_bins",
    "fit_interaction",
    "fit_quantiles",
    "fit_spline",
    "log_unit",
]
