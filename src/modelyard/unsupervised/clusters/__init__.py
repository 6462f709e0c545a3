"""Clusters: rows that go together.

Takes: training rows.
Gives: clusters that are more than noise and come again, in words; or the answer that there are no clear ones.
Never: gives a number of clusters because one was asked for.
"""

from modelyard.unsupervised.clusters.records import Cluster, ClusterCandidate, ClusterEvaluation, ClusterRun, Trait

__all__ = ["Cluster", "ClusterCandidate", "ClusterEvaluation", "ClusterRun", "Trait"]
