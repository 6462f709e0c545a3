"""From rows to reasons: exact where the model can tell, sampled where it is affordable, else refused."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from modelyard.core import StateError
from modelyard.features import sources_of
from modelyard.packaging.explaining.exact import affordable_rows, exact_contributions, scale_of
from modelyard.packaging.explaining.records import Contribution, Reasons
from modelyard.packaging.explaining.sampled import ORDERS, sampled_contributions
from modelyard.packaging.golden import GoldenSet
from modelyard.packaging.plan import ScoringPlan
from modelyard.packaging.predictors import Predictor
from modelyard.packaging.predictors.predictor import Matrix
from modelyard.problem import Task

__all__ = ["Explainer"]

_MOST_ROWS = 200
_MOST_PREDICTIONS, _MOST_CELLS = 40_000, 20_000_000
_BACKGROUND = "validation"
_PROBES = 8
"""Rows that tell whether amounts add up; each row that is explained is looked at by itself as well."""

Rows = Sequence[Mapping[str, Any]]


class Explainer:
    """Explains rows, as far as it can be done in about a second.

    The average row is that of the package's golden rows that come from the validation part; trees bring their own,
    that of the rows they learned from.

    Parameters
    ----------
    plan, predictor
        What is computed.
    golden
        Gives the background.
    encode
        Encoded features of rows, shape (rows, features).
    score
        Scores of rows, as the scorer gives them.
    """

    def __init__(
        self,
        plan: ScoringPlan,
        predictor: Predictor,
        golden: GoldenSet,
        *,
        encode: Callable[[Rows], Matrix],
        score: Callable[[Rows], Matrix],
    ) -> None:
        self._plan = plan
        self._predictor = predictor
        self._encode = encode
        self._score = score
        rows = [row.features for row in golden.rows]
        self._background = [row.features for row in golden.rows if row.origin == _BACKGROUND] or rows
        inputs = {item.name: [column.name for column in item.inputs] for item in plan.own}
        self._sources = sources_of(plan.encodings, inputs)
        told = [names for names, encoding in zip(self._sources, plan.encodings, strict=True) if encoding.names()]
        self._columns = tuple(dict.fromkeys(name for names in told for name in names))

    @functools.cached_property
    def scale(self) -> str:
        """Of what exact contributions are sums: ``identity``, ``link``, or empty if the model must be sampled."""
        if not affordable_rows(self._predictor, _MOST_ROWS):
            return ""
        probes = self._background[:_PROBES]
        found = self._exact(probes)
        if found is None:
            return ""
        return scale_of(found.sum(axis=2), self._predictor.predict_matrix(self._encode(probes)))

    @property
    def is_exact(self) -> bool:
        """True if the model has a method of its own, whose amounts add up."""
        return bool(self.scale)

    @property
    def most_rows(self) -> int:
        """How many rows may be explained at once; 0 if sampling one takes too long."""
        if self.is_exact:
            return affordable_rows(self._predictor, _MOST_ROWS)
        predictions = ORDERS * (len(self._columns) + 1)
        affordable = min(_MOST_PREDICTIONS // predictions, _MOST_CELLS // (predictions * max(len(self._columns), 1)))
        return min(_MOST_ROWS, affordable)

    def explain(self, rows: Rows) -> list[Reasons]:
        """The reasons for each row's score: of the positive class, of the decided one of several, or of the value.

        Raises
        ------
        StateError
            If there are more rows than :attr:`most_rows`, or there is nothing to compare them with.
        """
        self._require(len(rows))
        scores = self._score(rows)
        decided = scores.argmax(axis=1) if self._plan.form is Task.MULTICLASS else np.zeros(len(rows), dtype=np.intp)
        exact = self._exact_by_row(rows, decided) if self.is_exact else {}
        return [
            self._reasons(*exact[place], "exact", int(decided[place]))
            if place in exact
            else self._reasons(self._sampled(row, int(decided[place])), "", "sampled", int(decided[place]))
            for place, row in enumerate(rows)
        ]

    def _require(self, rows: int) -> None:
        if not self._background or rows > self.most_rows:
            raise StateError(
                "so many rows cannot be explained at once" if self.most_rows else "this model cannot be explained here",
                where=self._plan.predictor,
                got=f"{rows} rows and {len(self._columns)} columns",
                cure=f"Ask for at most {self.most_rows} rows"
                if self.most_rows
                else "Read the evaluation's explanations",
            )

    def _exact(self, rows: Rows) -> Matrix | None:
        """Contributions of features, shape (rows, outputs, features + 1)."""
        if not self._background:
            return None
        return exact_contributions(self._predictor, self._encode(rows), self._encode(self._background))

    def _exact_by_row(self, rows: Rows, decided: Any) -> dict[int, tuple[Matrix, str]]:
        """Amounts of columns and scale by row; rows that the method cannot explain are left out.

        Those are rows with numbers so large that sums overflow, and classes that training never saw.
        """
        found = self._exact(rows)
        if found is None:
            return {}
        outputs = self._predictor.predict_matrix(self._encode(rows))
        kept: dict[int, tuple[Matrix, str]] = {}
        for place, output in enumerate(self._outputs(decided)):
            scale = scale_of(found[place : place + 1].sum(axis=2), outputs[place : place + 1])
            if output is not None and scale:
                kept[place] = (self._by_column(found[place, output]), scale)
        return kept

    def _outputs(self, decided: Any) -> list[int | None]:
        """Which of the predictor's outputs belongs to the explained class; None if none is its own."""
        plan = self._plan
        if plan.form is not Task.MULTICLASS:
            return [0] * len(decided)
        known = plan.present or tuple(range(len(plan.classes)))
        if len(known) == 2:
            return [None] * len(decided)
        return [known.index(place) if place in known else None for place in decided.tolist()]

    def _by_column(self, amounts: Matrix) -> Matrix:
        """Sums over the features of each column, and the base; what is made of several columns counts in equal shares."""
        places = {name: place for place, name in enumerate(self._columns)}
        sums, start = np.zeros(len(places) + 1), 0
        for encoding, columns in zip(self._plan.encodings, self._sources, strict=True):
            width = len(encoding.names())
            for column in columns if width else ():
                sums[places[column]] += amounts[start : start + width].sum() / len(columns)
            start += width
        sums[-1] = amounts[-1]
        return sums

    def _sampled(self, row: Mapping[str, Any], decided: int) -> Matrix:
        """Amounts of columns, and the base, by sampling."""

        def explained(walk: Rows) -> Matrix:
            scores = self._score(walk)
            return scores[:, decided] if scores.ndim == 2 else scores

        return sampled_contributions(row, self._background, self._columns, explained)

    def _reasons(self, amounts: Matrix, scale: str, method: str, decided: int) -> Reasons:
        order = np.argsort(-np.abs(amounts[:-1]), kind="stable").tolist()
        task = self._plan.form
        explained = {Task.REGRESSION: "", Task.BINARY: self._plan.classes[-1:]}.get(
            task, self._plan.classes[decided : decided + 1]
        )
        plain = "value" if self._plan.task in (Task.REGRESSION, Task.ANOMALY) else "probability"
        return Reasons(
            contributions=tuple(Contribution(self._columns[place], float(amounts[place])) for place in order),
            baseline=float(amounts[-1]),
            raw_score=float(amounts.sum()),
            scale="log-odds" if scale == "link" else plain,
            method=method,
            explained_class="".join(explained),
        )
