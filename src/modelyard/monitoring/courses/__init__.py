"""What is watched of answers without a target: how many rows are called anomalies, and how many are in each cluster.

Takes: judged windows, what the package expects of its answers, and of anomalies the labels that came.
Gives: shares with intervals, precision and recall of the rows that were flagged, findings, sections of the page.
Never: takes a score of strangeness for a probability, or asks for labels of clusters.
"""

from modelyard.monitoring.courses.records import ClusterShare, ExpectedFlags, FlaggedWindow, MetricTrail

__all__ = ["ClusterShare", "ExpectedFlags", "FlaggedWindow", "MetricTrail"]
