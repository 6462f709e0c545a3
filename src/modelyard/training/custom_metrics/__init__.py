"""Metrics of one's own: a function that the project file names.

Takes: a metric's declaration, truth and predictions.
Gives: its figure for many weightings of the rows, or a refusal that names the metric and the fold.
Never: knows a metric that ships; trusts what a function gives.
"""

from modelyard.training.custom_metrics.function import custom_scores, in_fold, load_metric, try_metrics

__all__ = ["custom_scores", "in_fold", "load_metric", "try_metrics"]
