import pytest

from modelyard.core import Finding, Severity
from modelyard.status import CheckReport, next_step

POINTERS = ("split", "run", "evaluation", "package")


def pointers(count: int) -> dict[str, str | None]:
    """The first ``count`` pointers set; run and evaluation agree."""
    values = ("s", "r", "r", "m-1")
    return {name: values[position] if position < count else None for position, name in enumerate(POINTERS)}


@pytest.mark.parametrize(
    ("count", "command"),
    [(0, "modelyard audit"), (1, "modelyard train"), (2, "modelyard evaluate"), (3, "modelyard package")],
)
def test_the_first_missing_step_comes_next(count: int, command: str) -> None:
    """In the order of the life."""
    assert next_step(pointers(count), None, ()) == command


def test_release_steps() -> None:
    """Register, approve the newest that waits, promote the newest approved, then monitor."""
    done = pointers(4)

    assert next_step(done, None, (), registered=False) == "modelyard register"
    assert next_step(done, 1, (2, 3)) == 'modelyard approve 3 --reason "..."'
    assert next_step(done, None, (), approved=(1, 2)) == "modelyard promote 2"
    assert next_step(done, 1, (), approved=(1, 2), under_conditions=(2,)) == "modelyard deploy 2"
    assert next_step(done, 1, ()) == "modelyard monitor"
    assert next_step(done, None, ()) == "modelyard train"


def test_an_evaluation_of_an_older_run_is_stale() -> None:
    """A run that was not evaluated yet comes before everything after it."""
    assert next_step({**pointers(4), "run": "newer"}, 1, (2,)) == "modelyard evaluate"


@pytest.mark.parametrize(("severity", "expected"), [(Severity.WARNING, False), (Severity.ERROR, True)])
def test_a_check_has_errors_by_its_worst_finding(severity: Severity, expected: bool) -> None:
    """A warning does not forbid to go on."""
    finding = Finding(id="x", severity=severity, subject="", message="m", why="", action="", row="P1")
    report = CheckReport("n", "binary", "y", "roc_auc", "d", 1, 1, "random", 1, 0, (finding,))

    assert report.has_errors is expected
    assert CheckReport.from_dict(report.to_dict()) == report
