"""Bounds of the project file on figures of a task without a target in each row."""

import operator
from collections.abc import Callable, Mapping

from modelyard.core import Finding, Severity
from modelyard.problem import Problem, metric_spec
from modelyard.report import format_number

__all__ = ["broken_guardrails", "guardrail_findings"]

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


def broken_guardrails(problem: Problem, figures: Mapping[str, float | None]) -> tuple[str, ...]:
    """The bounds that are not met, in words; a figure that is not there meets none."""
    broken = []
    for name, bound in problem.metrics.guardrails.items():
        sign = bound.strip().rstrip("0123456789.- ")
        value = figures.get(name)
        if value is None or not _COMPARE[sign](value, float(bound.strip()[len(sign) :])):
            broken.append(f"{metric_spec(name).title} is {format_number(value)}, asked for is {bound.strip()}")
    return tuple(broken)


def guardrail_findings(broken: tuple[str, ...]) -> tuple[Finding, ...]:
    """One error for each bound that is not met."""
    return tuple(
        Finding(
            "guardrail-not-met",
            Severity.ERROR,
            said.split(" is ")[0],
            f"{said}.",
            "The project file says that an answer beyond it is of no use.",
            "Bring other columns or rows, or decide on another bound.",
            {},
            "P3",
        )
        for said in broken
    )
