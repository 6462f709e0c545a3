"""Staging: an approved version answers on an address of its own before requests come to it, and what came of it counts."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelyard import Project
from modelyard.core import Actor, GateRefusedError, IntegrityError, NotPermittedError, StateError
from modelyard.core import WaitingForApprovalError as Waiting
from modelyard.governance import Registry, Stage, StagingArea, verify_ledger
from modelyard.governance.gating import Standing
from modelyard.governance.standing import STAGED
from modelyard.packaging import load_package
from modelyard.problem.schema import Policy

Office = Any
ASKS = Policy.model_validate({"gates": {"staging": True}})


@pytest.fixture
def area(office: Office, ada: Actor, bob: Actor) -> StagingArea:
    """Where version 1 may be tried: it is approved."""
    office.registry.register(office.packages[0], ada)
    office.registry.approve("churn", 1, bob, "well", ASKS)
    return StagingArea(office.workspace, "churn")


def test_requests_come_after_the_trial(office: Office, area: StagingArea, ada: Actor) -> None:
    """The gate says no until these bytes have passed; then the version stands in staging and may be promoted."""
    digest = office.packages[0].manifest.digest
    with pytest.raises(GateRefusedError, match=r"the gate staging of tier low said no.*it was not there yet"):
        office.registry.promote("churn", 1, ada, ASKS, "grace")
    folder = area.admit(1, ada, ASKS)
    found = area.enter(1, digest, ada, passed=True, said="all answered")

    assert folder == office.workspace.folder("packages", "churn-1")
    assert (found.passed, found.digest, found.by) == (True, digest, "ada")
    assert office.registry.version("churn", 1).stage is Stage.STAGING
    assert area.latest(1) == found
    assert office.registry.promote("churn", 1, ada, ASKS, "grace").version == 1
    assert office.registry.version("churn", 1).stage is Stage.PRODUCTION
    assert verify_ledger(office.workspace.ledger).ok


def test_the_last_trial_counts(office: Office, area: StagingArea, ada: Actor) -> None:
    """Who fails after having passed is approved as before, and the gate says what was found."""
    digest = office.packages[0].manifest.digest
    area.enter(1, digest, ada, passed=True, said="all answered")
    area.admit(1, ada, ASKS)
    area.enter(1, digest, ada, passed=False, said="the server is not ready")
    area.enter(1, digest, ada, passed=False, said="the server is not ready")

    assert office.registry.version("churn", 1).stage is Stage.APPROVED
    with pytest.raises(GateRefusedError, match="got the server is not ready"):
        office.registry.promote("churn", 1, ada, ASKS, "grace")
    assert verify_ledger(office.workspace.ledger).ok


def test_only_what_was_approved_is_tried(office: Office, ada: Actor, bob: Actor) -> None:
    """Without approvals it waits, without the permission it is refused, and what is in production needs no trial."""
    office.registry.register(office.packages[0], ada)
    area = StagingArea(office.workspace, "churn")
    with pytest.raises(Waiting, match="0 of 1 approvals"):
        area.admit(1, ada, ASKS)
    with pytest.raises(Waiting, match="0 of 1 approvals"):
        office.registry.promote("churn", 1, ada, ASKS, "grace")
    with pytest.raises(NotPermittedError, match="may not promote"):
        area.admit(1, bob, ASKS)
    office.registry.approve("churn", 1, bob, "well", Policy())
    office.registry.promote("churn", 1, ada, Policy(), "grace")
    with pytest.raises(StateError, match="a version that is production cannot become staging"):
        area.admit(1, ada, ASKS)
    with pytest.raises(StateError, match="did not wait for the end of its trial"):
        area.enter(1, office.packages[0].manifest.digest, ada, passed=True, said="too late")


def test_approvals_hold_whether_staging_is_asked_or_not(office: Office, area: StagingArea, ada: Actor) -> None:
    """What people approved is what the version shows; that it is tried as well takes nothing back."""
    assert Policy().digest == ASKS.digest
    assert Policy.model_validate({"tier": "high", "rationale": "r", "gates": {"staging": False}}).looser == ("staging",)
    assert Standing((), (), None, 0).staging is None
    assert office.registry.promote("churn", 1, ada, Policy(), "grace").version == 1


@pytest.mark.slow
def test_a_server_of_its_own_is_asked(found: Callable[..., Path], built: Path, bob: Actor) -> None:
    """The verb starts a server on the package, asks it, and writes down what it said; a broken package is a trial that failed."""
    root = found(
        {"name": "churn", "data": {"source": "c.parquet", "target": "Churn"}, "owner": "grace"}, released=False
    )
    project = Project.open(root)
    workspace = project.workspace
    shutil.copytree(built / "churn-1", workspace.folder("packages", "churn-1"))
    registry = Registry(workspace)
    version = registry.register(load_package(workspace.folder("packages", "churn-1")), project.actor)
    registry.approve("churn", 1, bob, "well", Policy())
    trial = project.oversight.stage(1)
    rows = workspace.ledger.rows(action=STAGED)

    assert trial.passed
    assert "golden rows answered as in training" in trial.said
    assert "refuses what is no row" in trial.said
    assert (rows[-1].details["digest"], rows[-1].details["stage"]) == (version.digest, "staging")

    contract = workspace.folder("packages", "churn-1") / "contract.json"
    contract.write_text(json.dumps({**json.loads(contract.read_text()), "columns": []}))
    with pytest.raises(IntegrityError):
        project.oversight.stage(1)
