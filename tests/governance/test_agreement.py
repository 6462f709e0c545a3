"""The registry's tables beside the ledger: whoever changes one of them without the other is found."""

from pathlib import Path
from typing import Any

import pytest
from tests.forging import forge
from tests.governance.conftest import promoted

from modelyard.core import Actor
from modelyard.governance.agreement import verify_ledger
from modelyard.problem.schema import Policy
from modelyard.store import Ledger

Office = Any
FORGED_DEPLOYMENT = (
    "INSERT INTO model_deployments SELECT id + 9, name, version, digest, kind, 'eve', reason, at "
    "FROM model_deployments WHERE id = 2"
)


@pytest.fixture
def database(office: Office, ada: Actor, bob: Actor, policy: Policy) -> Path:
    """Two versions that were promoted in turn, and a rollback."""
    promoted(office, ada, bob, policy).rollback("churn", ada, "complaints")
    path: Path = office.workspace.state / "ledger.db"
    return path


def test_honest_tables_agree(database: Path, tmp_path: Path) -> None:
    """Promotions, a rollback and approvals are all told by the ledger; so is a ledger without a registry."""
    assert verify_ledger(Ledger.open(database)).ok
    assert verify_ledger(Ledger.open(tmp_path / "other.db")).ok


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE model_approvals SET approver = 'eve' WHERE version = 2",
            "the registry has an approval of churn/2 that the ledger does not tell",
        ),
        (
            "DELETE FROM model_approvals WHERE version = 1",
            "the ledger tells an approval of churn/1 that the registry does not have",
        ),
        (
            "UPDATE model_versions SET author = 'eve' WHERE version = 1",
            "the registry has the version churn/1 that the ledger does not tell",
        ),
        (
            FORGED_DEPLOYMENT,
            "the registry has a deployment of churn/2 that the ledger does not tell",
        ),
        (
            "INSERT INTO model_stages (name, version, stage) VALUES ('churn', 2, 'production')",
            "the registry has churn/2 as production, by the ledger it is retired",
        ),
    ],
)
def test_a_forged_table_is_found(database: Path, statement: str, said: str) -> None:
    """The chain and the triggers are whole, and yet the tables say what nobody did."""
    forge(database, statement)
    ledger = Ledger.open(database)
    result = verify_ledger(ledger)

    assert ledger.verify().ok
    assert not result.ok
    assert said in result.problem


def test_the_ledgers_own_faults_come_first(database: Path) -> None:
    """A chain that is broken is told as before."""
    forge(database, "UPDATE ledger SET actor = 'eve' WHERE sequence = 2")
    result = verify_ledger(Ledger.open(database))

    assert (result.ok, result.first_bad_sequence) == (False, 2)
