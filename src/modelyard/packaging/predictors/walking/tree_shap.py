"""What each feature adds to the answer of trees: TreeSHAP along the paths, in LightGBM's shared library.

The game is that of Lundberg et al. (2020), algorithm 2: a feature outside the coalition is averaged over by the training
rows that went each way at the nodes which ask for it. The mean over trees has the mean of their amounts.
"""

from collections.abc import Sequence

from modelyard.packaging.predictors.lightgbm import LightGBMPredictor
from modelyard.packaging.predictors.predictor import Matrix
from modelyard.packaging.predictors.walking.trees import SCALE, LeafAnswers, TreeNodes, as_text
from modelyard.packaging.predictors.walking.walker import can_walk

__all__ = ["TreeShap", "tree_shap"]


class TreeShap:
    """Contributions to the mean over trees. Threads may share one.

    Parameters
    ----------
    trees, answers
        One each at least.
    features
        Number of features of a row.

    Raises
    ------
    ValueError
        If the nodes are no trees.
    IntegrityError
        If LightGBM cannot read them.
    ModelyardError
        If LightGBM's library is not installed.
    """

    def __init__(self, trees: Sequence[TreeNodes], answers: Sequence[LeafAnswers], features: int) -> None:
        self._booster = LightGBMPredictor(as_text(trees, features, answers))
        self._trees = len(trees)

    def contributions(self, matrix: Matrix) -> Matrix:
        """Amounts of features, and the base in the last place, shape (rows, outputs, features + 1).

        Parameters
        ----------
        matrix
            Rows rounded to single precision, as the trees compare them.
        """
        scaled = matrix * SCALE
        return self._booster.contributions(scaled, scaled) / self._trees


def tree_shap(trees: Sequence[TreeNodes], answers: Sequence[LeafAnswers], features: int) -> TreeShap | None:
    """TreeSHAP of the trees; None beyond a million nodes, each counted once for each output, or without LightGBM.

    Raises
    ------
    ValueError, IntegrityError
        As :class:`TreeShap`.
    """
    is_possible = can_walk(trees, features, answers[0].values.shape[1])
    return TreeShap(trees, answers, features) if is_possible else None
