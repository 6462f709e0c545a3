"""The pipeline of a retraining: collect, check, train, compare, package, register; it stops at the first no."""

import contextlib
import dataclasses
from pathlib import Path

import polars as pl

from modelyard.audit import AuditReport, audit, load_audit, save_audit, with_acknowledgements
from modelyard.core import Actor, Clock, DataError, GateRefusedError, Progress, StateError, new_id, silent, system_clock
from modelyard.data import (
    Split,
    assign_roles,
    extend_split,
    load_split,
    read_table,
    settled,
    unknown_rows,
    with_history,
)
from modelyard.evaluation import evaluation_page, save_evaluation
from modelyard.evaluation.evaluate import evaluate
from modelyard.governance import ModelVersion, Registry, Stage
from modelyard.packaging import Scorer
from modelyard.packaging.build import build_package
from modelyard.packaging.details import build_details
from modelyard.problem import Problem, Task
from modelyard.report import render_html
from modelyard.retraining.duel import meet
from modelyard.retraining.gates import (
    audit_gate,
    cause_gate,
    comparison_gate,
    contract_gate,
    data_gate,
    segments_gate,
    update_gate,
)
from modelyard.retraining.records import Decision, GateResult, Outcome
from modelyard.retraining.windows import WindowChoice
from modelyard.retraining.windows.applying import whole_id, windowed, without_window
from modelyard.retraining.windows.choosing import choose_window
from modelyard.store import Workspace, save_record
from modelyard.training.engine import train
from modelyard.training.run import StoredRun, load_run
from modelyard.training.update.run import Champion, update

__all__ = ["Retrainer"]


class _StoppedError(Exception):
    """A gate said no; what follows is not done."""


@dataclasses.dataclass
class _Case:
    """One retraining under way: the verdicts so far, and what has been made."""

    id: str
    champion: ModelVersion
    gates: list[GateResult] = dataclasses.field(default_factory=list)
    rows_new: int = 0
    run_id: str | None = None
    update: bool = False
    despite: str = ""
    window: WindowChoice | None = None

    def ask(self, gate: GateResult) -> None:
        """Note a verdict; a no ends the case."""
        self.gates.append(gate)
        if not gate.passed:
            raise _StoppedError


class Retrainer:
    """Makes challengers for one project.

    A crash at any point leaves the champion in production and the ledger valid: nothing of the champion is written,
    and the challenger exists only from its registration on, which is one transaction.

    Parameters
    ----------
    workspace, problem, actor
        The project, its question, and who retrains.
    progress
        Receives the progress of training and evaluation.
    """

    def __init__(
        self,
        workspace: Workspace,
        problem: Problem,
        actor: Actor,
        *,
        progress: Progress = silent,
        clock: Clock = system_clock,
    ) -> None:
        self._workspace = workspace
        self._problem = problem
        self._actor = actor
        self._progress = progress
        self._clock = clock
        self._registry = Registry(workspace)

    def retrain(self, champion: ModelVersion, source: Path, *, update: bool = False, despite: str = "") -> Decision:
        """Decide on a challenger trained with the rows in ``source``; the decision is stored and in the ledger.

        Parameters
        ----------
        update
            The champion goes on learning from the new rows, instead of a search over all rows.
        despite
            Why a person retrains although the last monitoring named a broken pipeline; kept in the decision.

        Raises
        ------
        DataError
            If the table cannot be read or lacks columns.
        StateError
            If the project file asks another question by now than the champion answers.
        ConfigError
            If the champion is to be updated, and its family cannot be.
        """
        case = _Case(new_id(), champion, update=update, despite=despite)
        challenger = None
        with contextlib.suppress(_StoppedError):
            challenger = self._challenge(case, source)
        decision = self._decide(case, challenger)
        save_record(self._workspace.folder("retraining", case.id), "decision", decision)
        details = {"outcome": decision.outcome.value, "reason": decision.reason, "rows_new": decision.rows_new}
        self._workspace.ledger.append(self._actor, "model.retrained", case.id, details)
        return decision

    def _challenge(self, case: _Case, source: Path) -> ModelVersion:
        """The way to a registered challenger, one gate after the other."""
        monitored = self._workspace.ledger.rows(action="model.monitored", subject=case.champion.subject)
        cause = cause_gate(monitored, case.despite)
        if cause is not None:
            case.ask(cause)
        package = self._registry.package(case.champion)
        base = without_window(load_split(package.manifest.split_id, self._workspace), self._workspace)
        scorer = Scorer.load(package)
        target = load_run(package.manifest.run_id, self._workspace).record.target
        problem = _same_question(self._problem, target, scorer)
        frame = self._collect(case, with_history(read_table(source), problem, self._workspace.root), base, scorer)
        split = self._divide(case, base, frame, problem)
        self._look_for_twins(case, split)
        split, problem = self._windowed(case, split, problem)
        report = self._audited(case, base, split, problem)
        run = self._trained(case, base, split, problem)
        self._compare(case, scorer, run, split, problem)
        return self._register(case, run, split, report, problem)

    def _windowed(self, case: _Case, split: Split, problem: Problem) -> tuple[Split, Problem]:
        """The rows that the challenger learns from; an update goes on from what the champion knows."""
        if case.update:
            return split, problem
        before = load_run(self._registry.package(case.champion).manifest.run_id, self._workspace).record
        root = self._workspace.root
        case.window = choose_window(split, problem, before, root, progress=self._progress)
        return windowed(case.window, split, problem, self._workspace)

    def _trained(self, case: _Case, base: Split, split: Split, problem: Problem) -> StoredRun:
        """The challenger's run: a search on all rows, or the champion that goes on with the new ones."""
        if not case.update:
            run = train(split, problem, self._workspace, progress=self._progress)
            case.run_id = run.record.id
            return run
        package = self._registry.package(case.champion)
        before = load_run(package.manifest.run_id, self._workspace)
        champion = Champion(before, base.development.frame.height, case.champion.version)
        run = update(champion, split, problem, self._workspace, progress=self._progress)
        case.run_id = run.record.id
        if run.record.update is not None:
            case.ask(update_gate(run.record.update, run.record.metric))
        return run

    def _collect(self, case: _Case, table: pl.DataFrame, base: Split, scorer: Scorer) -> pl.DataFrame:
        """The new labelled rows that keep the contract."""
        target = self._problem.data.target
        if target not in table.columns:
            raise DataError(
                "the new table has no target column, so there is nothing to learn from it",
                where="the new table",
                got=", ".join(table.columns[:8]),
                cure=f"Add the column {target!r}",
            )
        labelled = table.filter(pl.col(target).is_not_null())
        fresh = unknown_rows(labelled, base, self._workspace)
        case.rows_new = fresh.height
        case.ask(data_gate(labelled.height, fresh.height, self._problem.retraining.min_new_rows))
        case.ask(contract_gate(scorer.contract, fresh))
        broken = scorer.contract.check_frame(fresh).filter(pl.col("rejects"))["row"].unique()
        return fresh.with_row_index("__row").filter(~pl.col("__row").is_in(broken.implode())).drop("__row")

    def _divide(self, case: _Case, base: Split, frame: pl.DataFrame, problem: Problem) -> Split:
        """The enlarged split; new rows that cannot be divided (one class only, known groups only) end the case."""
        try:
            return extend_split(base, frame, problem, self._workspace, self._actor)
        except DataError as error:
            case.ask(GateResult("split", passed=False, detail=error.sentence))
            raise

    def _look_for_twins(self, case: _Case, split: Split) -> None:
        """A version that learnt from the same rows and waits for a decision ends the case."""
        for version in self._registry.versions(self._problem.name):
            waits = version.stage in (Stage.CANDIDATE, Stage.APPROVED)
            learnt_from = whole_id(self._registry.package(version).manifest.split_id, self._workspace)
            if waits and learnt_from == split.record.id:
                detail = (
                    f"Version {version.version} has learnt from the same rows; approve, promote or reject it first."
                )
                case.ask(GateResult("data", passed=False, detail=detail))

    def _audited(self, case: _Case, base: Split, split: Split, problem: Problem) -> AuditReport:
        """The audit of the enlarged training part, held against the champion's; acknowledged findings may stay."""
        report = with_acknowledgements(self._audit(split, problem), self._workspace.ledger)
        folder = self._workspace.folder("audits", split.record.id)
        save_audit(report, problem, folder)
        accepted = load_audit(self._workspace.folder("audits", base.record.id)) or self._audit(base, problem)
        case.ask(audit_gate(report, accepted))
        return report

    def _audit(self, split: Split, problem: Problem) -> AuditReport:
        roles = assign_roles(problem, split.train.schema)
        return audit(split.train, problem, roles, seed=problem.training.seed)

    def _compare(self, case: _Case, scorer: Scorer, run: StoredRun, split: Split, problem: Problem) -> None:
        """Champion and challenger on the fresh validation rows, as a whole and by segment."""
        duel = meet(problem, scorer, run, split)
        case.ask(comparison_gate(problem, duel))
        case.ask(segments_gate(problem, duel))

    def _register(
        self, case: _Case, run: StoredRun, split: Split, report: AuditReport, problem: Problem
    ) -> ModelVersion:
        """Evaluate, package and register the challenger; its fresh test part is opened once, for its card."""
        reason = f"card of the challenger to version {case.champion.version}"
        evaluation = evaluate(run, split, problem, actor=self._actor, reason=reason, progress=self._progress)
        page = evaluation_page(evaluation, run.record, problem, report)
        save_evaluation(evaluation, self._workspace, render_html(page))
        number = self._registry.next_version(problem.name)
        folder = self._workspace.folder("packages", f"{problem.name}-{number}-{new_id()[-6:]}")
        details = build_details(self._workspace, split, self._actor)
        try:
            package = build_package(
                run, split, evaluation, report, problem, version=str(number), folder=folder, details=details
            )
        except GateRefusedError as error:
            case.ask(GateResult("package", passed=False, detail=error.sentence))
            raise
        case.gates.append(GateResult("package", passed=True, detail="Parity is proved and the limits are kept."))
        return self._registry.register(package, self._actor)

    def _decide(self, case: _Case, challenger: ModelVersion | None) -> Decision:
        """The decision, in one sentence with the last gate's words."""
        last = case.gates[-1]
        if challenger is not None:
            outcome = Outcome.CHALLENGER
            said = next(gate.detail for gate in case.gates if gate.gate == "comparison")
            reason = f"Version {challenger.version} waits for approval. {said}"
        else:
            outcome = Outcome.STOPPED if case.run_id is None else Outcome.CHAMPION_STAYS
            reason = f"Version {case.champion.version} stays: the {last.gate} gate said no. {last.detail}"
        return Decision(
            id=case.id,
            outcome=outcome,
            reason=reason,
            gates=tuple(case.gates),
            champion_version=case.champion.version,
            challenger_version=challenger.version if challenger else None,
            run_id=case.run_id,
            rows_new=case.rows_new,
            created_at=self._clock(),
            window=case.window,
        )


def _same_question(problem: Problem, target: str, scorer: Scorer) -> Problem:
    """The problem as the champion answers it; refused if the project file has changed it since."""
    asked = settled(problem, scorer.task, scorer.classes)
    same_task = problem.task in (Task.AUTO, asked.task)
    same_class = problem.data.positive in (None, asked.data.positive)
    if problem.data.target == target and same_task and same_class:
        return asked
    raise StateError(
        "the champion answers another question than the project file asks by now",
        where="modelyard.yaml",
        got=f"target {problem.data.target!r}, task {problem.task}, positive class {problem.data.positive!r}",
        cure="Train anew with 'modelyard train', or put the question back",
    )
