"""Guardrails: the bounds that the project file sets to figures, held against what was measured."""

import dataclasses
import operator
from collections.abc import Callable, Iterable, Mapping

from modelyard.core import Finding, Record, Severity
from modelyard.problem.metrics import metric_spec
from modelyard.problem.schema import Problem
from modelyard.report import format_number

__all__ = ["GuardrailResult", "broken_bounds", "broken_findings", "held_guardrails"]

_BOUNDS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
"""The longer signs first, since the shorter begin them."""


@dataclasses.dataclass(frozen=True)
class GuardrailResult(Record):
    """A bound of the project file, such as ``>= 0.80``, and whether the winner keeps it."""

    metric: str
    bound: str
    value: float | None
    met: bool

    @property
    def limit(self) -> float:
        """The bound's number."""
        return _parts(self.bound)[1]

    @property
    def in_words(self) -> str:
        """The figure beside its bound."""
        return f"{metric_spec(self.metric).title} is {format_number(self.value)}, asked for is {self.bound}"


def held_guardrails(problem: Problem, figures: Mapping[str, float | None]) -> tuple[GuardrailResult, ...]:
    """Each bound against the figure of its name; a figure that is undefined or not there keeps none."""
    results = []
    for name, declared in problem.metrics.guardrails.items():
        bound, value = declared.strip(), figures.get(name)
        sign, limit = _parts(bound)
        met = value is not None and _BOUNDS[sign](value, limit)
        results.append(GuardrailResult(name, bound, value, met))
    return tuple(results)


def _parts(bound: str) -> tuple[str, float]:
    sign = next(sign for sign in _BOUNDS if bound.startswith(sign))
    return sign, float(bound[len(sign) :])


def broken_bounds(results: Iterable[GuardrailResult]) -> tuple[str, ...]:
    """The bounds that are not kept, in words."""
    return tuple(one.in_words for one in results if not one.met)


def broken_findings(results: Iterable[GuardrailResult], *, of: str, cure: str) -> tuple[Finding, ...]:
    """One error for each bound that is not kept.

    Parameters
    ----------
    of
        What is judged: ``an answer``, ``a forecast``.
    cure
        What to do for a better one.
    """
    return tuple(
        Finding(
            "guardrail-not-met",
            Severity.ERROR,
            metric_spec(one.metric).title,
            f"{one.in_words}.",
            f"The project file says that {of} beyond it is of no use.",
            f"{cure}, or decide on another bound.",
            {},
            "P3",
        )
        for one in results
        if not one.met
    )
