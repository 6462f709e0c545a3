"""How far two annotators agree beyond chance: Cohen's kappa, with an interval."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from modelyard.core import Record

__all__ = ["Agreement", "cohen_kappa"]

_Z_95 = 1.959963984540054


@dataclasses.dataclass(frozen=True)
class Agreement(Record):
    """Two annotators on the rows that both labelled.

    Parameters
    ----------
    first, second
        Their names.
    rows
        Rows that both labelled.
    same
        Share of them with equal labels.
    kappa, low, high
        Cohen's kappa and its 95 % interval; None where it is not defined: no common row, or one label only.
    """

    first: str
    second: str
    rows: int
    same: float | None
    kappa: float | None
    low: float | None
    high: float | None


def cohen_kappa(first: Sequence[str], second: Sequence[str], names: tuple[str, str] = ("", "")) -> Agreement:
    """Agreement beyond chance (Cohen, 1960), its variance by Fleiss, Cohen and Everitt (1969).

    >>> agreement = cohen_kappa(list("yyyynnnnnn"), list("yyynynnnnn"))
    >>> agreement.same, round(agreement.kappa, 4)
    (0.8, 0.5833)
    """
    rows = len(first)
    labels = sorted({*first, *second})
    place = {label: number for number, label in enumerate(labels)}
    shares = np.zeros((len(labels), len(labels)))
    for one, other in zip(first, second, strict=True):
        shares[place[one], place[other]] += 1 / rows
    same = float(np.trace(shares)) if rows else None
    given, got = shares.sum(axis=1), shares.sum(axis=0)
    chance = float(given @ got)
    if same is None or len(labels) < 2:
        return Agreement(*names, rows, same, None, None, None)
    kappa = (same - chance) / (1 - chance)
    agreed = np.diag(shares) @ (1 - (given + got) * (1 - kappa)) ** 2
    crossed = (got[:, np.newaxis] + given[np.newaxis, :]) ** 2 * shares
    apart = (1 - kappa) ** 2 * (crossed.sum() - np.trace(crossed))
    variance = (agreed + apart - (kappa - chance * (1 - kappa)) ** 2) / (rows * (1 - chance) ** 2)
    half = _Z_95 * math.sqrt(max(float(variance), 0.0))
    return Agreement(*names, rows, same, kappa, max(kappa - half, -1.0), min(kappa + half, 1.0))
