"""What the package of a detector says of its own answers."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from modelyard.evaluation.analytic import wilson_interval
from modelyard.monitoring.columns import SCORE
from modelyard.monitoring.courses.records import DetectorFigure, ExpectedFlags
from modelyard.packaging import Package, Scorer
from modelyard.packaging.courses.usual import USUAL_FILE, UsualRows

__all__ = ["detector_figures", "expected_flags", "known_figures"]


def expected_flags(package: Package, scorer: Scorer) -> ExpectedFlags | None:
    """The share of training rows from the threshold on, each scored by a detector that had not seen it; None if unknown.

    The package holds these scores, or 2,000 quantiles of them, so the share is read between two of them.
    """
    score = next((one for one in scorer.profile.features if one.name == SCORE), None)
    if score is None or scorer.threshold is None or USUAL_FILE not in package.manifest.files:
        return None
    scores = UsualRows.from_dict(package.read_json(USUAL_FILE)).scores
    below = float(np.interp(scorer.threshold, scores, np.linspace(0.0, 1.0, len(scores))))
    return ExpectedFlags(1.0 - below, sum(score.counts))


def known_figures(package: Package) -> dict[str, float]:
    """The winner's figures by metric: of the sealed rows if they were opened, else of training rows held out."""
    return {name: item["value"] for name, item in _measured(package.read_json("metrics.json")).items()}


def detector_figures(package: Package, positives: int | None) -> dict[str, DetectorFigure]:
    """The detector's figures by metric, as far as it is known of how many rows they are.

    Parameters
    ----------
    positives
        Labelled anomalies among the training rows; None if they are not known. On sealed rows how many there were follows from
        the interval of the recall.

    Notes
    -----
    A share has the interval of Wilson (1927); average precision and the area under the ROC curve that of a share of the anomalies
    (Boyd, Eng and Page 2013, who find it holds where the bootstrap of few anomalies does not).
    """
    measured = package.read_json("metrics.json")
    rows = _measured(measured)
    behind = {name: _rows_of(rows.get(name), measured["confidence"]) for name in ("precision", "recall")}
    anomalies = behind["recall"] if measured["test"] else positives
    found = {name: (rows[name]["value"], behind.get(name, anomalies)) for name in rows}
    return {
        name: DetectorFigure(value, wilson_interval(value * count, count, 0.95)[0])
        for name, (value, count) in found.items()
        if count
    }


def _measured(metrics: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The winner's figures that have a value, of the sealed rows if they were opened."""
    systems = metrics["test"] or metrics["validation"]
    return {item["name"]: item for item in systems[-1]["metrics"] if item["value"] is not None} if systems else {}


def _rows_of(item: Mapping[str, Any] | None, confidence: float) -> float | None:
    """Of how many rows a share is, solved from an end of its Wilson interval; None without one."""
    from scipy.stats import norm

    if item is None or item["low"] is None or item["high"] is None:
        return None
    share = item["value"]
    end = item["low"] if share > 0 else item["high"]  # the other end of 0 and of 1 is the share itself
    z = float(norm.ppf((1 + confidence) / 2))
    return z**2 * end * (1 - end) / (share - end) ** 2 if end != share else None
