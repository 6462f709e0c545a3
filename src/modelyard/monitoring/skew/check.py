"""The check: draw logged answers, compute them anew, hold the requests against the table, and note the verdict."""

import dataclasses
import datetime as dt

from modelyard.core import Actor, Clock, ConfigError, StateError, system_clock
from modelyard.governance import ModelVersion, Registry, require_permission
from modelyard.monitoring.columns import PREFIX
from modelyard.monitoring.skew.findings import skew_findings, verdict_of
from modelyard.monitoring.skew.matching import Matched, match_rows
from modelyard.monitoring.skew.records import ColumnSkew, SkewReport
from modelyard.monitoring.skew.sampling import draw_answers
from modelyard.monitoring.skew.scores import hidden_columns, score_skew
from modelyard.monitoring.skew.values import compare_column
from modelyard.packaging import Scorer
from modelyard.problem import Problem
from modelyard.store import Workspace

__all__ = ["CHECKED", "SkewRequest", "check_skew"]

CHECKED = "skew.checked"


@dataclasses.dataclass(frozen=True)
class SkewRequest:
    """What is to be compared.

    Parameters
    ----------
    version
        Of the model; the one in production by default.
    data
        A table with the same entities, a path or an address; the project's source by default.
    key
        The column that names an entity in log and table; ``data.id`` or ``data.group`` by default, else ``id`` in the
        table for the ids of answers.
    sample
        How many logged answers are drawn, without replacement.
    days
        Only answers of so many days; all by default.
    seed
        Of the draw.

    Raises
    ------
    ConfigError
        If a number is below 1.
    """

    version: int | None = None
    data: str | None = None
    key: str | None = None
    sample: int = 1000
    days: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value in (("sample", self.sample), ("days", self.days)):
            if value is not None and value < 1:
                raise ConfigError(f"{name} must be at least 1", where="skew", got=str(value), cure="Give a larger one")


def check_skew(
    workspace: Workspace,
    problem: Problem,
    actor: Actor,
    request: SkewRequest | None = None,
    *,
    clock: Clock = system_clock,
) -> SkewReport:
    """Whether a version was asked and has answered as training would have it.

    A row of the ledger notes counts and the verdict, no value of any row.

    Raises
    ------
    NotPermittedError
        If the actor may not monitor.
    StateError
        If nothing is in production, or there is no such version.
    ConfigError, DataError
        If the table cannot be read, or requests cannot be found in it by the key that was asked for.
    IntegrityError
        If the package's bytes have changed.
    """
    require_permission(actor, "monitor")
    request = request or SkewRequest()
    version = _version(workspace, problem, request.version)
    scorer = Scorer.load(Registry(workspace).package(version))
    since = None if request.days is None else clock() - dt.timedelta(days=request.days)
    drawn = draw_answers(
        workspace.folder("predictions"), version.digest, size=request.sample, seed=request.seed, since=since
    )
    personal = problem.log.personal
    scores = score_skew(drawn.rows, scorer, hidden_columns(scorer, drawn.rows, tuple(personal)), workspace)
    matched = match_rows(drawn.rows, problem, workspace, request.data, request.key)
    columns, left_out = _columns(matched, scorer, problem)
    findings = skew_findings(scores, matched.match, columns)
    report = SkewReport(
        model=version.name,
        version=str(version.version),
        logged=drawn.logged,
        sampled=drawn.rows.height,
        seed=request.seed,
        since=drawn.since,
        until=drawn.until,
        scores=scores,
        match=matched.match,
        columns=columns,
        left_out=left_out,
        findings=findings,
        verdict=verdict_of(scores, matched.match, findings),
    )
    _note(workspace, actor, version, report)
    return report


def _version(workspace: Workspace, problem: Problem, number: int | None) -> ModelVersion:
    registry = Registry(workspace)
    version = registry.production(problem.name) if number is None else registry.version(problem.name, number)
    if version is None:
        raise StateError("no version is in production", where=problem.name, cure="Run: modelyard promote VERSION")
    return version


def _columns(matched: Matched, scorer: Scorer, problem: Problem) -> tuple[tuple[ColumnSkew, ...], dict[str, str]]:
    """The model's columns compared, those that differ most first; and why others are not."""
    if not matched.match.matched:
        return (), {}
    found: list[ColumnSkew] = []
    left_out: dict[str, str] = {}
    for column in scorer.contract.columns:
        why = _why_not(column.name, matched, problem)
        if why:
            left_out[column.name] = why
        else:
            found.append(compare_column(column, matched.requests[f"{PREFIX}{column.name}"], matched.rows[column.name]))
    return tuple(sorted(found, key=lambda one: (-one.share, one.column))), left_out


def _why_not(name: str, matched: Matched, problem: Problem) -> str:
    """Why a column is not compared; ``""`` if it is."""
    if name in problem.log.personal:
        return "the log does not hold it as it came"
    if f"{PREFIX}{name}" not in matched.requests.columns:
        return "the log does not hold it"
    if name not in matched.rows.columns:
        return "the table has no such column"
    return "the moment by which rows are found" if name == matched.match.moment else ""


def _note(workspace: Workspace, actor: Actor, version: ModelVersion, report: SkewReport) -> None:
    details = {
        "digest": version.digest,
        "verdict": report.verdict.value,
        "logged": report.logged,
        "sampled": report.sampled,
        "seed": report.seed,
        "scores": {one.by: one.differing for one in report.scores if not one.not_compared},
        "table": report.match.table,
        "matched": report.match.matched,
        "columns": {one.column: one.differing for one in report.columns if one.differing},
        "findings": [f"{one.id}: {one.subject}" for one in report.findings],
    }
    workspace.ledger.append(actor, CHECKED, version.subject, details)
