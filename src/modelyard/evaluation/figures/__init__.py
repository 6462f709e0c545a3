"""What each kind of metric is made of, so that its interval suits it: shares of rows, and means of losses.

Takes: truth, predictions and the units that rows belong to.
Gives: intervals of shares by formula, of a table by its cells, and means with their errors for studentised bootstraps.
Never: takes rows that belong together for more than they are.
"""

from modelyard.evaluation.figures.means import MeanFigure, mean_figure
from modelyard.evaluation.figures.shares import share_metric_interval
from modelyard.evaluation.figures.tables import correlation_interval

__all__ = ["MeanFigure", "correlation_interval", "mean_figure", "share_metric_interval"]
