"""What a diagnosis looks at: alarms of the recent windows, labelled rows, and what the model's outcomes were before."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from modelyard.data.profile import FeatureReference
from modelyard.monitoring.causes.outcomes import ScoreReference
from modelyard.monitoring.courses.records import FlaggedWindow
from modelyard.monitoring.drift import DriftResult
from modelyard.monitoring.performance import PerformanceWindow
from modelyard.monitoring.quality import QualityResult
from modelyard.problem import Task

__all__ = ["Case", "LabelledRows", "Moved"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Moved:
    """A feature of the window: its reference, its counts now, and its test."""

    reference: FeatureReference
    counts: Ints
    result: DriftResult
    is_score: bool


@dataclasses.dataclass(frozen=True)
class LabelledRows:
    """Labelled rows in the order of time.

    Parameters
    ----------
    truth, prediction
        As :func:`modelyard.monitoring.performance.outcomes` gives them.
    features
        Shape (rows, columns), standardised; missing values are 0.
    bins
        The bin of each row by feature; see :mod:`modelyard.monitoring.causes.segments`.
    usual
        How common each row was in training for each time it is seen now; 1 throughout if nothing moved.
    has_scores
        False if the log holds decided classes only.
    """

    truth: Floats
    prediction: Floats
    features: Floats
    bins: Mapping[str, Ints] = dataclasses.field(default_factory=dict)
    usual: Floats | None = None
    has_scores: bool = True

    def __len__(self) -> int:
        return len(self.truth)


@dataclasses.dataclass(frozen=True)
class Case:
    """One question to the diagnosis.

    Parameters
    ----------
    task, metric, threshold, seed
        Of the problem and the package.
    moved
        Features whose drift test alarms in the window, the score's among them.
    faults, since
        What a pipeline broke in the window, and by column the window in which that began.
    sources
        Columns by the system they come from; empty if it is not declared.
    performance
        The latest judged window with a value; None without labels.
    recent, earlier
        Labelled rows of that window, and of windows before it that showed no loss.
    score
        The score's bins in training and now, for what can be said without labels; None if the log has no score.
    flagged
        Of anomalies: the share of the window's rows that were flagged; None if it is not known.
    drop
        The share of the package's figure that may be lost.
    can_be_labelled
        False if the package was never held against labels, so that more of them would show no loss.
    reference
        Outcomes by score before; None if they are not known (several classes, numbers, or a package from elsewhere).
    """

    task: Task
    metric: str
    seed: int
    recent: LabelledRows
    earlier: LabelledRows
    moved: Sequence[Moved] = ()
    faults: Sequence[QualityResult] = ()
    since: Mapping[str, str] = dataclasses.field(default_factory=dict)
    sources: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    performance: PerformanceWindow | None = None
    score: Floats | None = None
    reference: ScoreReference | None = None
    references: Mapping[str, FeatureReference] = dataclasses.field(default_factory=dict)
    threshold: float | None = None
    can_be_labelled: bool = True
    drop: float = 0.0
    flagged: FlaggedWindow | None = None

    @property
    def lost(self) -> bool:
        """True if the metric fell beyond doubt."""
        return self.performance is not None and self.performance.alarm

    @property
    def inputs(self) -> tuple[Moved, ...]:
        """What moved, without the score."""
        return tuple(one for one in self.moved if not one.is_score)
