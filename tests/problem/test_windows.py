import pytest
from pydantic import ValidationError

from modelyard.problem.sections import WindowPlan


def test_a_window_is_a_period_a_number_or_a_batch() -> None:
    """The spellings of the project file."""
    assert WindowPlan().window == "day"
    assert WindowPlan.model_validate({"window": 5000}).window == 5000
    assert WindowPlan.model_validate({"window": "batch", "batch": "night"}).batch == "night"
    assert WindowPlan.model_validate({"zone": "Asia/Kolkata", "reference": "last_year"}).reference == "last_year"


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"window": 20}, "greater than or equal to 50"),
        ({"window": "fortnight"}, "day"),
        ({"zone": "Mars/Olympus"}, "no time zone has this name"),
        ({"zone": "../../etc/passwd"}, "no time zone has this name"),
        ({"batch": "night"}, "set that, or take batch out"),
        ({"reference": "yesterday"}, "trailing"),
    ],
)
def test_what_is_no_window_is_refused(values: dict[str, object], what: str) -> None:
    """The sentence says what may stand there."""
    with pytest.raises(ValidationError, match=what):
        WindowPlan.model_validate(values)
