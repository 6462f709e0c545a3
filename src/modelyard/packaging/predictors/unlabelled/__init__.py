"""Predictors of models that learn without a target.

Takes: the numbers of a detector of anomalies, or of groups.
Gives: how strange a row is, or how far it belongs to each cluster.
Never: imports scikit-learn.
"""

from modelyard.packaging.predictors.unlabelled.anomalies import AnomalyPart, AnomalyPredictor
from modelyard.packaging.predictors.unlabelled.clusters import ClusterPredictor, GroupRule
from modelyard.packaging.predictors.unlabelled.measures import (
    BoundaryMeasure,
    DensityMeasure,
    DistanceMeasure,
    IsolationMeasure,
    Measure,
)

__all__ = [
    "AnomalyPart",
    "AnomalyPredictor",
    "BoundaryMeasure",
    "ClusterPredictor",
    "DensityMeasure",
    "DistanceMeasure",
    "GroupRule",
    "IsolationMeasure",
    "Measure",
]
