"""The order of questions: broken pipeline first, then what labels can tell, then what nobody can know."""

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from modelyard.monitoring.causes.beyond import Account, Share, account, views
from modelyard.monitoring.causes.case import Case
from modelyard.monitoring.causes.confidence import confidence_of
from modelyard.monitoring.causes.inputs import domain_auc, effective_rows
from modelyard.monitoring.causes.labels import FEWEST_LABELS
from modelyard.monitoring.causes.light_models import chance, row_losses
from modelyard.monitoring.causes.outcomes import (
    PriorTest,
    ScoreReference,
    mixture_fit,
    prior_test,
    prior_test_of_classes,
    prior_test_of_numbers,
)
from modelyard.monitoring.causes.pipeline import fault_evidence
from modelyard.monitoring.causes.records import Action, Cause, Diagnosis, Evidence, ExpectedGain, Segment
from modelyard.monitoring.causes.segments import loss_segments, shift_segments
from modelyard.monitoring.causes.worth import expected_gain
from modelyard.monitoring.performance import PerformanceWindow, tolerated_score
from modelyard.problem import Task, metric_spec
from modelyard.report import format_number, format_percent

__all__ = ["diagnose"]

Floats = npt.NDArray[np.float64]

_RELEVANT = 0.02
_SURE_OF_LEVEL = 3.0
_SURE_OF_RELATION = 4.0
_OF_THE_LOSS = 0.2
_DOMAIN_AUC = 0.55
_FEWEST_COVERED = 100
_PIPELINE_MARGIN = 4.0
_MOST_MOVED = 5
_HARMLESS_TIMES = 1.5
_UNSEEN = {
    Task.ANOMALY: "That flagged rows are anomalies, and that none was missed, only labels of many rows can say.",
    Task.CLUSTERING: "Clusters have no truth to be held against: only that rows are like those of training can be said.",
}
_UNKNOWN = {
    Task.ANOMALY: "Rows are unlike those of training; whether anomalies are still found cannot be known without more labels.",
    Task.CLUSTERING: "Rows are unlike those of training; whether the clusters still serve, people who use them must say.",
}


@dataclasses.dataclass(frozen=True)
class _Answer:
    """A question that was decided: its evidence, and how far its number was from the threshold, in standard errors."""

    evidence: tuple[Evidence, ...]
    margin: float
    found: bool


def diagnose(case: Case) -> Diagnosis:
    """Name the likely cause.

    Notes
    -----
    In this order. Broken pipeline: faults of the window's columns. Concept drift: cross-fitted small models of score and
    features take at least 2 % off the loss that another level of the outcome leaves, more than they did before, also
    among rows like those of training, and that is at least a fifth of all that can be taken off. Prior shift: another
    level takes off at least 2 %, and scores within each outcome are as before. Covariate shift: a loss, and a column from
    which alone now and training can be told with an AUC above 0.55. Otherwise the change is harmless.

    Of anomalies and clusters only a broken pipeline is told by itself: how strange a row is promises no share of anomalies, so
    neither the relation nor the level can be tested.
    """
    if case.faults:
        return _pipeline(case)
    if not case.task.is_supervised:
        return _without_target(case)
    if case.performance is None:
        return _without_labels(case)
    if len(case.recent) < FEWEST_LABELS or not case.recent.has_scores:
        return _too_little(case)
    accounts, before = account(case.recent, case.task, case.reference, case.seed), _before(case)
    loss, inputs = _loss(case.performance), _inputs(case)
    concept = _concept(case, accounts, before)
    off = _off(case, accounts, before)
    asked = (*loss.evidence, *concept.evidence, *off.evidence)
    segments = loss_segments(_excess(case, accounts), case.recent.bins, case.references)
    if concept.found:
        return _to_be_cured(case, Cause.CONCEPT, (*asked, *inputs.evidence), segments, (concept.margin,))
    if off.found:
        return _off_level(case, (*asked, *inputs.evidence), segments, (concept.margin, off.margin))
    asked, margins = (*asked, *inputs.evidence), (concept.margin, off.margin, loss.margin)
    if loss.found and inputs.found:
        return _to_be_cured(case, Cause.COVARIATE, asked, segments, (*margins, inputs.margin))
    if loss.found:
        known = "Neither data quality, nor the relation, nor the inputs, nor the level of outcomes explain the loss."
        return Diagnosis(Cause.UNEXPLAINED, None, asked, segments, Action.WAIT_FOR_LABELS, None, known)
    return _kept(case, asked, margins)


def _pipeline(case: Case) -> Diagnosis:
    evidence = fault_evidence(case.faults, case.sources, case.since)
    known = "Whether the world changed as well can only be told once the columns are whole again."
    confidence = confidence_of([_PIPELINE_MARGIN if any(one.large for one in case.faults) else _PIPELINE_MARGIN / 2])
    return Diagnosis(Cause.PIPELINE, confidence, evidence, (), Action.FIX_PIPELINE, None, known)


def _without_labels(case: Case) -> Diagnosis:
    """What scores and inputs alone can say."""
    if not case.moved:
        known = "Without labels, a change in the relation between inputs and outcome would not be seen."
        return Diagnosis(Cause.NOTHING, None, (), (), Action.IGNORE, None, known)
    known = (
        "Inputs or scores moved; whether the model lost, and whether the relation to the outcome changed, cannot be "
        "known without labels."
    )
    evidence = (*_mixture(case), *_inputs(case).evidence)
    return Diagnosis(Cause.UNKNOWN, None, evidence, shift_segments(case.moved), Action.WAIT_FOR_LABELS, None, known)


def _without_target(case: Case) -> Diagnosis:
    """Anomalies and clusters: what moved, whether labels show a loss, and that nothing more can be known."""
    loss, flagged = _loss(case.performance), _flagged(case)
    evidence = (*loss.evidence, *(item for item in flagged if item.found), *_inputs(case).evidence)
    segments = shift_segments(case.moved)
    if loss.found:
        known = "A score of strangeness promises no share of anomalies, so whether the relation or the level changed cannot be told."
        return Diagnosis(Cause.UNEXPLAINED, None, evidence, segments, Action.LOOK, None, known)
    if not case.moved and not any(item.found for item in flagged):
        known = "" if _surely_held(case) else _UNSEEN[case.task]
        return Diagnosis(Cause.NOTHING, None, evidence, (), Action.IGNORE, None, known)
    if _surely_held(case):
        return Diagnosis(Cause.HARMLESS, None, evidence, segments, Action.IGNORE)
    is_asked = case.task is Task.ANOMALY and case.can_be_labelled
    action = Action.WAIT_FOR_LABELS if is_asked else Action.LOOK
    return Diagnosis(Cause.UNKNOWN, None, evidence, segments, action, None, _UNKNOWN[case.task])


def _flagged(case: Case) -> tuple[Evidence, ...]:
    """Whether another share of the rows was flagged than was expected."""
    one = case.flagged
    if one is None:
        return ()
    says = (
        f"{format_percent(one.share, 2)} of the rows were flagged where {format_percent(one.expected, 2)} were expected: "
        f"{format_number(one.times_low)} to {format_number(one.times_high)} times as many."
    )
    return (Evidence("share flagged", one.times, _HARMLESS_TIMES, one.level > 0, says),)


def _surely_held(case: Case) -> bool:
    """True if the metric's whole interval is within the drop from the package's own figure.

    Few anomalies leave either of them wide; what is tolerated because of that proves nothing.
    """
    window = case.performance
    if window is None or window.low is None or window.high is None or window.reference is None:
        return False
    bound = tolerated_score(case.metric, window.reference, case.drop)
    return window.low >= bound if metric_spec(case.metric).greater_is_better else window.high <= bound


def _mixture(case: Case) -> tuple[Evidence, ...]:
    """Whether scores alone look like the old ones at another share of the outcome."""
    if case.task is not Task.BINARY or case.reference is None or case.score is None:
        return ()
    fit = mixture_fit(case.reference, case.score)
    by_counting = f", by counting {format_percent(fit.by_counting)}" if fit.by_counting is not None else ""
    verb = "would explain" if fit.holds else "would not explain"
    says = (
        f"Another share of the outcome alone {verb} the scores: {format_percent(fit.share)}{by_counting}, before "
        f"{format_percent(case.reference.share)}."
    )
    return (Evidence("scores as a mixture of those of both outcomes", fit.ratio, 1.0, fit.holds, says),)


def _too_little(case: Case) -> Diagnosis:
    """A loss can be judged with labels too few, or without probabilities, but not taken apart."""
    loss, inputs = _loss(case.performance), _inputs(case)
    if not loss.found:
        return _kept(case, (*loss.evidence, *inputs.evidence), (loss.margin,))
    why = "there are too few labels" if case.recent.has_scores else "the log holds no probabilities of the classes"
    known = f"Whether the relation or only the inputs changed cannot be told: {why}."
    verdict = Cause.COVARIATE if inputs.found else Cause.UNEXPLAINED
    evidence = (*loss.evidence, *inputs.evidence)
    segments = shift_segments(case.moved)
    return Diagnosis(verdict, confidence_of([0.0]), evidence, segments, Action.WAIT_FOR_LABELS, None, known)


def _kept(case: Case, evidence: tuple[Evidence, ...], margins: tuple[float, ...]) -> Diagnosis:
    """No loss: a change without harm, or nothing."""
    if case.performance is not None and case.performance.tolerated is None:
        known = "The package's own score is not known, so a loss cannot be judged."
        verdict = Cause.UNKNOWN if case.moved else Cause.NOTHING
        return Diagnosis(verdict, None, evidence, (), Action.IGNORE, None, known)
    if case.moved:
        segments = shift_segments(case.moved)
        return Diagnosis(Cause.HARMLESS, confidence_of(margins), evidence, segments, Action.IGNORE)
    return Diagnosis(Cause.NOTHING, None, evidence, (), Action.IGNORE)


def _loss(window: PerformanceWindow | None) -> _Answer:
    """Whether the metric fell beyond doubt."""
    if window is None or window.value is None or window.low is None or window.high is None:
        return _Answer((), 0.0, found=False)
    shown = f"{format_number(window.value)} ({format_number(window.low)} to {format_number(window.high)})"
    if window.tolerated is None:
        says = f"Performance was {shown} in {window.name}."
        return _Answer((Evidence("loss", window.value, None, found=False, says=says),), 0.0, found=False)
    tolerated = format_number(window.tolerated)
    says = (
        f"Performance fell to {shown} in {window.name}; tolerated {tolerated}."
        if window.alarm
        else f"No loss beyond doubt: {shown} in {window.name}, tolerated {tolerated}."
    )
    error = max((window.high - window.low) / (2 * 1.96), 1e-12)
    margin = abs(window.value - window.tolerated) / error
    return _Answer((Evidence("loss", window.value, window.tolerated, window.alarm, says),), margin, window.alarm)


def _concept(case: Case, accounts: Account, earlier: Account | None) -> _Answer:
    """Whether more than the level of the relation changed: more can be said beyond another level than before."""
    before = None if earlier is None else earlier.beyond_level()
    share, alone = accounts.beyond_level(), accounts.by_features
    gain = _less(share, before)
    says = (
        f"Beyond another level of the outcome, the score's shape and the features take {_percents(share)} off the loss, the "
        f"features {format_percent(alone.value)} of it"
    )
    says += f"; before, both took {format_percent(before.value)}." if before else "."
    is_known = case.lost or before is not None
    wide = 1.96 if case.lost else _SURE_OF_RELATION
    found = gain.value > _RELEVANT and gain.value > wide * gain.error
    margin = min(abs(gain.value - _RELEVANT), abs(gain.value)) / max(gain.error, 1e-12)
    evidence = [Evidence("relation beyond another level", gain.value, _RELEVANT, found, says)]
    covered = _covered(case, accounts, before) if found else None
    if covered is not None:
        evidence += covered.evidence
        margin = min(margin, covered.margin)
    found = found and is_known and accounts.part >= _OF_THE_LOSS and (covered is None or covered.found)
    return _Answer(tuple(evidence), margin, found)


def _percents(share: Share) -> str:
    return f"{format_percent(share.value)} ({format_percent(share.low)} to {format_percent(share.high)})"


def _before(case: Case) -> Account | None:
    """The same of earlier windows without a loss; None without enough labels of theirs."""
    if len(case.earlier) < FEWEST_LABELS:
        return None
    return account(case.earlier, case.task, case.reference, case.seed)


def _less(now: Share, before: Share | None) -> Share:
    """The difference of two independent shares."""
    if before is None:
        return now
    half, value = 1.96 * math.hypot(now.error, before.error), now.value - before.value
    return Share(value, value - half, value + half)


def _covered(case: Case, accounts: Account, before: Share | None) -> _Answer | None:
    """The same among rows like those of training: where inputs moved, what was never learnt is no change of the relation."""
    weight = case.recent.usual
    if weight is None or not case.inputs:
        return None
    test = "the same, among rows like those of training"
    rows = effective_rows(weight)
    if rows < _FEWEST_COVERED:
        says = f"Too few rows are like those of training to ask there: they weigh as much as {rows:,.0f}."
        return _Answer((Evidence(test, None, _RELEVANT, found=False, says=says),), 0.0, found=False)
    share = _less(accounts.beyond_level(weight), before)
    found = share.value > _RELEVANT and share.low > 0
    end = "the relation itself changed." if found else "what was never learnt is new."
    says = f"Among rows like those of training that is {_percents(share)}: {end}"
    margin = abs(share.value - _RELEVANT) / max(share.error, 1e-12)
    return _Answer((Evidence(test, share.value, _RELEVANT, found, says),), margin, found)


def _off(case: Case, accounts: Account, earlier: Account | None) -> _Answer:
    """Whether the outcomes' level is off, and was not before: without a loss that takes scores by outcome, or earlier rows."""
    share = gain = accounts.by_level
    wide = 1.96 if case.lost else _SURE_OF_LEVEL
    is_known = case.lost or case.reference is not None
    if not is_known and earlier is not None:
        gain, is_known = _less(share, earlier.by_level), True
    found = gain.value > _RELEVANT and gain.value > wide * gain.error and is_known
    margin = min(abs(gain.value - _RELEVANT), abs(gain.value)) / max(gain.error, 1e-12)
    seen, expected = _levels(case)
    says = (
        f"Another level of the outcome takes {_percents(share)} off the loss; its mean is {format_number(seen)} where the "
        f"scores expect {format_number(expected)}."
    )
    if not is_known:
        says += " Whether that was so before is not known."
    return _Answer((Evidence("level of the outcome", gain.value, _RELEVANT, found, says),), margin, found)


def _levels(case: Case) -> tuple[float, float]:
    """The mean outcome, and the mean that the scores expect (of several classes: of the most frequent)."""
    view = next(iter(views(case.recent, case.task, case.reference)))
    expected = chance(view.margin) if view.logistic else view.margin
    return float(view.truth.mean()), float(expected.mean())


def _off_level(
    case: Case, evidence: tuple[Evidence, ...], segments: tuple[Segment, ...], margins: tuple[float, ...]
) -> Diagnosis:
    """Only the outcome's share moved, or the inputs, or the level of the relation."""
    test = _within_outcomes(case)
    if test is None:
        known = "That the score separates the outcomes as before was not tested: no scores by outcome are known."
        return dataclasses.replace(_to_be_cured(case, Cause.PRIOR, evidence, segments, margins), not_known=known)
    says = (
        "Scores within each outcome are as before: only the outcome's share moved."
        if test.held
        else "Scores within the outcomes are not as before: not only the outcome's share moved."
    )
    evidence = (*evidence, Evidence("scores within each outcome", test.statistic, 1.0, test.held, says))
    if test.held:
        return _to_be_cured(case, Cause.PRIOR, evidence, segments, margins)
    verdict = Cause.COVARIATE if _inputs(case).found else Cause.CONCEPT
    return _to_be_cured(case, verdict, evidence, segments, margins)


def _within_outcomes(case: Case) -> PriorTest | None:
    """Scores within each outcome against those before: the evaluation's, else those of earlier windows; None without either."""
    now = case.recent.truth, case.recent.prediction
    reference = case.reference
    if reference is None and (len(case.earlier) < FEWEST_LABELS or not case.earlier.has_scores):
        return None
    before = case.earlier.truth, case.earlier.prediction
    if case.task is Task.MULTICLASS:
        return prior_test_of_classes(before, now)
    if case.task is Task.REGRESSION:
        return prior_test_of_numbers(before, now)
    reference = reference or ScoreReference.of_rows(*before)
    return None if reference is None else prior_test(reference, *now)


def _to_be_cured(
    case: Case,
    verdict: Cause,
    evidence: tuple[Evidence, ...],
    segments: tuple[Segment, ...],
    margins: tuple[float, ...],
) -> Diagnosis:
    """The first action that a test on later rows says pays: retraining, but for a prior shift recalibrating."""
    confidence = confidence_of(margins)
    if verdict is Cause.PRIOR:  # that another level takes the loss off is shown already, by rows held out
        gain = expected_gain(case, Action.RECALIBRATE)
        return Diagnosis(verdict, confidence, evidence, segments, Action.RECALIBRATE, gain)
    gains = [expected_gain(case, action) for action in (Action.RETRAIN, Action.RECALIBRATE)]
    measured = [gain for gain in gains if gain is not None]
    paying = next((gain for gain in measured if gain.pays), None)
    if paying is not None:
        return Diagnosis(verdict, confidence, evidence, segments, paying.action, paying)
    best = measured[0] if measured else None
    return Diagnosis(verdict, confidence, evidence, segments, Action.WAIT_FOR_LABELS, best, _not_paying(best))


def _not_paying(gain: ExpectedGain | None) -> str:
    if gain is None:
        return "Whether retraining pays could not be measured: there are too few labelled rows."
    return (
        "Neither retraining nor recalibrating would pay by the labelled rows that there are: "
        f"{metric_spec(gain.metric).title} would improve by {format_number(gain.gain)} "
        f"({format_number(gain.low)} to {format_number(gain.high)})."
    )


def _inputs(case: Case) -> _Answer:
    """How far inputs and score moved."""
    found, best, margin = [], 0.5, 0.0
    for one in sorted(case.moved, key=lambda one: -one.result.psi)[:_MOST_MOVED]:
        area = domain_auc(one.reference.counts, one.counts)
        result = one.result
        says = (
            f"{result.feature} moved: PSI {format_number(result.psi)}, at least {format_number(result.psi_low)}; from it "
            f"alone, now and training are told apart with an AUC of {format_number(area)}."
        )
        found.append(Evidence(f"{result.feature} moved", area, _DOMAIN_AUC, area > _DOMAIN_AUC, says))
        best = max(best, area)
        margin = max(margin, (area - _DOMAIN_AUC) * math.sqrt(12 * max(result.rows, 1)))
    return _Answer(tuple(found), margin, best > _DOMAIN_AUC)


def _excess(case: Case, accounts: Account) -> Floats:
    """Loss of each row as the model stands, less what it itself led one to expect."""
    expected = np.zeros(len(accounts.as_is))
    for view in views(case.recent, case.task, case.reference):
        if view.logistic:
            share = chance(view.margin)
            expected += share * row_losses(np.ones_like(share), view.margin, logistic=True)
            expected += (1 - share) * row_losses(np.zeros_like(share), view.margin, logistic=True)
    return accounts.as_is - expected
