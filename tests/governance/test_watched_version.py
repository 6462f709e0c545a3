"""A version in production that nobody asks: an alert with the package's own runbook, and a review that says so."""

import datetime as dt
from typing import Any

import pytest
from tests.governance.conftest import promoted

from modelyard.core import Actor, StateError
from modelyard.governance import AlertDesk, verify_ledger
from modelyard.monitoring.alerting import follow_up
from modelyard.monitoring.reviews import make_review
from modelyard.monitoring.watch import watch
from modelyard.packaging import Package
from modelyard.problem import Problem
from modelyard.problem.schema import Policy

Office = Any


@pytest.fixture
def problem() -> Problem:
    """What the packages answer."""
    return Problem.model_validate(
        {"name": "churn", "owner": "grace", "data": {"source": "churn.parquet", "target": "Churn"}}
    )


@pytest.fixture
def package(office: Office, ada: Actor, bob: Actor, policy: Policy) -> Package:
    """Version 1, in production."""
    promoted(office, ada, bob, policy, count=1)
    found: Package = office.packages[0]
    return found


def test_an_alert_names_the_page_in_the_package(office: Office, package: Package, problem: Problem, ada: Actor) -> None:
    """Filled with the model's owner, and covered by the digest that was approved."""
    report = watch(office.workspace, package, problem)
    run = follow_up(office.workspace, problem, report, package, ada)
    ((message, _),) = AlertDesk(office.workspace.ledger, "churn", ada).deliveries()
    page = office.workspace.root / str(message.body["runbook"])

    assert [alert.key for alert in run.alerts] == ["churn/no-data/model"]
    assert run.delivery.delivered == 1
    assert page == package.folder / "runbooks" / "no_data.md"
    assert "runbooks/no_data.md" in package.manifest.files
    assert "| Owner | grace |" in page.read_text(encoding="utf-8")


def test_a_review_of_a_model_that_nobody_asks(office: Office, package: Package, problem: Problem, ada: Actor) -> None:
    """The deployment is an event, no traffic the first step; the page is stored, the ledger notes it and holds."""
    review, page = make_review(office.workspace, problem, ada, "monthly")

    assert (review.version, review.verdict.value, review.traffic) == ("1", "no data", ())
    assert [event.title for event in review.events] == ["version 1 promoted"]
    assert review.until - review.since == dt.timedelta(days=30)
    assert review.steps[0].startswith("Find out why there was no traffic")
    assert "version 1 promoted" in page.read_text(encoding="utf-8")
    assert len(office.workspace.ledger.rows(action="model.reviewed")) == 1
    assert verify_ledger(office.workspace.ledger).ok


def test_nothing_in_production_is_nothing_to_review(office: Office, problem: Problem, ada: Actor) -> None:
    """Said, with the command that comes first."""
    with pytest.raises(StateError, match="modelyard promote"):
        make_review(office.workspace, problem, ada, "weekly")
