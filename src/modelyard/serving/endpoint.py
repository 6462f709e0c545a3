"""The endpoint: the scorer that answers at this moment, and how rows become predictions.

A swap of the model is one assignment to :attr:`Endpoint.active`; a request works with the one it saw first.
"""

import dataclasses
import datetime as dt
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from modelyard.core import new_ids
from modelyard.data import Contract, Violation
from modelyard.packaging import Parity, Scorer
from modelyard.packaging.scorer import Scores
from modelyard.problem import Task
from modelyard.serving.formats import FieldError, Flag, Prediction, RefusedRequestError, Row
from modelyard.serving.roles import STABLE

__all__ = ["ActiveModel", "Endpoint", "PredictionRecord", "activate"]

_logger = logging.getLogger(__name__)

_STRANGE_FIELDS = 200
"""Fields beside the contract's that a row may have; finding the one that was meant takes time for each."""


class PredictionRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the prediction log; see :func:`modelyard.serving.prediction_log.read_predictions`."""

    id: str
    at: dt.datetime
    model: str
    version: str
    digest: str
    latency_ms: float
    score: float
    label: str | None
    probabilities: Sequence[float] | None
    flags: tuple[str, ...]
    features: Mapping[str, Any]
    role: str = STABLE


@dataclasses.dataclass(frozen=True, slots=True)
class ActiveModel:
    """A scorer with its names at hand, and what was found when its golden rows were replayed.

    Parameters
    ----------
    scorer
        Scores and decides.
    parity
        How the golden rows came out; a scorer that disagrees may not answer.
    name, version, digest
        Of the package.
    classes
        Empty for regression.
    contract
        What rows must look like.
    columns
        What is logged of a row: the contract's columns, and what the log's policy names beside.
    role
        As whom it answers: ``stable``, or while a version is rolled out ``canary``, ``baseline`` or ``shadow``.
    """

    scorer: Scorer
    parity: Parity
    name: str
    version: str
    digest: str
    classes: tuple[str, ...]
    contract: Contract
    columns: frozenset[str]
    role: str = STABLE

    @property
    def is_verified(self) -> bool:
        """True if the scorer reproduced the golden rows; otherwise it may not answer."""
        return self.parity.ok

    @property
    def kinds(self) -> dict[str, str]:
        """Name to kind of the columns."""
        return {column.name: str(column.kind) for column in self.contract.columns}

    def check(self, rows: Sequence[Row], first: int = 0) -> tuple[list[tuple[Flag, ...]], list[FieldError]]:
        """Flags for each row, and what forbids to score them; ``first`` is the number of the first row."""
        check_row = self.contract.check_row
        most_fields = len(self.columns) + _STRANGE_FIELDS
        flags: list[tuple[Flag, ...]] = []
        errors: list[FieldError] = []
        for number, row in enumerate(rows, start=first):
            if len(row) > most_fields:
                errors.append(FieldError("", f"{len(row)} fields", f"at most {most_fields} fields", row=number))
                continue
            violations = check_row(row)
            if not violations:
                flags.append(())
                continue
            flags.append(tuple(_flag(found) for found in violations if not found.rejects))
            errors.extend(_error(found, number) for found in violations if found.rejects)
        return flags, errors

    def predict(
        self,
        rows: Sequence[Row],
        flags: Sequence[tuple[Flag, ...]],
        at: dt.datetime,
        started: float,
        *,
        uncertainty: bool = False,
        scores: Scores | None = None,
    ) -> tuple[list[Prediction], list[PredictionRecord]]:
        """Answers for checked rows, and their records for the log.

        ``started`` is when the request came, by :func:`time.perf_counter`; a record's latency ends with its score.
        ``uncertainty`` adds intervals, sets and quantiles, as far as the package can give them. ``scores`` are those of
        the rows, where they are known already.
        """
        scorer = self.scorer
        scores = scorer.score_rows(rows) if scores is None else scores
        labels = scorer.decide(scores)
        latency_ms = round((time.perf_counter() - started) * 1000, 4)
        regions = _regions(scorer, scores) if uncertainty else None
        answers: list[Prediction] = []
        records: list[PredictionRecord] = []
        identifiers = new_ids(len(rows))
        for number, (row, score, label) in enumerate(zip(rows, scores.tolist(), labels, strict=True)):
            answer, record = self.pair(identifiers[number], row, flags[number], (score, label), at, latency_ms)
            answers.append(msgspec.structs.replace(answer, **regions[number]) if regions else answer)
            records.append(record)
        return answers, records

    def pair(
        self,
        identifier: str,
        row: Row,
        flags: tuple[Flag, ...],
        scored: tuple[float | list[float], str | float],
        at: dt.datetime,
        latency_ms: float,
    ) -> tuple[Prediction, PredictionRecord]:
        """The answer for a row and its record; ``scored`` is its score and its label."""
        score, label = scored
        shares = score if isinstance(score, list) else None
        single = max(score) if isinstance(score, list) else score
        named = msgspec.UNSET if shares is None else dict(zip(self.classes, shares, strict=True))
        answer = Prediction(identifier, single, label, flags, self.name, self.version, named)
        record = PredictionRecord(
            identifier,
            at,
            self.name,
            self.version,
            self.digest,
            latency_ms,
            single,
            str(label) if self.classes else None,
            shares,
            tuple(f"{flag.field}: {flag.rule}" for flag in flags) if flags else (),
            row if row.keys() == self.columns else {name: row[name] for name in row.keys() & self.columns},
            self.role,
        )
        return answer, record


class Endpoint:
    """The place where requests find the scorer that answers.

    Parameters
    ----------
    active
        The first model; assign another one to swap.
    """

    def __init__(self, active: ActiveModel) -> None:
        self.active = active

    def verified(self) -> ActiveModel:
        """The active model, if it may answer.

        Raises
        ------
        RefusedRequestError
            With status 503, if its golden rows were not reproduced.
        """
        active = self.active
        if not active.is_verified:
            raise RefusedRequestError(
                503,
                "scorer-disagrees",
                "the scorer does not reproduce its golden rows, so it gives no answers",
                cure="Serve a package that was built for this environment; see the server's log",
            )
        return active


def activate(source: Path | Scorer, also: Iterable[str] = ()) -> ActiveModel:
    """Load a package (verifying every digest), replay its golden rows, and say how that went.

    Parameters
    ----------
    also
        Fields of requests that are logged although the model does not know them.

    Raises
    ------
    IntegrityError
        If a file of the package is not what was packaged.
    """
    scorer = source if isinstance(source, Scorer) else Scorer.load(source)
    if scorer.is_fallback:
        _logger.warning(
            "an estimator without a native form answers; rows that come together share a call, and each call takes as long "
            "as the estimator does",
            extra={"model": scorer.name, "version": scorer.version},
        )
    return ActiveModel(
        scorer=scorer,
        parity=scorer.verify_golden(),
        name=scorer.name,
        version=scorer.version,
        digest=scorer.digest,
        classes=() if scorer.form is Task.REGRESSION else tuple(scorer.classes),
        contract=scorer.contract,
        columns=frozenset(column.name for column in scorer.contract.columns) | frozenset(also),
    )


def _regions(scorer: Scorer, scores: Scores) -> list[dict[str, Any]]:
    """By row what is added to a prediction; nothing if the package does not say how sure it is."""
    if scorer.conformal is None:
        return [{} for _ in scores]
    said = scorer.describe(scores)
    share = {} if scorer.conformal.coverage is None else {"coverage": scorer.conformal.coverage}
    return [share | dict(zip(said, row, strict=True)) for row in zip(*said.values(), strict=True)]


def _flag(violation: Violation) -> Flag:
    return Flag(violation.column, violation.rule, violation.got[:120], violation.expected[:240])


def _error(violation: Violation, row: int) -> FieldError:
    return FieldError(violation.column, violation.got[:120], violation.expected[:240], row=row, rule=violation.rule)
