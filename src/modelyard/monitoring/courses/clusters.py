"""How many rows are in each cluster, against training."""

from collections.abc import Sequence

from modelyard.data.profile import FeatureReference
from modelyard.evaluation.analytic import wilson_interval
from modelyard.monitoring.courses.records import ClusterShare
from modelyard.monitoring.windows import Window

__all__ = ["cluster_shares"]


def cluster_shares(
    windows: Sequence[Window], clusters: Sequence[str], trained: FeatureReference
) -> tuple[ClusterShare, ...]:
    """The share of each cluster in each window, in the order of the windows and of the package's clusters.

    Parameters
    ----------
    windows
        Judged ones.
    clusters
        By name, in the package's order.
    trained
        The profile of the package's own answers, which counts training rows by cluster.

    Notes
    -----
    Whether the mix moved is asked by the drift test of the answers, over all clusters at once.
    """
    known = dict(zip(trained.categories, trained.counts, strict=False))
    total = max(sum(trained.counts), 1)
    found: list[ClusterShare] = []
    for window in windows:
        answers = window.frame["label"].drop_nulls() if "label" in window.frame.columns else None
        if answers is None or not len(answers):
            continue
        rows = len(answers)
        for cluster in clusters:
            count = int((answers == cluster).sum())
            before = None if cluster in trained.others else known.get(cluster, 0) / total
            found.append(
                ClusterShare(
                    window.facts.name, cluster, count, count / rows, *wilson_interval(count, rows, 0.95), before
                )
            )
    return tuple(found)
