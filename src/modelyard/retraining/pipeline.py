"""The steps of a retraining: divide, choose a window, audit, train, compare, evaluate, package, register. Each is done once.

A step looks first whether its artefact is there, made by an earlier call of the same case. Artefacts are whole or absent,
so one that is there may be used even if the call was killed before it could note that.
"""

import contextlib
import dataclasses

from modelyard.audit import AuditReport, audit, load_audit, save_audit, with_acknowledgements
from modelyard.core import Actor, DataError, GateRefusedError, Progress, StateError, silent
from modelyard.data import Split, assign_roles, extend_split, load_split
from modelyard.evaluation import Evaluation, evaluation_page, load_evaluation, save_evaluation
from modelyard.evaluation.evaluate import evaluate
from modelyard.governance import ModelVersion, Registry, Stage
from modelyard.packaging import Package, load_package
from modelyard.packaging.build import build_package
from modelyard.packaging.details import build_details
from modelyard.problem import Problem
from modelyard.report import render_html
from modelyard.retraining.cases import Case, CaseBook
from modelyard.retraining.champion import Champion
from modelyard.retraining.duel import meet
from modelyard.retraining.gates import audit_gate, comparison_gate, segments_gate, update_gate
from modelyard.retraining.records import GateResult
from modelyard.retraining.windows.applying import whole_id, windowed
from modelyard.retraining.windows.choosing import choose_window
from modelyard.store import Workspace
from modelyard.training.engine import train
from modelyard.training.run import StoredRun, load_run
from modelyard.training.search.leftovers import remove_search, search_folder
from modelyard.training.update.run import Champion as Learner
from modelyard.training.update.run import update

__all__ = ["Pipeline"]


@dataclasses.dataclass(frozen=True)
class _Ground:
    """What the challenger learns from: the split with its window, and the question with the weights that it may bring."""

    split: Split
    problem: Problem


class Pipeline:
    """The way of one case to a registered challenger, one gate after the other.

    Parameters
    ----------
    workspace, problem, actor
        The project, the champion's question, and who retrains.
    champion
        Against which the challenger must show itself.
    case
        Holds the rows that were collected, and what is finished.
    progress
        Receives the progress of training and evaluation.
    """

    def __init__(
        self,
        workspace: Workspace,
        problem: Problem,
        actor: Actor,
        champion: Champion,
        case: Case,
        *,
        progress: Progress = silent,
    ) -> None:
        self._workspace = workspace
        self._problem = problem
        self._actor = actor
        self._champion = champion
        self._case = case
        self._progress = progress
        self._registry = Registry(workspace)

    def challenger(self) -> ModelVersion:
        """The challenger, registered.

        Raises
        ------
        StoppedError
            If a gate says no.
        """
        self._case.require_no_refusal()
        ground = self._windowed(self._divided())
        report = self._audited(ground)
        run = self._trained(ground)
        self._compared(run, ground)
        evaluation = self._evaluated(run, ground, report)
        package = self._packaged(run, ground, evaluation, report)
        return self._registry.register(package, self._actor)

    def _divided(self) -> Split:
        """The enlarged split; new rows that cannot be divided (one class only, known groups only) end the case."""
        made = self._case.notes.made("divided")
        if made is None:
            rows = self._case.kept()
            if rows is None:
                raise StateError(
                    "the rows that were collected are gone",
                    where=f"retraining {self._case.id}",
                    cure="Run the command again with another table, or restore the file",
                )
            try:
                split = extend_split(self._champion.base, rows, self._problem, self._workspace, self._actor)
            except DataError as error:
                self._case.done("divided", GateResult("split", passed=False, detail=error.sentence))
                raise
            made = split.record.id
            self._case.done("divided", *self._twins(made), made=made)
        return load_split(made, self._workspace, work=self._case.id)

    def _twins(self, split_id: str) -> tuple[GateResult, ...]:
        """A no for a version that learnt from the same rows and waits for a decision."""
        for version in self._registry.versions(self._problem.name):
            waits = version.stage is Stage.CANDIDATE or version.stage.is_waiting
            learnt_from = whole_id(self._registry.package(version).manifest.split_id, self._workspace)
            if waits and learnt_from == split_id:
                detail = (
                    f"Version {version.version} has learnt from the same rows; approve, promote or reject it first."
                )
                return (GateResult("data", passed=False, detail=detail),)
        return ()

    def _windowed(self, split: Split) -> _Ground:
        """The known rows that train, as the project file or a backtest says; an update goes on from what the champion knows."""
        if self._is_update:
            return _Ground(split, self._problem)
        choice = self._case.notes.window
        if choice is None:
            before, root = self._champion.run.record, self._workspace.root
            choice = choose_window(split, self._problem, before, root, progress=self._progress)
            self._case.choose(choice)
        return _Ground(*windowed(choice, split, self._problem, self._workspace))

    def _audited(self, ground: _Ground) -> AuditReport:
        """The audit of the enlarged training part, held against the champion's; acknowledged findings may stay."""
        folder = self._workspace.folder("audits", ground.split.record.id)
        known = load_audit(folder) if self._case.notes.made("audited") is not None else None
        report = with_acknowledgements(known or self._audit(ground), self._workspace.ledger)
        if known is None:
            save_audit(report, ground.problem, folder)
            base = _Ground(self._champion.base, self._problem)
            accepted = load_audit(self._workspace.folder("audits", base.split.record.id)) or self._audit(base)
            self._case.done("audited", audit_gate(report, accepted))
        return report

    def _audit(self, ground: _Ground) -> AuditReport:
        train, problem = ground.split.train, ground.problem
        return audit(train, problem, assign_roles(problem, train.schema), seed=problem.training.seed)

    def _trained(self, ground: _Ground) -> StoredRun:
        """The challenger's run: a search on all rows, or the champion that goes on with the new ones."""
        made = self._case.notes.made("trained")
        run = load_run(made, self._workspace) if made is not None else self._run_of_earlier_call(ground.split)
        run = run or self._train(ground)
        gain = run.record.update
        gates = () if gain is None else (update_gate(gain, run.record.metric),)
        self._case.done("trained", *gates, made=run.record.id)
        return run

    def _run_of_earlier_call(self, split: Split) -> StoredRun | None:
        """A run of this split that was stored after the case began: ids sort by time, and no other call held the lock.

        The earlier call may have been killed before it removed the files of its search.
        """
        for path in sorted(self._workspace.folder("runs").glob("[!.]*"), reverse=True):
            if path.name < self._case.id:
                return None
            run = load_run(path.name, self._workspace)
            if run.record.split_id == split.record.id and (run.record.update is not None) == self._is_update:
                remove_search(search_folder(run.record.plan, self._workspace))
                return run
        return None

    @property
    def _is_update(self) -> bool:
        return self._case.notes.inputs.update

    def _train(self, ground: _Ground) -> StoredRun:
        if not self._is_update:
            return train(ground.split, ground.problem, self._workspace, progress=self._progress)
        champion = self._champion
        learner = Learner(champion.run, champion.base.development.frame.height, champion.version.version)
        return update(learner, ground.split, ground.problem, self._workspace, progress=self._progress)

    def _compared(self, run: StoredRun, ground: _Ground) -> None:
        """Champion and challenger on the fresh validation rows, as a whole and by segment."""
        if self._case.notes.made("compared") is not None:
            return
        duel = meet(ground.problem, self._champion.scorer, run, ground.split)
        verdict = comparison_gate(ground.problem, duel)
        gates = (verdict, segments_gate(ground.problem, duel)) if verdict.passed else (verdict,)
        self._case.done("compared", *gates)

    def _evaluated(self, run: StoredRun, ground: _Ground, report: AuditReport) -> Evaluation:
        """The challenger's evaluation; its fresh test part is opened once, for its card."""
        with contextlib.suppress(StateError):
            known = load_evaluation(run.record.id, self._workspace)
            self._case.done("evaluated", made=run.record.id)
            return known
        reason = f"card of the challenger to version {self._champion.version.version}"
        split, problem = ground.split, ground.problem
        evaluation = evaluate(run, split, problem, actor=self._actor, reason=reason, progress=self._progress)
        page = evaluation_page(evaluation, run.record, problem, report)
        save_evaluation(evaluation, self._workspace, render_html(page))
        self._case.done("evaluated", made=run.record.id)
        return evaluation

    def _packaged(self, run: StoredRun, ground: _Ground, evaluation: Evaluation, report: AuditReport) -> Package:
        """The challenger's package, under a name of its own case and with the number that is next."""
        name, made = self._problem.name, self._case.notes.made("packaged")
        versions = self._registry.versions(name)
        if made is not None and any(version.folder == made for version in versions):
            return load_package(self._workspace.folder("packages", made))
        number = self._registry.next_version(name)
        folder = self._workspace.folder("packages", f"{name}-{number}-{self._case.id[-6:]}")
        CaseBook(self._workspace, self._actor).sweep(self._case, name)
        package = load_package(folder) if folder.exists() else None
        try:
            package = package or build_package(
                run,
                ground.split,
                evaluation,
                report,
                ground.problem,
                version=str(number),
                folder=folder,
                details=build_details(self._workspace, ground.split, self._actor),
            )
        except GateRefusedError as error:
            self._case.done("packaged", GateResult("package", passed=False, detail=error.sentence))
            raise
        passed = GateResult("package", passed=True, detail="Parity is proved and the limits are kept.")
        self._case.done("packaged", passed, made=folder.name)
        return package
