"""What the package of a detector says of its own answers."""

import numpy as np

from modelyard.monitoring.columns import SCORE
from modelyard.monitoring.courses.records import ExpectedFlags
from modelyard.packaging import Package, Scorer
from modelyard.packaging.courses.usual import USUAL_FILE, UsualRows

__all__ = ["expected_flags", "known_figures"]


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
    measured = package.read_json("metrics.json")
    systems = measured["test"] or measured["validation"]
    return (
        {item["name"]: item["value"] for item in systems[-1]["metrics"] if item["value"] is not None} if systems else {}
    )
