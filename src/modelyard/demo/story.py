"""The whole life of a model, in the order in which it is lived. Read it from top to bottom."""

import importlib.util
import shutil
import statistics
import time
from pathlib import Path

import polars as pl

from modelyard.core import NotPermittedError, StateError
from modelyard.demo.population import Population, make_population
from modelyard.demo.records import DemoOutcome
from modelyard.demo.stage import SilentStage, Stage
from modelyard.demo.traffic import running_server
from modelyard.evaluation import Evaluation
from modelyard.monitoring import MonitorReport
from modelyard.project import Project
from modelyard.retraining import Decision

__all__ = ["play"]

_MARKER = "modelyard.demo.yaml"

_FACTS = """\
# What no table can tell: the demo's facts about the business. Used with --env demo.
objective: Call the customers who are about to leave, so that the retention team spends its calls where they count.
users: The retention team, when it plans its calls.
out_of_scope: Prices or refusals for single customers; customers of other companies.
owner: Ada (demo)
contact: ada@example.org
escalation: [Grace (demo)]
data:
  collection: One row a customer, from IBM's telco churn sample; the demo made up in which order they came.
  known_biases: [Nearly all customers of the history have DSL or no internet; fibre has just been launched.]
segments: [Contract, InternetService]
protected: [gender, SeniorCitizen]
costs: {currency: EUR, volume_per_year: 50000, true_positive: 60, false_positive: -15, false_negative: -120}
existing_system: {rule: "tenure < 12 AND Contract = 'Month-to-month'"}
constraints: {latency_p99_ms: 10, model_size_mb: 50}
metrics: {guardrails: {roc_auc: ">= 0.80"}}
monitoring: {window: batch, performance_drop: 0.04}
training: {tuning_rounds: 4}
"""


def play(folder: Path, *, stage: Stage | None = None, fresh: bool = False) -> DemoOutcome:
    """Play the demo in ``folder``; it takes some three minutes on two cores.

    Raises
    ------
    StateError
        If the folder is there and ``fresh`` is false, or holds something that is no demo.
    """
    began = time.perf_counter()
    stage = stage or SilentStage()
    _clear(folder, fresh=fresh)
    population = make_population()
    root = _begin(folder, population, stage)
    _question(root, stage)
    evaluation = _model(root, stage)
    package = _release(root, stage)
    quiet, launch, seconds = _operate(root, package, population, stage)
    decision = _renew(root, folder, stage)
    project = _open(root, stage)
    stage.scene("The account", "every step above is a row of a ledger whose hash chain shows tampering")
    stage.show(project.ledger().verify())
    stage.show(project.status())
    winner = evaluation.scores_of("winner")
    score = winner.metric(evaluation.metric) if winner else None
    ordered = sorted(seconds)
    return DemoOutcome(
        project=str(root),
        report=str(project.page("evaluation")),
        card=str(package / "card.html"),
        monitoring=str(project.page("monitoring")),
        metric=evaluation.metric,
        test_score=score.value if score else None,
        money=evaluation.money.sentence if evaluation.money else "",
        latency_p50_ms=1e3 * statistics.median(ordered),
        latency_p99_ms=1e3 * ordered[int(0.99 * len(ordered))],
        quiet_verdict=quiet.verdict.value,
        launch_verdict=launch.verdict.value,
        challenger=decision.challenger_version,
        decision=decision.reason,
        seconds=time.perf_counter() - began,
    )


def _clear(folder: Path, *, fresh: bool) -> None:
    """Make room; only what an earlier demo made is ever removed."""
    if not folder.exists():
        return
    if not fresh:
        raise StateError(
            "the folder is there already", where=str(folder), cure="Add --fresh, or choose another --folder"
        )
    if any(folder.iterdir()) and not (folder / "churn" / _MARKER).exists():
        raise StateError(
            "the folder holds something else than a demo", where=str(folder), cure="Choose another --folder"
        )
    shutil.rmtree(folder)


def _open(root: Path, stage: Stage, token: str | None = None) -> Project:
    """The project with the demo's facts; runs go to MLflow too, where it is installed."""
    tracked = importlib.util.find_spec("mlflow") is not None
    settings = ["tracking.backend=mlflow"] if tracked else []
    return Project.open(root, env="demo", settings=settings, token=token, progress=stage.progress)


def _begin(folder: Path, population: Population, stage: Stage) -> Path:
    """Scene 1: a table becomes a project."""
    stage.scene("A table and a question", "modelyard new looks at the columns and explains every choice it makes")
    folder.mkdir(parents=True)
    population.history.write_csv(folder / "history.csv")
    population.launch.write_parquet(folder / "launch.parquet")
    project = Project.new(folder / "churn", data=folder / "history.csv", target="Churn")
    (project.root / _MARKER).write_text(_FACTS, encoding="utf-8")
    stage.tell(f"{population.history.height:,} customers of a telephone company: who will leave?")
    stage.tell(f"The choices stand in {project.root / 'modelyard.yaml'}, the business facts in {_MARKER} beside it.")
    return project.root


def _question(root: Path, stage: Stage) -> None:
    """Scene 2: the split comes first, then the search for faults."""
    project = _open(root, stage)
    stage.scene("Split, seal, search", "the test part is sealed before anything looks at a row")
    stage.show(project.check())
    stage.show(project.audit(), project.page("audit"))


def _model(root: Path, stage: Stage) -> Evaluation:
    """Scenes 3 and 4: candidates by folds, the simplest good one, and one look at the test part."""
    project = _open(root, stage)
    stage.scene("Train", "baselines first; a step up is taken only if it pays beyond the noise of the folds")
    run = project.train()
    stage.show(run.record)
    if project.problem.tracking.backend == "mlflow":
        stage.tell("Every candidate is in MLflow too: tracking.backend=mlflow, an embedded SQLite store.")
    stage.scene("Evaluate", "the sealed test part is opened once, for a reason, and the opening is counted for ever")
    evaluation = project.evaluate(open_test="final evaluation of the demo")
    stage.show(evaluation, project.page("evaluation"))
    return evaluation


def _release(root: Path, stage: Stage) -> Path:
    """Scene 5: a package with proved parity, and approval by somebody else."""
    project = _open(root, stage)
    stage.scene("Package and approve", "serving must equal training, and nobody promotes their own model")
    package = project.package()
    stage.show(package)
    version = project.register()
    try:
        project.approve(version.version, "I like my own model")
    except NotPermittedError as refusal:
        stage.tell(f"The author tries to approve it. Refused: {refusal.sentence}")
    token = project.tokens().create("grace", ["approver", "operator"])
    reviewer = _open(root, stage, token)
    stage.show(reviewer.approve(version.version, "figures and card reviewed"))
    stage.show(reviewer.promote(version.version))
    return package.folder


def _operate(
    root: Path, package: Path, population: Population, stage: Stage
) -> tuple[MonitorReport, MonitorReport, list[float]]:
    """Scenes 6 and 7: a quiet month, and the month after the launch of fibre."""
    project = _open(root, stage)
    target = project.problem.data.target
    with running_server(package, project.workspace.folder("predictions")) as server:
        stage.scene("A quiet month", "customers like those of the history; an alarm now would be a false one")
        ids, seconds = server.predict(population.quiet.drop(target))
        server.feed_back(ids, population.quiet[target].to_list())
        stage.tell(
            f"{len(ids):,} requests to {server.url}/predict, each on record before it was answered: "
            f"median {1e3 * statistics.median(seconds):.2f} ms."
        )
        quiet = project.monitor()
        stage.show(quiet, project.page("monitoring"))
        stage.scene("Fibre is launched", "new customers differ from those the model has learnt from")
        ids, more = server.predict(population.launch.drop(target))
        server.feed_back(ids, population.launch[target].to_list())
        launch = project.monitor()
        stage.show(launch, project.page("monitoring"))
    return quiet, launch, [*seconds, *more]


def _renew(root: Path, folder: Path, stage: Stage) -> Decision:
    """Scene 8: a challenger, or the reason why not."""
    stage.scene("Retrain", "a challenger must win on rows that neither model has seen, and then wait for a person")
    rows = pl.scan_parquet(folder / "launch.parquet").select(pl.len()).collect().item()
    stage.tell(f"{rows:,} customers of the new kind, whose answers have come in by now.")
    decision = _open(root, stage).retrain(folder / "launch.parquet")
    stage.show(decision)
    return decision
