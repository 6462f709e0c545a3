"""A retraining from the call to the decision: the same call goes on with what a killed one has left."""

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path

import polars as pl

from modelyard.core import Actor, Clock, Progress, silent, system_clock
from modelyard.data import read_table, with_history
from modelyard.data.dtypes import plain_types
from modelyard.data.version import content_digest
from modelyard.governance import ModelVersion, Registry
from modelyard.monitoring.alerting import deliver_waiting
from modelyard.problem import Problem
from modelyard.problem.address import without_password
from modelyard.retraining.cases import Case, CaseBook, Inputs
from modelyard.retraining.cases.book import StoppedError
from modelyard.retraining.champion import Champion, load_champion
from modelyard.retraining.gates import cause_gate
from modelyard.retraining.gathering import Gathered, collected, from_table
from modelyard.retraining.pipeline import Pipeline
from modelyard.retraining.question import same_question, settings_digest
from modelyard.retraining.records import Decision, GateResult, Outcome
from modelyard.retraining.telling import tell
from modelyard.store import Workspace

__all__ = ["Request", "Retrainer"]


@dataclasses.dataclass(frozen=True)
class Request:
    """What is asked for.

    Parameters
    ----------
    source
        Table of new labelled rows; None collects them from the project's source as it is now, and from the prediction log.
    update
        The champion goes on learning from the new rows, instead of a search over all rows.
    despite
        Why a person retrains although the last monitoring named a broken pipeline; kept in the decision.
    because
        The triggers that were pulled, in words; empty if a person asks.
    """

    source: Path | None = None
    update: bool = False
    despite: str = ""
    because: str = ""


class Retrainer:
    """Makes challengers for one project. Whoever calls it holds the project's lock.

    A crash at any point leaves the champion in production and the ledger valid: nothing of the champion is written,
    and the challenger exists only from its registration on, which is one transaction. The same call goes on with what
    was finished, and ends as if nothing had happened.

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
        self._book = CaseBook(workspace, actor, clock=clock)

    def retrain(self, version: ModelVersion, request: Request) -> Decision:
        """Decide on a challenger to a version; the decision is stored and in the ledger.

        Raises
        ------
        DataError
            If the table or the source cannot be read or lacks columns.
        StateError
            If the project file asks another question by now than the champion answers.
        ConfigError
            If the champion is to be updated, and its family cannot be; nothing is new but what the log hides.
        """
        monitored = self._workspace.ledger.rows(action="model.monitored", subject=version.subject)
        cause = cause_gate(monitored, request.despite)
        champion = load_champion(version, self._workspace)
        problem = same_question(self._problem, champion)
        table = self._given(request.source, problem)
        inputs = Inputs(
            champion=version.digest,
            rows="" if table is None else content_digest(table),
            settings=settings_digest(problem),
            cause="" if cause is None else cause.detail,
            update=request.update,
            despite=request.despite,
        )

        def gather() -> Gathered:
            if table is None:
                return collected(problem, champion, self._workspace)
            return from_table(table, problem, champion, self._workspace)

        return self._decided(self._case(inputs, champion, cause, request, gather), champion, problem)

    def _given(self, source: Path | None, problem: Problem) -> pl.DataFrame | None:
        """The table that was given, with the features of its event tables and series."""
        if source is None:
            return None
        return plain_types(with_history(read_table(source), problem, self._workspace.root))[0]

    def _case(
        self,
        inputs: Inputs,
        champion: Champion,
        cause: GateResult | None,
        request: Request,
        gather: Callable[[], Gathered],
    ) -> Case:
        """The case of these inputs, its rows collected; another that is under way ends first.

        Rows that cannot be read are refused before a case begins.
        """
        case = self._book.under_way()
        if case is not None and case.notes.inputs != inputs:
            self._end(case)
            case = None
        if case is not None and case.notes.made("collected") is not None:
            return case
        refused = cause is not None and not cause.passed
        gathered = None if refused else gather()
        if case is None:
            source = "" if request.source is None else without_password(str(request.source))
            case = self._book.begin(inputs, champion.version, request.because, source)
        self._note(case, cause, gathered, champion)
        return case

    def _note(self, case: Case, cause: GateResult | None, gathered: Gathered | None, champion: Champion) -> None:
        """The first verdicts, and the rows that keep the contract."""
        gates = [] if cause is None else [cause]
        with contextlib.suppress(StoppedError):
            if gathered is None:
                case.done("collected", *gates)
                return
            verdicts, rows = gathered.judged(self._problem.retraining.min_new_rows, champion.scorer.contract)
            case.keep(rows)
            case.done(
                "collected", *gates, *verdicts, rows_new=gathered.fresh.height, data=content_digest(gathered.fresh)
            )

    def _decided(self, case: Case, champion: Champion, problem: Problem) -> Decision:
        """Go through the steps that are left, and close the case."""
        decision = self._book.decision(case)
        if decision is None:
            pipeline = Pipeline(self._workspace, problem, self._actor, champion, case, progress=self._progress)
            challenger = None
            with contextlib.suppress(StoppedError):
                challenger = pipeline.challenger()
            decision = self._decision(case, challenger)
        self._book.close(case, decision, self._follow_up)
        deliver_waiting(self._workspace, self._problem, self._actor, clock=self._clock)
        return decision

    def _end(self, case: Case) -> None:
        """A case of other inputs: what it had decided or registered stands; else it is given up."""
        challenger = self._registered(case)
        decision = self._book.decision(case)
        if decision is None and challenger is not None:
            decision = self._decision(case, challenger)
        if decision is not None:
            self._book.close(case, decision, self._follow_up)
            return
        self._book.sweep(case, self._problem.name)
        self._book.give_up(case, "another retraining was asked for")

    def _registered(self, case: Case) -> ModelVersion | None:
        """The challenger of a case, if it came as far as that."""
        folder = case.notes.made("packaged")
        versions = self._registry.versions(self._problem.name)
        return next((version for version in versions if folder and version.folder == folder), None)

    def _follow_up(self, decision: Decision) -> None:
        """People are told of a decision before the ledger has it; doing it twice changes nothing."""
        tell(self._workspace, self._problem, decision, self._actor, clock=self._clock)

    def _decision(self, case: Case, challenger: ModelVersion | None) -> Decision:
        """The decision, in one sentence with the last gate's words."""
        notes, gates = case.notes, case.notes.gates
        run_id = notes.made("trained")
        if challenger is not None:
            outcome = Outcome.CHALLENGER
            said = next(gate.detail for gate in gates if gate.gate == "comparison")
            reason = f"Version {challenger.version} waits for approval. {said}"
        else:
            outcome = Outcome.STOPPED if run_id is None else Outcome.CHAMPION_STAYS
            last = gates[-1]
            reason = f"Version {notes.champion_version} stays: the {last.gate} gate said no. {last.detail}"
        return Decision(
            id=case.id,
            outcome=outcome,
            reason=reason,
            gates=gates,
            champion_version=notes.champion_version,
            challenger_version=challenger.version if challenger else None,
            run_id=run_id,
            rows_new=notes.rows_new,
            created_at=self._clock(),
            because=notes.because,
            window=notes.window,
        )
