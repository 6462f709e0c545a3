"""What experts said, and what came of comparing them with the winner."""

import dataclasses
from collections.abc import Mapping

from modelyard.core import Record
from modelyard.data.labelling import Agreement

__all__ = ["ExpertAnswers", "ExpertComparison", "ExpertScore"]


@dataclasses.dataclass(frozen=True)
class ExpertAnswers(Record):
    """A file of answers.

    Parameters
    ----------
    source, digest
        The file's name, and the SHA-256 of its answers.
    answers
        By expert: row id to answer, as text.
    """

    source: str
    digest: str
    answers: Mapping[str, Mapping[str, str]]


@dataclasses.dataclass(frozen=True)
class ExpertScore(Record):
    """The winner against one expert, or against all of them together, on the rows that both answered.

    Parameters
    ----------
    expert
        Whose answers; ``all experts`` for the majority of them, or for their mean.
    rows
        Rows that both answered.
    metric
        What is compared: for classes what the winner's labels are chosen for, or accuracy; for values the mean absolute
        error.
    expert_figure, winner_figure
        The two figures.
    difference, low, high
        Improvement by the winner, with its paired bootstrap interval.
    verdict
        ``better`` or ``worse`` for the winner if the interval leaves out 0, else ``inconclusive``. Where there are prices
        it is the interval of the money: a winner that is to act on every doubt is wrong more often, and worth more.
    only_winner, only_expert
        Rows that the one got right and the other wrong; None for values.
    p_value
        McNemar's exact test of equally many right answers for classes; of the bootstrap for values.
    gain, gain_low, gain_high, currency
        What the winner's decision is worth a case beyond the expert's, with its paired interval; None without prices.
    """

    expert: str
    rows: int
    metric: str
    expert_figure: float | None
    winner_figure: float | None
    difference: float
    low: float
    high: float
    verdict: str
    only_winner: int | None
    only_expert: int | None
    p_value: float
    gain: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None
    currency: str = ""


@dataclasses.dataclass(frozen=True)
class ExpertComparison(Record):
    """The winner beside the experts.

    Parameters
    ----------
    source, digest
        The file of answers.
    part
        The rows that were judged.
    answered, joined
        Rows that anybody answered, and how many of them are among the judged ones.
    scores
        All experts together first, if there are several; then each.
    agreements
        Cohen's kappa of each pair of experts, and of each expert with the winner's decisions; classes only.
    """

    source: str
    digest: str
    part: str
    answered: int
    joined: int
    scores: tuple[ExpertScore, ...]
    agreements: tuple[Agreement, ...]
