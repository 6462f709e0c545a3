"""Labels of anomalies: in which words they come, and whether they are a fair draw of the answers."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from modelyard.core import StateError
from modelyard.data import category_text, load_split, positive_class
from modelyard.packaging import Package
from modelyard.problem import Problem
from modelyard.report import format_percent
from modelyard.store import Workspace
from modelyard.unsupervised.anomalies.labels import read_labels

__all__ = ["anomalies_known", "anomaly_words", "in_words_of_answers", "unfair_draw"]

_SELDOM_BY_CHANCE = 0.001
_TIMES = 1.5


def anomaly_words(problem: Problem, package: Package, workspace: Workspace, classes: tuple[str, ...]) -> dict[str, str]:
    """Each word that a label may have, with the answer that it confirms.

    The package's own words always hold. The project's are those of its target, of which the anomaly is ``data.positive`` or
    the rarer one among the rows that the detector was judged by; where these are not in the workspace, ``data.positive``
    alone is known.

    Parameters
    ----------
    classes
        The answers for a usual row and for an anomaly.
    """
    usual, anomaly = classes
    words = {usual: usual, anomaly: anomaly}
    if not problem.data.target:
        return words
    try:
        trained = load_split(package.manifest.split_id, workspace).train.frame[problem.data.target]
    except StateError:
        return words | ({problem.data.positive: anomaly} if problem.data.positive else {})
    known = category_text(trained).drop_nulls()
    strange = problem.data.positive or positive_class(known)
    return words | {word: anomaly if word == strange else usual for word in known.unique().to_list()}


def anomalies_known(problem: Problem, package: Package, workspace: Workspace) -> int | None:
    """How many training rows are labelled as anomalies; None without labels, or without these rows in the workspace."""
    if not problem.data.target:
        return None
    try:
        labels = read_labels(load_split(package.manifest.split_id, workspace).train.frame, problem)
    except StateError:
        return None
    return None if labels is None else int(np.nansum(labels))


def in_words_of_answers(labels: pl.DataFrame, words: Mapping[str, str]) -> pl.DataFrame:
    """Labels in the words of the answers; others stay as they are, and count as unusable."""
    return labels.with_columns(label=category_text(labels["label"]).replace(dict(words)))


def unfair_draw(predictions: pl.DataFrame, joined: pl.DataFrame, label: str) -> str:
    """Why labelled rows do not stand for all rows; empty if they may.

    People look at flagged rows first. What comes back then tells how many of these are anomalies, and nothing of those that
    were missed: recall and average precision would be too high.

    Parameters
    ----------
    predictions, joined
        All answers, and those that have a label.
    label
        The answer that flags a row.

    Notes
    -----
    By the hypergeometric law: of as many labels drawn by lot, so many flagged rows (or so few) would come once in a thousand
    times, and one kind has labels 1.5 times as often as the other.
    """
    if "label" not in predictions.columns or joined.is_empty():
        return ""
    from scipy.stats import hypergeom

    rows, labelled = predictions.height, joined.height
    flagged, seen = (int((frame["label"] == label).fill_null(value=False).sum()) for frame in (predictions, joined))
    if flagged in (0, rows):
        return ""
    law = hypergeom(rows, flagged, labelled)
    chance = 2 * min(float(law.cdf(seen)), float(law.sf(seen - 1)))
    shares = np.array([seen / flagged, (labelled - seen) / (rows - flagged)])
    if chance >= _SELDOM_BY_CHANCE or shares.max() < _TIMES * shares.min():
        return ""
    return (
        f"labels are no fair draw: {format_percent(float(shares[0]))} of the flagged rows have one, "
        f"{format_percent(float(shares[1]))} of the others"
    )
