"""The facade: a project and its verbs, in the order of a model's life. Each verb is a few lines that call rooms."""

import dataclasses
import datetime as dt
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from modelyard import data as data_room
from modelyard import governance, store
from modelyard.audit import AuditReport, acknowledge_finding, require_decisions
from modelyard.audits import Audits
from modelyard.core import (
    ConfigError,
    Progress,
    ProgressEvent,
    StateError,
    new_id,
    silent,
    write_atomic,
    write_json_atomic,
)
from modelyard.courses import Ground, course_for, draft_course
from modelyard.curation import Curation
from modelyard.evaluation import Evaluation, evaluation_page, load_evaluation, save_evaluation
from modelyard.oversight import Oversight
from modelyard.packages import Packages
from modelyard.packaging import Package, Scorer, load_package
from modelyard.problem import (
    PROJECT_FILE,
    LoadedProblem,
    Problem,
    ProblemDraft,
    Task,
    json_schema,
    lint_problem,
    load_problem,
    write_draft,
)
from modelyard.report import render_html
from modelyard.retraining.replay.verbs import Replays
from modelyard.schedule import Schedule
from modelyard.status import CheckReport, Status, next_step, source_changed

if TYPE_CHECKING:
    from modelyard.monitoring import MonitorReport
    from modelyard.retraining import Decision
    from modelyard.serving import BatchReport, BatchSettings
    from modelyard.training.executor import Executor
    from modelyard.training.run import StoredRun

__all__ = ["Project"]

_PAGES = ("audit", "evaluation", "card", "monitoring")
_POINTERS = ("split", "run", "evaluation", "package")


class Project:
    """One model's project: a folder with ``modelyard.yaml`` and its state in ``.modelyard``.

    Open one with :meth:`open`, make one with :meth:`new`. Verbs that change something hold the project's lock
    (``LockedError`` if another command is at work) and leave a row in the ledger. Every error that a verb raises on
    purpose is a :class:`modelyard.core.ModelyardError`.

    Attributes
    ----------
    root
        The project's folder.
    config
        The effective configuration, with the origin of each value.
    problem
        The problem as the project file states it; the task may still be ``auto``.
    workspace
        The project's state.
    actor
        Who acts: the owner of the token, else the user of the operating system.
    curation
        What people agree and decide about rows: the contract, corrections.
    oversight
        How people see to versions: gates, validations, reviews.
    packages
        What is done with packages once they are built: verified, exported, measured.
    alerts
        What people do with alerts: ``open()``, ``acknowledge(id)``, ``silence(key, length, reason)``, ``rate(id, useful=True)``.
    rollouts
        How a version comes to all requests step by step: ``begin(version, strategy)``, ``latest()``, ``resume()``,
        ``abort(reason)``, ``promote()``.
    schedule
        What is done when it is due: ``tick()``, ``watch(tell)``, ``jobs()``.
    replays
        Policies of retraining tried on the past: ``run(table, policies)``.
    course
        The verbs of a task that is not supervised row by row (forecasting, anomaly, clustering); None for the others, which
        have theirs here.
    draft
        What :meth:`new` inferred and why; None for a project that was opened.
    """

    draft: ProblemDraft | None = None

    def __init__(self, root: Path, config: LoadedProblem, *, token: str | None, progress: Progress) -> None:
        self.root = root
        self.config = config
        self.problem = config.problem
        self.workspace = store.Workspace(root, config.problem.store)
        self.actor = governance.current_actor(self.workspace.ledger, token, root, model=config.problem.name)
        self.curation = Curation(config.problem, self.workspace, self.actor, self._split)
        self.packages = Packages(config.problem, self.workspace, self.actor)
        self.alerts = governance.AlertDesk(self.workspace.ledger, config.problem.name, self.actor)
        self.oversight = Oversight(config.problem, self.workspace, self.actor)
        self.rollouts = governance.Steering(config.problem, self.workspace, self.actor)
        self.schedule = Schedule(config.problem, self.workspace, self.actor, progress=progress)
        self._audits = Audits(self.workspace, progress)
        self.replays = Replays(config.problem, self.workspace, self.actor, progress)
        self.course = course_for(Ground(config.problem, self.workspace, self.actor, progress))
        self._progress = progress
        self._change: data_room.VersionDiff | None = None

    @classmethod
    def new(
        cls,
        root: Path | str,
        *,
        data: Path | str,
        target: str = "",
        query: str | None = None,
        task: Task | str = Task.AUTO,
    ) -> Self:
        """Look at a table, infer what can be inferred, and write a commented ``modelyard.yaml`` into ``root``.

        The table is stored as a version, so that it is not read again.

        Parameters
        ----------
        data
            A path or an address of a table.
        target
            Column to predict; clustering and anomaly detection do without.
        query
            What is asked of a database.
        task
            What is asked, if it is no prediction row by row: ``forecasting``, ``anomaly`` or ``clustering``.

        Raises
        ------
        ConfigError
            If the task needs a target and none is named.
        DataError
            If the table cannot be read or the target cannot be learnt.
        StateError
            If there is a project already.
        """
        folder = Path(root)
        if (folder / PROJECT_FILE).exists():
            raise StateError(
                "there is a project already", where=str(folder), cure="Choose another name, or edit modelyard.yaml"
            )
        task = Task(task)
        if not target and task not in (Task.ANOMALY, Task.CLUSTERING):
            raise ConfigError("there is nothing to predict", where="--target", cure="Name the column to predict")
        workspace = store.Workspace(folder)
        draft: ProblemDraft | None = None
        with workspace.scratch() as scratch:
            key = data_room.fingerprint(data, query=query)
            read = data_room.open_source(data, query=query, scratch=scratch)
            if task.is_supervised:
                draft = data_room.draft_problem(
                    folder.resolve().name, data, read.table, target, folder=folder, query=query
                )
                text = write_draft(draft)
            else:
                text = draft_course(folder, data, read.table, task, target, query=query)
            write_json_atomic(folder / ".modelyard" / "schema.json", json_schema())
            write_atomic(folder / PROJECT_FILE, text)
            store.keep_out_of_git(folder)
            project = cls.open(folder)
            data_room.keep_version(read.table, str(data), workspace, notes=read.notes, key=key)
        project.draft = draft
        return project

    @classmethod
    def open(
        cls,
        root: Path | str = ".",
        *,
        env: str | None = None,
        settings: Sequence[str] = (),
        token: str | None = None,
        progress: Progress = silent,
    ) -> Self:
        """Open the project in ``root``.

        Parameters
        ----------
        env
            Overlay file ``modelyard.<env>.yaml``.
        settings
            Overrides ``a.b=value``; the last wins.
        token
            Token of somebody else than the user of the operating system.
        progress
            Receives progress events of long verbs.

        Raises
        ------
        ConfigError
            If there is no project file, or it is wrong.
        NotPermittedError
            If the token is unknown, expired or revoked, or is for other models.
        """
        folder = Path(root)
        return cls(folder, load_problem(folder, env=env, settings=settings), token=token, progress=progress)

    def check(self) -> CheckReport:
        """Whether the question is well put and the data can answer it; splits and seals on first use.

        Raises
        ------
        DataError
            If the table cannot be read, the target cannot be learnt, or the rows cannot be divided.
        NotPermittedError
            If the actor may not: the first check divides the rows and seals the test part.
        """
        governance.require_permission(self.actor, "audit")
        with self.workspace.lock():
            problem, split = self._split()
        version = data_room.version_record(split.record.dataset_id, self.workspace)
        target = split.train.frame[problem.data.target]
        shares = data_room.class_shares(target) if problem.task.is_classification else None
        return CheckReport(
            name=problem.name,
            task=problem.task.value,
            target=problem.data.target,
            metric=problem.primary_metric,
            dataset_id=version.id,
            rows=version.rows,
            columns=len(version.columns.columns),
            split=split.record.reason,
            test_rows=split.test.size,
            openings=split.test.openings(),
            findings=(
                *source_changed(self._change),
                *lint_problem(problem, class_shares=shares),
                *split.record.findings,
            ),
        )

    def audit(
        self, *, acknowledge: Sequence[str] = (), reason: str = "", until: dt.date | None = None, quick: bool = False
    ) -> AuditReport:
        """Search the training part for faults; the test part is sealed before anything is looked at.

        Parameters
        ----------
        acknowledge
            Findings that may stay, each as ``ID`` or ``ID:SUBJECT``; the decision goes to the ledger.
        reason, until
            Why they may stay, and the last day (UTC) on which that holds; 90 days from now by default.
        quick
            Leave out the checks that train a model. :meth:`train` makes the whole audit all the same.

        Raises
        ------
        DataError
            As for :meth:`check`.
        ConfigError
            If no check gives such a finding, the reason is empty, or the day is over.
        NotPermittedError
            If the actor may not audit, or not acknowledge findings.
        """
        governance.require_permission(self.actor, "acknowledge" if acknowledge else "audit")
        with self.workspace.lock():
            for finding in acknowledge:
                acknowledge_finding(self.workspace.ledger, self.actor, finding, reason, until)
            problem, split = self._split()
            return self._audits.make(problem, split, quick=quick, changed=source_changed(self._change))

    def train(
        self,
        *,
        accept: str | None = None,
        resume: bool = True,
        executor: "Executor | None" = None,
        replay: str | None = None,
    ) -> "StoredRun":
        """Train baselines and candidates, choose, and refit the winner.

        Parameters
        ----------
        accept
            Why to train although the audit found errors; the decision goes to the ledger.
        resume
            Continue an interrupted run of the same split, plan and seed.
        executor
            Where the work is done; worker processes on this machine by default.
        replay
            Id of a run whose plan is carried out again, as far as it was carried out then, without a clock.

        Raises
        ------
        GateRefusedError
            If the audit found errors and no reason was given.
        DataError, ConfigError
            If the table or the plan of training cannot be used.
        StateError
            If training was interrupted before any candidate was complete.
        NotPermittedError
            If the actor may not train.
        """
        began = time.monotonic()
        from modelyard.training.engine import repeat, train
        from modelyard.training.planning import counted_from
        from modelyard.training.run import load_run
        from modelyard.training.search.leftovers import kept_until_noted

        governance.require_permission(self.actor, "train")
        with self.workspace.lock(), counted_from(began), kept_until_noted():
            problem, split = self._split()
            audit = self._audits.whole(problem, split, changed=source_changed(self._change))
            require_decisions(audit, accept)
            given = (split, problem, self.workspace)
            if replay is not None:
                again = load_run(replay, self.workspace).record
                run = repeat(again, *given, executor=executor, progress=self._progress)
            else:
                run = train(*given, executor=executor, progress=self._progress, resume=resume)
            details = {"winner": run.record.winner, "split": split.record.id}
            self._note("run.finished", run.record.id, details | ({"accepted": accept} if accept else {}))
            self.workspace.point("run", run.record.id)
        return run

    def evaluate(self, *, open_test: str | None = None, experts: Path | str | None = None) -> Evaluation:
        """Measure the winner on validation rows and, if a reason is given, on the sealed test part.

        Parameters
        ----------
        open_test
            Why the sealed part is opened; each opening is counted and widens the intervals of the next.
        experts
            A table of experts' answers by row id, compared with the winner on the rows that are judged.

        Raises
        ------
        StateError
            If nothing was trained yet.
        ConfigError, DataError
            If experts' answers cannot be read or joined.
        NotPermittedError
            If the actor may not evaluate, or not open the test part.
        """
        from modelyard.evaluation.evaluate import evaluate
        from modelyard.evaluation.experts.answers import read_answers

        governance.require_permission(self.actor, "evaluate" if open_test is None else "open_test")
        with self.workspace.lock():
            problem, split, run = self._run()
            asked = None if experts is None else read_answers(experts, problem)
            result = evaluate(
                run, split, problem, actor=self.actor, reason=open_test, experts=asked, progress=self._progress
            )
            page = evaluation_page(result, run.record, problem, self._audits.last(problem, split))
            save_evaluation(result, self.workspace, render_html(page))
            details = {"test_opened": open_test is not None, **({} if asked is None else {"experts": asked.digest})}
            self._note("run.evaluated", run.record.id, details)
            self.workspace.point("evaluation", run.record.id)
        return result

    def package(self) -> Package:
        """Build the package of the newest run: one folder, digests, parity proved, card.

        Raises
        ------
        StateError
            If the newest run was not evaluated yet.
        GateRefusedError
            If the package does not answer as the trained model does, or breaks a constraint.
        NotPermittedError
            If the actor may not register models.
        """
        from modelyard.packaging.build import build_package
        from modelyard.packaging.details import build_details

        governance.require_permission(self.actor, "register")
        with self.workspace.lock():
            problem, split, run = self._run()
            evaluation = load_evaluation(run.record.id, self.workspace)
            version = str(self._registry.next_version(problem.name))
            folder = self.workspace.folder("packages", f"{problem.name}-{version}-{new_id()[-6:]}")
            details = build_details(self.workspace, split, self.actor)
            audit = self._audits.last(problem, split)
            built = build_package(
                run, split, evaluation, audit, problem, version=version, folder=folder, details=details
            )
            self._note("package.built", built.manifest.digest, {"folder": folder.name, "run": run.record.id})
            self.workspace.point("package", folder.name)
        return built

    def register(self) -> governance.ModelVersion:
        """Enter the newest package into the registry as an immutable version that asks for approval.

        Raises
        ------
        StateError
            If there is no package yet, or its number was given to another.
        IntegrityError
            If a byte of the package has changed since it was built.
        NotPermittedError
            If the actor may not register models.
        """
        governance.require_permission(self.actor, "register")
        with self.workspace.lock():
            folder = self._pointer("package")
            return self._registry.register(self._load_package(folder), self.actor)

    def approve(self, version: int, reason: str, conditions: Sequence[str] = ()) -> governance.ModelVersion:
        """Approve a version; by policy the actor must not be its author or the one who registered it.

        Parameters
        ----------
        conditions
            Under which: ``shadow 7d``, ``canary 10%``, ``canary 10% 1d``. A promotion that has not met them is refused.

        Raises
        ------
        NotPermittedError
            If the actor may not approve, or not this version.
        ConfigError
            If a condition is none that can be measured.
        GateRefusedError
            If it does not show what the policy's tier asks for.
        StateError
            If there is no such version, no reason, or the version is not waiting; if nothing is in production beside which a
            condition could be met.
        IntegrityError
            If a byte of the package has changed.
        """
        return self._registry.approve(self.problem.name, version, self.actor, reason, self.problem.policy, conditions)

    def reject(self, version: int, reason: str) -> governance.ModelVersion:
        """Reject a version for good.

        Raises
        ------
        NotPermittedError
            If the actor may not approve, and so not reject.
        StateError
            If there is no such version, no reason, or the version is not waiting.
        """
        return self._registry.reject(self.problem.name, version, self.actor, reason)

    def promote(self, version: int, *, break_glass: str | None = None) -> governance.Deployment:
        """Put an approved version into production; the one before retires.

        Parameters
        ----------
        break_glass
            Why an operator alone goes past the gates that say no; somebody else must review it.

        Raises
        ------
        WaitingForApprovalError
            While approvals are missing.
        GateRefusedError
            If the project file names no owner, or a gate says no.
        NotPermittedError, StateError, IntegrityError
            If the actor may not promote, the version cannot be promoted, or its bytes have changed.
        """
        problem = self.problem
        return self._registry.promote(problem.name, version, self.actor, problem.policy, problem.owner, break_glass)

    def rollback(self, reason: str) -> governance.Deployment:
        """Put back what was in production before; while a version is rolled out, take every request from it instead.

        Raises
        ------
        StateError
            If nothing was in production before, or there is no reason.
        NotPermittedError, IntegrityError
            If the actor may not roll back, or the earlier package's bytes have changed.
        """
        return self._registry.rollback(self.problem.name, self.actor, reason)

    def tokens(self) -> governance.Tokens:
        """With which others act on this project, or ask its server: ``create(owner, roles)``, ``revoke(owner)``, ``valid()``."""
        return governance.Tokens(self.workspace.ledger, self.actor)

    def serve(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 8080,
        keys: bool | None = None,
        rate_per_s: float | None = None,
        tls: tuple[Path, Path] | None = None,
        traces_to: str | None = None,
    ) -> None:
        """Serve what is in production until the process is told to end; promotions and rollbacks take effect meanwhile.

        Parameters
        ----------
        host, port
            Address to listen on; port 0 takes a free one.
        keys
            Whether callers need a token with the role ``predict``, ``feedback`` or ``operator``; by default unless only
            this machine can reach the address.
        rate_per_s
            Requests a second that a caller may send; None for any number.
        tls
            Certificate and key, PEM files; None for plain HTTP.
        traces_to
            Address of an OTLP receiver, to which spans of requests are sent; None for no tracing.

        Raises
        ------
        StateError
            If nothing is in production, or the address cannot be listened on.
        NotPermittedError, IntegrityError
            If the actor may not serve, or the package's bytes have changed.
        """
        from modelyard.serving import (
            Guard,
            Rates,
            RegistryDeployments,
            RegistryRollouts,
            ServingSettings,
            TokenKeys,
            agreed_policy,
            is_local,
            serve,
        )

        governance.require_permission(self.actor, "serve")
        version = self._production()
        folder = self._registry.package(version).folder
        needed = not is_local(host) if keys is None else keys
        tokens = TokenKeys(self.workspace.ledger, self.problem.name) if needed else None
        guard = Guard(tokens, Rates(rate_per_s) if rate_per_s else None)
        settings = ServingSettings(
            folder,
            self.workspace.folder("predictions"),
            host=host,
            port=port,
            tls=tls,
            log=agreed_policy(self.problem, self.workspace),
            traces_to=traces_to,
        )
        deployments = RegistryDeployments(self.workspace, version.name, self.actor)
        rollouts = RegistryRollouts(self.workspace, self.problem, self.actor)
        self._note("serving.started", version.subject, {"host": host, "port": port})
        serve(settings, guard=guard, deployments=deployments, rollouts=rollouts)

    def score(
        self,
        source: Path | str,
        destination: Path | str,
        *,
        query: str | None = None,
        version: int | None = None,
        uncertainty: bool = False,
        settings: "BatchSettings | None" = None,
    ) -> "BatchReport":
        """Score a table with a version; rows that break the contract are set aside.

        Without a version the production one scores; as long as there is none, the newest run's model does, which nobody
        has approved: the report and the ledger say so. A call that was killed goes on when it is made again.

        Parameters
        ----------
        source
            A path or an address.
        destination
            File for the scores, or a table of a database: ``sqlite:///shop.db#scores``.
        query
            What is asked of a database.
        version
            Scores; the one in production by default.
        uncertainty
            Add an interval and quantiles, or the set of classes that cannot be ruled out, to each prediction.
        settings
            How: size of the parts, engine, whether half-done work is continued.

        Raises
        ------
        DataError
            If the table cannot be read, or lacks a column that the contract needs.
        StateError
            If there is no such version, neither one in production nor a run, or it cannot say how sure it is and is asked to.
        IntegrityError
            If the package's bytes have changed.
        NotPermittedError
            If the actor may not score.
        """
        from modelyard.serving import BatchSettings, BatchWork, score_and_note

        governance.require_permission(self.actor, "score")
        scorer, folder = self._scorer(version)
        settings = settings or BatchSettings()
        settings = dataclasses.replace(settings, uncertainty=settings.uncertainty or uncertainty, package=folder)
        work = BatchWork(source, destination, query, settings)
        return score_and_note(scorer, work, self.problem, self.workspace, self.actor, progress=self._progress)

    def monitor(
        self, *, data: Path | str | None = None, labels: Path | str | None = None, alerts: bool | None = None
    ) -> "MonitorReport":
        """Judge recent predictions of the production version: drift, quality, performance, cause.

        Parameters
        ----------
        data
            A table to be scored and judged as one window, instead of the prediction log; its target column, if
            there is one, serves as labels. Of forecasts: what was told, as :meth:`score` of the course wrote it.
        labels
            Table with the columns ``id`` and ``label``, beside those that came back through ``/feedback``. Of forecasts:
            the values that came; the project's source as it is now by default.
        alerts
            Whether alerts open, end and are told of; by default for the prediction log, not for a table that is tried out.

        Raises
        ------
        StateError
            If nothing is in production.
        ConfigError
            If labels are given for clusters, or forecasts are to be judged and none are given.
        DataError
            If a table cannot be read or lacks columns.
        NotPermittedError
            If the actor may not monitor.
        """
        from modelyard.retraining.round import monitor_version

        governance.require_permission(self.actor, "monitor")
        told = (data is None) if alerts is None else alerts
        return monitor_version(
            self.workspace, self.problem, self._production(), self.actor, data=data, labels=labels, alerts=told
        )

    def retrain(self, data: Path | str | None = None, *, update: bool = False, despite: str = "") -> "Decision":
        """Train a challenger on old and new rows; register it only if every gate says yes.

        A call that was killed goes on when it is made again.

        Parameters
        ----------
        data
            Table of new labelled rows with the columns of the training data; without one they are collected from the
            project's source as it is now, and from predictions whose label came back.
        update
            The model in production goes on learning from the new rows, instead of a new search over all rows.
        despite
            The reason to retrain although the last monitoring named a broken pipeline; without one that is refused.

        Raises
        ------
        StateError
            If nothing is in production, or the project file asks another question by now.
        ConfigError
            If the model in production cannot be updated; nothing is new but what the prediction log hides.
        DataError
            If the table or the source cannot be read or lacks columns.
        NotPermittedError
            If the actor may not train.
        """
        from modelyard.retraining.retrain import Request, Retrainer

        governance.require_permission(self.actor, "train")
        request = Request(None if data is None else Path(data), update=update, despite=despite)
        with self.workspace.lock():
            retrainer = Retrainer(self.workspace, self.problem, self.actor, progress=self._progress)
            return retrainer.retrain(self._production(), request)

    def ledger(self) -> store.Ledger:
        """The ledger: ``rows()``, ``verify()``, ``export(path)``."""
        return self.workspace.ledger

    def status(self) -> Status:
        """Where the project stands, and which command comes next."""
        from modelyard.retraining.cases import case_under_way

        pointers = {name: self.workspace.pointer(name) for name in _POINTERS}
        versions = self._registry.versions(self.problem.name)
        waiting = tuple(item.version for item in versions if item.stage is governance.Stage.CANDIDATE)
        taken_back = self.rollouts.taken_back()
        approved = tuple(item.version for item in versions if item.stage.is_waiting and item.version not in taken_back)
        registered = any(item.folder == pointers["package"] for item in versions)
        production = self._registry.production(self.problem.name)
        split = data_room.load_split(pointers["split"], self.workspace) if pointers["split"] else None
        verification = governance.verify_ledger(self.workspace.ledger)
        case = case_under_way(self.workspace)
        return Status(
            name=self.problem.name,
            dataset_id=split.record.dataset_id if split else None,
            split_id=pointers["split"],
            run_id=pointers["run"],
            package=pointers["package"],
            test_openings=split.test.openings() if split else 0,
            production=production.version if production else None,
            waiting=waiting,
            ledger_rows=verification.rows,
            ledger_ok=verification.ok,
            next_step=next_step(
                pointers,
                production.version if production else None,
                waiting,
                approved=approved,
                under_conditions=tuple(number for number in approved if self._is_conditional(number)),
                registered=registered,
                is_watched=self.course is None or self.course.answers_rows,
            ),
            findings=(*self.oversight.findings(), *store.tracked_artefacts(self.root)),
            rollout=self.rollouts.under_way(),
            retraining=case.sentence if case else None,
        )

    def page(self, kind: str) -> Path:
        """The newest page of a kind: ``audit``, ``evaluation``, ``card`` or ``monitoring``.

        Raises
        ------
        ConfigError
            If there is no such kind.
        StateError
            If there is no such page yet.
        """
        if kind not in _PAGES:
            raise ConfigError("there is no such page", got=repr(kind), cure=f"Choose one of: {', '.join(_PAGES)}")
        if kind == "audit":
            return self.workspace.folder("audits", self._pointer("split")) / "audit.html"
        if kind == "card":
            return self.workspace.folder("packages", self._pointer("package")) / "card.html"
        folder = "evaluations" if kind == "evaluation" else kind
        return self.workspace.folder(folder, self._pointer(kind)) / f"{kind}.html"

    @property
    def _registry(self) -> governance.Registry:
        return governance.Registry(self.workspace)

    def _split(self) -> tuple[Problem, data_room.Split]:
        """The resolved problem and the split of the source as it is now; both are made on first use."""
        version = data_room.enter_source(self.problem, self.workspace)
        dataset = data_room.open_version(version.id, self.workspace)
        problem = data_room.resolve(self.problem, dataset.table)
        self._tell_of_change(version)
        split = data_room.make_split(dataset, problem, self.workspace, self.actor)
        split = data_room.corrected_split(split, problem, self.workspace, self.actor)
        self.workspace.point("split", split.record.id)
        self.workspace.point("dataset", version.id)
        return data_room.as_divided(problem, split.record.strategy), split

    def _tell_of_change(self, version: data_room.DatasetVersion) -> None:
        """Say it, here and in the ledger, if the source holds something else than when a command last read it."""
        change = data_room.changed_source(self.workspace.pointer("dataset"), version, self.workspace)
        if change is not None:
            self._change = change
            self._note("data.changed", version.id, {"before": change.before, "what": change.summary})
            message = f"the source has changed since version {change.before}: {change.summary}"
            self._progress(ProgressEvent("reading", 1, 1, message))

    def _run(self) -> tuple[Problem, data_room.Split, "StoredRun"]:
        """The newest run with the split that it was trained on."""
        from modelyard.training.run import load_run

        run = load_run(self._pointer("run"), self.workspace)
        split = data_room.load_split(run.record.split_id, self.workspace)
        problem = data_room.settled(self.problem, run.record.task, run.record.classes)
        return data_room.as_divided(problem, split.record.strategy), split, run

    def _production(self) -> governance.ModelVersion:
        version = self._registry.production(self.problem.name)
        if version is None:
            raise StateError(
                "no version is in production", where=self.problem.name, cure="Run: modelyard promote VERSION"
            )
        return version

    def _scorer(self, version: int | None) -> tuple[Scorer, Path | None]:
        """Of a version, of the one in production, or of the newest run if there is none; and its package, if it has one."""
        from modelyard.packaging.unsealed import unsealed_scorer

        name = self.problem.name
        if version is None and self._registry.production(name) is None and self.workspace.pointer("run") is not None:
            problem, split, run = self._run()
            self._note("scoring.without_approval", run.record.id, {"winner": run.record.winner})
            return unsealed_scorer(run, split, problem), None
        chosen = self._production() if version is None else self._registry.version(name, version)
        package = self._registry.package(chosen)
        return Scorer.load(package), package.folder

    def _is_conditional(self, number: int) -> bool:
        """True if an approval of a version asks for a rollout first."""
        return any(approval.conditions for approval in self._registry.approvals(self.problem.name, number))

    def _load_package(self, folder: str) -> Package:
        return load_package(self.workspace.folder("packages", folder))

    def _pointer(self, name: str) -> str:
        """What a pointer shows to; ``StateError`` with the command that sets it."""
        value = self.workspace.pointer(name)
        if value is None:
            command = {"split": "audit", "run": "train", "evaluation": "evaluate"}.get(name, name.removesuffix("ing"))
            raise StateError(f"there is no {name} yet", where=str(self.root), cure=f"Run: modelyard {command}")
        return value

    def _note(self, action: str, subject: str, details: Mapping[str, object]) -> None:
        self.workspace.ledger.append(self.actor, action, subject, details)
