"""Several predictors as one: a weighted mean of what they answer, calibrated if the blend was."""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from modelyard.conformal import ProbabilityCurve
from modelyard.packaging.predictors.files import damaged, json_of
from modelyard.packaging.predictors.opaque import SkopsPredictor, SkopsTrust
from modelyard.packaging.predictors.predictor import Explains, Matrix, Predictor, TakesTime

__all__ = ["BlendPart", "BlendPredictor", "kinds_of"]

_FILE = "blend.json"
_SUM_TOLERANCE = 1e-9
_ROUNDING = 1e-5  # XGBoost adds up contributions in single precision


@dataclasses.dataclass(frozen=True)
class BlendPart:
    """One predictor of a blend: which features of a row it reads, and its share of the answer."""

    predictor: Predictor
    start: int
    stop: int
    weight: float


class BlendPredictor:
    """A weighted mean of predictors, each of which reads its own stretch of the features.

    Parameters
    ----------
    parts
        One at least; they give the same number of outputs.
    curve
        What calibrates the mean's probabilities; None to leave them.
    """

    kind: ClassVar[str] = "blend"

    def __init__(self, parts: Sequence[BlendPart], curve: ProbabilityCurve | None = None) -> None:
        self._parts = tuple(parts)
        self._curve = curve
        widths = {part.predictor.outputs for part in self._parts}
        if len(widths) != 1 or not math.isclose(sum(part.weight for part in self._parts), 1, abs_tol=_SUM_TOLERANCE):
            raise damaged(_FILE, f"{len(self._parts)} members that give {sorted(widths)} outputs")
        for part in self._parts:
            if part.predictor.features not in (None, part.stop - part.start):
                raise damaged(_FILE, f"a member that reads {part.predictor.features} features, not those it is given")

    @property
    def tolerance(self) -> float:
        """A blend is as exact as its least exact member."""
        return max(part.predictor.tolerance for part in self._parts)

    @property
    def features(self) -> int | None:
        """Features of a row, those of all members together."""
        return max(part.stop for part in self._parts)

    @property
    def outputs(self) -> int:
        """1, or the number of classes."""
        return self._parts[0].predictor.outputs

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of the members, and of what these are made of, each once."""
        return tuple(dict.fromkeys(kind for part in self._parts for kind in kinds_of(part.predictor)))

    @property
    def types(self) -> tuple[str, ...]:
        """Types that members need which skops keeps; none as a rule."""
        members = [part.predictor for part in self._parts]
        found = (member.types for member in members if isinstance(member, BlendPredictor | SkopsPredictor))
        return tuple(sorted({name for types in found for name in types}))

    def predict_row(self, features: list[float]) -> list[float]:
        """Outputs of one row; summed in the members' order."""
        total = [0.0] * self.outputs
        for part in self._parts:
            answer, weight = part.predictor.predict_row(features[part.start : part.stop]), part.weight
            for place, value in enumerate(answer):
                total[place] += weight * value
        return total if self._curve is None else self._curve.of_row(total)

    def predict_matrix(self, matrix: Matrix) -> Matrix:
        """Outputs of many rows, shape (rows, outputs)."""
        total = np.zeros((len(matrix), self.outputs))
        for part in self._parts:
            total += part.weight * part.predictor.predict_matrix(
                np.ascontiguousarray(matrix[:, part.start : part.stop])
            )
        return total if self._curve is None else self._curve.of_rows(total)

    def contributions(self, matrix: Matrix, background: Matrix) -> Matrix | None:
        """Amounts of features and the base in the last place, shape (rows, outputs, features + 1).

        A weighted mean has the weighted mean of its members' amounts, if these add up to what is averaged: the members'
        outputs themselves. A calibrated member by itself has its own amounts, stretched as the curve stretches its log
        odds. Rows for which neither holds get NaN: no sum of log odds is that of averaged probabilities. None for several
        members under a curve, and for one that knows no amounts.
        """
        if self._curve is not None and len(self._parts) > 1:
            return None
        found = np.zeros((len(matrix), self.outputs, (self.features or 0) + 1))
        for part in self._parts:
            rows, known = (np.ascontiguousarray(table[:, part.start : part.stop]) for table in (matrix, background))
            member = part.predictor
            amounts = member.contributions(rows, known) if isinstance(member, Explains) else None
            if amounts is None:
                return None
            # The mean is taken of outputs, the curve stretches log odds.
            found[_adds_up(member, amounts, rows) != (self._curve is None)] = np.nan
            found[:, :, part.start : part.stop] += part.weight * amounts[:, :, :-1]
            found[:, :, -1] += part.weight * amounts[:, :, -1]
        if self._curve is not None:
            found *= self._curve.slope
            found[:, :, -1] += self._curve.offset
        return found

    @property
    def explaining_work(self) -> int:
        """Steps that the members' reasons for a row take."""
        members = [part.predictor for part in self._parts]
        return sum(member.explaining_work for member in members if isinstance(member, TakesTime))

    def to_files(self) -> dict[str, bytes]:
        """One JSON file that names the members, and the members' files under their numbers."""
        members = [
            {"kind": part.predictor.kind, "start": part.start, "stop": part.stop, "weight": part.weight}
            for part in self._parts
        ]
        content = {"members": members, "curve": None if self._curve is None else self._curve.to_dict()}
        files = {_FILE: json.dumps(content, allow_nan=False).encode()}
        for number, part in enumerate(self._parts):
            files |= {f"{number}-{name}": data for name, data in part.predictor.to_files().items()}
        return files

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], trust: SkopsTrust | None = None) -> Self:
        """Read what :meth:`to_files` wrote; members that skops keeps need the operator's trust."""
        from modelyard.packaging.predictors import load_predictor

        content = json_of(files, _FILE)
        try:
            parts = [
                BlendPart(
                    load_predictor(member["kind"], _files_of(number, files), trust),
                    int(member["start"]),
                    int(member["stop"]),
                    float(member["weight"]),
                )
                for number, member in enumerate(content["members"])
            ]
            curve = None if content["curve"] is None else ProbabilityCurve.from_dict(content["curve"])
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(_FILE, repr(error)) from error
        return cls(parts, curve)


def _adds_up(member: Predictor, amounts: Matrix, rows: Matrix) -> npt.NDArray[np.bool_]:
    """For which rows a member's amounts are sums to its outputs, not to what a link makes these of."""
    same = np.isclose(amounts.sum(axis=2), member.predict_matrix(rows), rtol=_ROUNDING, atol=_ROUNDING)
    return np.asarray(same.all(axis=1))


def _files_of(number: int, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a member, under the names that it gave them."""
    start = f"{number}-"
    return {name.removeprefix(start): data for name, data in files.items() if name.startswith(start)}


def kinds_of(predictor: Predictor) -> tuple[str, ...]:
    """The kind of a predictor, or those of a blend's members, each once."""
    return predictor.kinds if isinstance(predictor, BlendPredictor) else (predictor.kind,)
