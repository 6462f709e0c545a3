"""Shapley values of oblivious trees by their definition: a tree of few levels has few coalitions.

All nodes of a level ask the same, so a level is either asked, and one half of the leaves stays, or averaged over, and pairs
of leaves become their mean by the training rows that reached them. Each level doubles the coalitions and halves the
leaves; at the end there is one answer for each coalition. The game is that of TreeSHAP (Lundberg et al., 2020).
"""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from modelyard.packaging.predictors.predictor import Matrix

__all__ = ["LevelTrees", "add_shapley_values", "coalition_work"]

_CELLS_AT_ONCE = 1 << 20  # trees times coalitions times levels: 8 MB


@dataclasses.dataclass(frozen=True)
class LevelTrees:
    """Oblivious trees of equally many levels, of which the first is the lowest bit of the leaf's number.

    Parameters
    ----------
    features
        What each level asks for, shape (trees, levels).
    leaves
        Shape (trees, leaves, outputs).
    weights
        Weight of the training rows that reached each leaf, shape (trees, leaves).
    """

    features: npt.NDArray[np.int64]
    leaves: Matrix
    weights: Matrix


def coalition_work(depths: npt.NDArray[np.int64]) -> int:
    """Steps that a row takes in trees of these depths."""
    return int((np.maximum(depths, 1) << depths).sum())


def add_shapley_values(found: Matrix, trees: LevelTrees, above: npt.NDArray[np.bool_]) -> None:
    """Add the values of all trees to those ``found``.

    Parameters
    ----------
    found
        Shape (features + 1, outputs, rows); the base in the last place.
    above
        The answers of each row, shape (rows, trees, levels).
    """
    count, levels = trees.features.shape
    many = max(1, (_CELLS_AT_ONCE >> levels) // max(levels, 1))
    for start in range(0, count, many):
        own = slice(start, start + many)
        part = LevelTrees(trees.features[own], trees.leaves[own], trees.weights[own])
        shares, asked = _player_shares(part.features), part.features.ravel()
        for row, answers in enumerate(above[:, own]):  # one by one, so that a row's sums do not depend on the others
            for output in range(found.shape[1]):
                games = _games(part, output, answers)
                found[-1, output, row] += games[:, 0].sum()
                amounts = (shares @ games[:, :, np.newaxis]).ravel()
                found[:-1, output, row] += np.bincount(asked, amounts, minlength=len(found) - 1)


def _games(trees: LevelTrees, output: int, above: npt.NDArray[np.bool_]) -> Matrix:
    """Each tree's answer for a row if only some levels may be asked, shape (trees, coalitions); bits name those asked.

    Where no training row came by, both ways count alike.
    """
    values, weights = trees.leaves[:, :, output, np.newaxis], trees.weights
    for level in range(above.shape[1]):
        low, high = values[:, 0::2], values[:, 1::2]
        both = weights[:, 0::2] + weights[:, 1::2]
        share = np.divide(weights[:, 1::2], both, out=np.full_like(both, 0.5), where=both > 0)
        averaged = low + share[:, :, np.newaxis] * (high - low)
        asked = np.where(above[:, level, np.newaxis, np.newaxis], high, low)
        values, weights = np.concatenate([averaged, asked], axis=2), both
    return np.asarray(values[:, 0])


def _player_shares(features: npt.NDArray[np.int64]) -> Matrix:
    """How much a coalition's answer counts for a feature, shape (trees, levels, coalitions).

    A feature that several levels ask for is one player: it stands at the first of them, and coalitions that know one
    of its levels without the others count for nobody.
    """
    levels = features.shape[1]
    first = (features[:, :, np.newaxis] == features[:, np.newaxis, :]).argmax(axis=2)
    leads = first == np.arange(levels)
    bits = (np.arange(1 << levels)[:, np.newaxis] >> np.arange(levels)) & 1 > 0
    is_whole = (bits[np.newaxis] == bits[:, first].transpose(1, 0, 2)).all(axis=2)
    size = (bits[np.newaxis] & leads[:, np.newaxis]).sum(axis=2)
    players = leads.sum(axis=1)
    with_it, without = _weights(levels)
    gained = with_it[players[:, np.newaxis], size][:, np.newaxis]
    missed = without[players[:, np.newaxis], size][:, np.newaxis]
    shares = np.where(bits.T[np.newaxis], gained, -missed)
    return np.asarray(shares * is_whole[:, np.newaxis] * leads[:, :, np.newaxis])


def _weights(most: int) -> tuple[Matrix, Matrix]:
    """Shapley's weights by number of players and size of the coalition: of one that holds a player, of one that does not."""
    with_it, without = np.zeros((2, most + 1, most + 1))
    for players in range(1, most + 1):
        for size in range(players):
            weight = math.factorial(size) * math.factorial(players - size - 1) / math.factorial(players)
            without[players, size] = with_it[players, size + 1] = weight
    return with_it, without
