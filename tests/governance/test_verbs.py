"""Every verb that changes something: who may not, and who may."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.main import get_command

from modelyard import Project
from modelyard.cli.app import app
from modelyard.core import ModelyardError, NotPermittedError
from modelyard.governance import Role, create_token, valid_tokens
from modelyard.governance.roles import PERMISSIONS
from modelyard.monitoring.events import note_event
from modelyard.monitoring.skew import check_skew
from modelyard.retraining import labelling
from modelyard.schedule.lease import Lease
from modelyard.serving.rest.routes import ROUTES
from modelyard.shipping.release import released_package

DATA = Path(__file__).parents[1] / "data"
Verb = Callable[[Project], Any]
NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def watch_beside_another(project: Project) -> None:
    """Who may watch is told that another process does it."""
    with Lease(project.workspace.ledger, project.problem.name).held():
        project.schedule.watch(print)


READ = {
    "changes",
    "contract",
    "data",
    "explain",
    "gates",
    "impact",
    "inventory",
    "ledger",
    "lineage",
    "records",
    "review",
    "status",
    "trace",
}
"""Commands that change nothing; the server, whose routes ask for keys of their own, is in CHANGE."""

OUTSIDE = {"new", "demo", "bench"}
"""Commands that need no project: whoever may write into the folder may run them."""

CHANGE: dict[str, tuple[tuple[str, Verb, Role], ...]] = {
    "check": (("check", lambda p: p.check(), Role.DEVELOPER),),
    "audit": (
        ("audit", lambda p: p.audit(quick=True), Role.VALIDATOR),
        ("acknowledge", lambda p: p.audit(acknowledge=["nonsense"], reason="x"), Role.VALIDATOR),
    ),
    "correct": (
        ("correct", lambda p: p.curation.correct("none.csv", "x"), Role.DEVELOPER),
        ("undo", lambda p: p.curation.undo("none", "x"), Role.DEVELOPER),
    ),
    "train": (("train", lambda p: p.train(replay="none"), Role.DEVELOPER),),
    "evaluate": (
        ("evaluate", lambda p: p.evaluate(), Role.VALIDATOR),
        ("open the test part", lambda p: p.evaluate(open_test="x"), Role.VALIDATOR),
    ),
    "package": (("package", lambda p: p.package(), Role.DEVELOPER),),
    "register": (("register", lambda p: p.register(), Role.DEVELOPER),),
    "validate": (("validate", lambda p: p.oversight.validate(1, "x"), Role.VALIDATOR),),
    "approve": (("approve", lambda p: p.approve(1, "x"), Role.APPROVER),),
    "reject": (("reject", lambda p: p.reject(1, "x"), Role.APPROVER),),
    "promote": (
        ("promote", lambda p: p.promote(1), Role.OPERATOR),
        ("break the glass", lambda p: p.promote(1, break_glass="x"), Role.OPERATOR),
    ),
    "review-break-glass": (("review", lambda p: p.oversight.review_broken_glass(1, "x"), Role.APPROVER),),
    "deploy": (("begin", lambda p: p.rollouts.begin(1), Role.OPERATOR),),
    "rollout": (
        ("resume", lambda p: p.rollouts.resume(), Role.OPERATOR),
        ("abort", lambda p: p.rollouts.abort("x"), Role.OPERATOR),
        ("promote in full", lambda p: p.rollouts.promote(), Role.OPERATOR),
    ),
    "rollback": (("rollback", lambda p: p.rollback("x"), Role.OPERATOR),),
    "token": (
        ("make a token", lambda p: p.tokens().create("eve", ["viewer"]), Role.ADMIN),
        ("revoke", lambda p: p.tokens().revoke("eve"), Role.ADMIN),
    ),
    "image": (("ship", lambda p: released_package(p.workspace, p.problem.name, None, p.actor), Role.OPERATOR),),
    "bundle": (("ship", lambda p: released_package(p.workspace, p.problem.name, None, p.actor), Role.OPERATOR),),
    "export": (
        ("export", lambda p: p.packages.export_onnx("x.onnx"), Role.DEVELOPER),
        ("measure", lambda p: p.packages.bench(), Role.DEVELOPER),
    ),
    "serve": (("serve", lambda p: p.serve(port=0), Role.OPERATOR),),
    "score": (("score", lambda p: p.score("none.csv", "out.csv"), Role.OPERATOR),),
    "monitor": (("monitor", lambda p: p.monitor(), Role.OPERATOR),),
    "alerts": (
        ("acknowledge", lambda p: p.alerts.acknowledge("none", "x"), Role.OPERATOR),
        ("silence", lambda p: p.alerts.silence("*", dt.timedelta(days=1), "x"), Role.OPERATOR),
        ("rate", lambda p: p.alerts.rate("none", useful=True), Role.OPERATOR),
    ),
    "event": (
        ("note", lambda p: note_event(p.workspace.ledger, "churn", p.actor, "price rise", at=NOW), Role.OPERATOR),
    ),
    "retrain": (("retrain", lambda p: p.retrain("none.csv"), Role.DEVELOPER),),
    "tick": (("tick", lambda p: p.schedule.tick(), Role.OPERATOR),),
    "watch": (("watch", watch_beside_another, Role.OPERATOR),),
    "replay": (("replay", lambda p: p.replays.run("none.csv"), Role.DEVELOPER),),
    "skew": (("skew", lambda p: check_skew(p.workspace, p.problem, p.actor), Role.VALIDATOR),),
    "erase": (("erase", lambda p: p.oversight.erase("Churn", "Yes", "case 7"), Role.OPERATOR),),
    "label": (
        (
            "label",
            lambda p: labelling.import_labels(p.workspace, p.actor, "none.csv", "eve"),
            Role.VALIDATOR,
        ),
    ),
}
"""Command to its verbs, each with a role that it belongs to."""

IN_THE_COMMAND = {"sync", "mirror"}
"""Commands that ask for the permission themselves, or whose rooms need more than a project; tested by running them."""

VERBS = [(f"{command}: {name}", verb, role) for command, verbs in CHANGE.items() for name, verb, role in verbs]


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[Role, str]]:
    """A project that has done nothing yet, and a token of each role."""
    home = tmp_path_factory.mktemp("verbs")
    pl.read_parquet(DATA / "telco_churn.parquet").sample(300, seed=1).write_parquet(home / "churn.parquet")
    project = Project.new(home / "churn", data=home / "churn.parquet", target="Churn")
    ledger = project.workspace.ledger
    return home / "churn", {role: create_token(ledger, f"a-{role}", (role.value,), project.actor) for role in Role}


def test_every_command_is_known_here() -> None:
    """A new command says whether it reads or changes something, and who may."""
    group: Any = get_command(app)

    assert set(group.commands) == READ | OUTSIDE | IN_THE_COMMAND | set(CHANGE)


def test_every_permission_belongs_to_somebody_else_than_readers() -> None:
    """Neither viewers nor auditors are among those who may do anything."""
    readers = {Role.VIEWER, Role.AUDITOR}

    assert [verb for verb, roles in PERMISSIONS.items() if roles & readers or not roles] == []
    assert PERMISSIONS["train"].isdisjoint({Role.VALIDATOR, Role.APPROVER})
    assert PERMISSIONS["validate"].isdisjoint({Role.DEVELOPER, Role.ADMIN})
    assert PERMISSIONS["approve"] == {Role.APPROVER}


def refusal_of(verb: Verb, project: Project) -> ModelyardError | None:
    """The error with which a verb ends; None if it does what was asked."""
    try:
        verb(project)
    except ModelyardError as error:
        return error
    return None


@pytest.mark.parametrize(("verb", "role"), [item[1:] for item in VERBS], ids=[item[0] for item in VERBS])
def test_readers_are_refused_and_the_right_role_passes(
    tokens: tuple[Path, dict[Role, str]], verb: Verb, role: Role
) -> None:
    """Before anything else is asked: exit code 3 for who only reads; whoever may gets as far as the state lets them."""
    root, given = tokens
    for reader in (Role.VIEWER, Role.AUDITOR, Role.PREDICT, Role.FEEDBACK):
        with pytest.raises(NotPermittedError, match=f"a-{reader} may not") as caught:
            verb(Project.open(root, token=given[reader]))

        assert caught.value.exit_code == 3
    assert not isinstance(refusal_of(verb, Project.open(root, token=given[role])), NotPermittedError)


def test_readers_may_look(tokens: tuple[Path, dict[Role, str]]) -> None:
    """An auditor reads the status and verifies the ledger."""
    root, given = tokens
    project = Project.open(root, token=given[Role.AUDITOR])

    assert project.status().ledger_ok
    assert project.ledger().verify().ok
    assert project.tokens().valid()


def test_readers_open_no_route_of_a_server(tokens: tuple[Path, dict[Role, str]]) -> None:
    """Whatever a server's route needs beside any key, neither a viewer's nor an auditor's token has it; an operator's has."""
    root, _ = tokens
    held = {token.owner: token for token in valid_tokens(Project.open(root).workspace.ledger)}
    needs = {route.needs for route in ROUTES} - {"", "key"}

    assert needs == {"predict", "feedback", "operate"}
    assert [need for need in needs for reader in (Role.VIEWER, Role.AUDITOR) if held[f"a-{reader}"].may(need)] == []
    assert all(held["a-operator"].may(need) for need in needs)
    assert {route.needs for route in ROUTES if route.method == "POST"} <= needs


def test_sync_asks_too(tokens: tuple[Path, dict[Role, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that sends runs to a tracker is the developer's."""
    from typer.testing import CliRunner

    root, given = tokens
    monkeypatch.setenv("MODELYARD_TOKEN", given[Role.VIEWER])
    result = CliRunner().invoke(app, ["sync", "--project", str(root)])

    assert isinstance(result.exception, NotPermittedError)


def test_a_token_for_another_model_opens_nothing(tokens: tuple[Path, dict[Role, str]]) -> None:
    """A token's models are asked wherever a token is; a server without a model's name takes none that has models."""
    root, _ = tokens
    project = Project.open(root)
    foreign = project.tokens().create("frank", ["operator"], models=["fraud", "credit"])
    mine = project.tokens().create("fred", ["operator"], models=["churn"])
    with pytest.raises(NotPermittedError, match="the token is for credit, fraud alone"):
        Project.open(root, token=foreign)
    ledger = project.workspace.ledger

    assert Project.open(root, token=mine).actor.name == "fred"
    assert {"frank", "fred"} & {token.owner for token in valid_tokens(ledger)} == set()
    assert {"frank", "fred"} & {token.owner for token in valid_tokens(ledger, model="churn")} == {"fred"}
    assert {"frank", "fred"} <= {token.owner for token in project.tokens().valid()}
