"""Clusters as they were fitted: everything that assigning other rows needs."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from modelyard.core import StateError
from modelyard.data import Column
from modelyard.features.encoder import TableEncoder
from modelyard.features.exact.memberships import turned
from modelyard.unsupervised.clusters.methods import NOWHERE, Grouping, Labels, Method
from modelyard.unsupervised.rows import Array

__all__ = ["FittedClusters"]


@dataclasses.dataclass(frozen=True)
class FittedClusters:
    """Everything that assigning rows needs.

    Parameters
    ----------
    encoder, columns
        Fitted on the training rows, and what went in.
    directions
        Shape (features, kept): the main directions, if there were many features; None if all are kept.
    grouping
        The winner.
    order
        The label of each of the grouping's clusters, so that the largest is 0.
    method
        Grouping other rows anew takes it.
    """

    encoder: TableEncoder
    columns: tuple[Column, ...]
    directions: Array | None
    grouping: Grouping | None
    order: Mapping[int, int]
    method: Method | None

    def place(self, frame: object) -> Array:
        """Rows as points."""
        matrix: Array = self.encoder.transform(frame)
        return matrix if self.directions is None else turned(matrix, self.directions)

    @property
    def by_size(self) -> tuple[int, ...]:
        """The grouping's own labels, that of the largest cluster first."""
        return tuple(sorted(self.order, key=lambda label: self.order[label]))

    def assign(self, points: Array) -> Labels:
        """The cluster of each point, 0 for the largest; :data:`NOWHERE` for none."""
        if self.grouping is None:
            return np.full(len(points), NOWHERE, dtype=np.int64)
        return _renamed(self.grouping.assign(points), self.order)

    def memberships(self, points: Array) -> Array:
        """How far each point belongs to each cluster, the largest first, shape (points, clusters).

        Where points may be in no cluster, the last column says how far that is so.

        Raises
        ------
        StateError
            If there are no clusters.
        """
        if self.grouping is None:
            raise StateError(
                "there are no clear clusters, so no row belongs to one", cure="Bring other columns or rows"
            )
        shares = self.grouping.memberships(points)
        nowhere = range(len(self.order), shares.shape[1])
        return shares[:, [*self.by_size, *nowhere]]


def _renamed(labels: Labels, order: Mapping[int, int]) -> Labels:
    renamed = np.full(len(labels), NOWHERE, dtype=np.int64)
    for old, new in order.items():
        renamed[labels == old] = new
    return renamed
