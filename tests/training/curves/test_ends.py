"""The ends of a tuned parameter: planted over- and underfitting is named at the right end, and nothing else is."""

from collections.abc import Sequence

import numpy as np

from modelyard.training.curves import Trial
from modelyard.training.curves.ends import diagnose_ends

LEAVES = (2, 4, 8, 16, 32, 64, 128)
BENT = tuple(0.8 - 0.01 * (np.log2(leaves) - 4) ** 2 for leaves in LEAVES)
RISING = tuple(0.8 + 0.02 * (np.log2(leaves) - 4) for leaves in LEAVES)


def trials(held: Sequence[float], learnt: Sequence[float | None]) -> tuple[Trial, ...]:
    """One for each number of leaves."""
    return tuple(
        Trial(float(leaves), score, 0.01, train) for leaves, score, train in zip(LEAVES, held, learnt, strict=True)
    )


def test_both_ends_are_told_apart() -> None:
    """Too few leaves fit neither kind of rows, too many only those learnt from; the figures are those of the trials."""
    said = diagnose_ends("num_leaves", trials(BENT, RISING), "roc_auc", 0.5)

    assert said == (
        "Towards 2 it underfits: ROC AUC is 0.7400 on the rows learnt from and 0.7100 on rows held out, "
        "where the best trial, with 16, has 0.8000 and 0.8000. "
        "Towards 128 it overfits: ROC AUC is 0.8600 on the rows learnt from and 0.7100 on rows held out, "
        "where the best trial, with 16, has 0.8000 and 0.8000."
    )


def test_a_loss_is_better_if_less() -> None:
    """Mirrored figures say the same of an error; of a parameter that regularises the ends change places."""
    errors, learnt = [1 - score for score in BENT], [1 - score for score in RISING]
    grown = diagnose_ends("num_leaves", trials(errors, learnt), "rmse", 0.5)
    pruned = diagnose_ends("min_rows", trials(errors, learnt[::-1]), "rmse", 0.5)

    assert grown.startswith("Towards 2 it underfits: RMSE is 0.2600 on the rows learnt from and 0.2900")
    assert "Towards 128 it overfits: RMSE is 0.1400 " in grown
    assert pruned.startswith("Towards 2 it overfits: ")
    assert "Towards 128 it underfits: " in pruned


def test_an_end_that_is_best_is_not_blamed() -> None:
    """If more leaves are better throughout, only the other end is told of."""
    said = diagnose_ends("num_leaves", trials(RISING, RISING), "roc_auc", 0.5)

    assert said.startswith("Towards 2 it underfits: ")
    assert "128 it" not in said


def test_what_does_not_matter_is_no_fault() -> None:
    """Losses below 2 % of the lead are none."""
    slight = [0.8 + (score - 0.8) / 100 for score in BENT]

    assert diagnose_ends("num_leaves", trials(slight, RISING), "roc_auc", 0.5) == (
        "At neither end of what was tried is ROC AUC worse by 0.0060, the least that would matter."
    )


def test_rows_learnt_from_that_do_not_follow_say_nothing() -> None:
    """The same figure, or a bent one, on the rows learnt from is neither fault."""
    for learnt in ([0.9] * len(LEAVES), BENT):
        said = diagnose_ends("num_leaves", trials(BENT, learnt), "roc_auc", 0.5)
        assert (
            said == "On the rows learnt from ROC AUC does not follow num_leaves, so this is no over- or underfitting."
        )


def test_few_figures_give_no_words() -> None:
    """Three figures are too few, and so are four without that of the best trial."""
    three = [RISING[0], None, None, RISING[3], None, None, RISING[6]]
    without_best = [*RISING[:3], None, *RISING[4:]]

    assert diagnose_ends("num_leaves", trials(BENT, three), "roc_auc", 0.5) == ""
    assert diagnose_ends("num_leaves", trials(BENT, without_best), "roc_auc", 0.5) == ""
