"""What a newcomer sees first: the demo keeps every promise that it makes."""

from pathlib import Path

import pytest

from modelyard import Project
from modelyard.core import StateError
from modelyard.demo.story import play

pytestmark = pytest.mark.journey


@pytest.mark.filterwarnings("ignore")  # MLflow's own deprecations, in its process here, are not ours to mend
def test_the_demo(tmp_path: Path) -> None:
    """A good model worth its money, a quiet month, an alarm that is right, and a challenger that waits."""
    outcome = play(tmp_path / "demo")

    assert outcome.metric == "roc_auc"
    assert outcome.test_score is not None
    assert 0.83 <= outcome.test_score <= 0.90
    assert outcome.money.startswith("Saves ")
    assert (outcome.quiet_verdict, outcome.launch_verdict, outcome.challenger) == ("quiet", "alarm", 2)
    assert all(Path(page).is_file() for page in (outcome.report, outcome.card, outcome.monitoring))

    project = Project.open(outcome.project, env="demo")
    status = project.status()
    assert (status.production, list(status.waiting), status.ledger_ok) == (1, [2], True)
    assert (project.root / ".modelyard" / "tracking" / "mlflow.db").is_file()


def test_the_demo_removes_nothing_but_a_demo(tmp_path: Path) -> None:
    """A folder that is there is kept; one that holds something else is kept even with ``fresh``."""
    thesis = tmp_path / "thesis.txt"
    thesis.write_text("three years of work", encoding="utf-8")

    for fresh in (False, True):
        with pytest.raises(StateError, match="the folder"):
            play(tmp_path, fresh=fresh)

    assert thesis.read_text(encoding="utf-8") == "three years of work"
