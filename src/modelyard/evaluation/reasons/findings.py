"""What a reader must not miss about the reasons: expectations broken, proxies, and explanations that disagree."""

import itertools
from collections.abc import Iterator

from modelyard.core import Finding, Severity
from modelyard.evaluation.reasons.records import Expectation, MethodAgreement, Reasons
from modelyard.problem import Task
from modelyard.report import format_number

__all__ = ["reasons_findings"]

_GOOD_FIT, _SAME_TOP, _SAME_SIGN = 0.5, 1 / 3, 0.7
_UNLIKE, _UNLIKE_SHUFFLING = 0.5, 0.3
_FEWEST_COLUMNS = 5
_PROXY, _TOGETHER = 0.4, 0.6
"""Shares of the way from chance to perfect: ROC AUC 0.70 and 0.80."""


def reasons_findings(reasons: Reasons | None, task: Task) -> Iterator[Finding]:
    """All findings about the winner's reasons; none for records of earlier versions."""
    if reasons is None:
        return
    for expectation in reasons.expectations:
        if expectation.verdict != "kept":
            yield _expectation(expectation, task)
    yield from _proxies(reasons)
    if reasons.methods is not None:
        yield from _methods(reasons.methods)
    yield from _models(reasons)


def _expectation(item: Expectation, task: Task) -> Finding:
    broken = item.verdict == "broken"
    what = "probability" if task.is_classification else "prediction"
    seen = f"The {what} was expected to be {item.expected} with {item.feature!r}"
    if item.change is not None:
        seen += (
            f"; from the column's 5th to its 95th percentile it moves by {item.change:+.3g} "
            f"({format_number(item.low)} to {format_number(item.high)})"
        )
    note = f"; {item.note}" if item.note else ""
    return Finding(
        "expectation-broken" if broken else "expectation-unclear",
        Severity.WARNING if broken else Severity.INFO,
        item.feature,
        f"{seen}{note}.",
        "A model that contradicts what is known of the matter has learnt an accident of its rows, or the matter has changed."
        if broken
        else "What is expected can be neither confirmed nor denied.",
        "Look at the rows that make it so, and at columns that move together with it; a monotone constraint forbids it."
        if broken
        else "Drop the expectation, or bring rows in which the column varies more.",
        {"change": item.change, "low": item.low, "high": item.high, "against": item.against, "rows": item.rows},
        "E7",
    )


def _proxies(reasons: Reasons) -> Iterator[Finding]:
    """One finding for each protected column that others tell."""
    for protected, items in itertools.groupby(reasons.proxies, key=lambda proxy: proxy.protected):
        found = list(items)
        strong = [proxy for proxy in found if proxy.feature and proxy.strength >= _PROXY]
        together = next((proxy for proxy in found if not proxy.feature), None)
        if not strong and (together is None or together.strength < _TOGETHER):
            continue
        named = ", ".join(f"{proxy.feature!r} ({proxy.score_name} {proxy.score:.2f})" for proxy in strong[:5])
        joint = f"all columns together tell it with {together.score_name} {together.score:.2f}" if together else ""
        seen = f"{named} {'tell' if len(strong) > 1 else 'tells'} it on rows held out" if strong else joint
        more = f"; {joint}" if strong and joint else ""
        yield Finding(
            "protected-proxy",
            Severity.WARNING if strong else Severity.INFO,
            protected,
            f"The protected column {protected!r} can be told from others of the model: {seen}{more}.",
            "A model does by proxy what it must not do by the column itself; leaving the column out does not help.",
            "Decide which of these columns are needed for a reason of their own, record it, and watch the rates by group.",
            {proxy.feature or "all columns": proxy.strength for proxy in found},
            "E5",
        )
    if reasons.places and reasons.proxies:
        yield Finding(
            "place-as-feature",
            Severity.INFO,
            reasons.places[0],
            f"The model reads where somebody lives: {', '.join(repr(name) for name in reasons.places)}.",
            "Place stands in for origin, income and religion in many countries, whatever the protected columns here.",
            "Make sure that place has a reason of its own, or leave it out.",
            {"columns": list(reasons.places)},
            "E5",
        )


def _methods(methods: MethodAgreement) -> Iterator[Finding]:
    """LIME against contributions, if its lines fit; shuffling against contributions, if there are columns enough."""
    apart = methods.same_top < _SAME_TOP or (methods.same_sign is not None and methods.same_sign < _SAME_SIGN)
    shuffled = methods.importance is not None and methods.importance < _UNLIKE_SHUFFLING
    if not (apart and methods.fit >= _GOOD_FIT) and not shuffled:
        return
    sign = "" if methods.same_sign is None else f" and the direction of {methods.same_sign:.0%} of these"
    seen = f"contributions and LIME share {methods.same_top:.0%} of the {methods.top} columns they name first{sign}"
    if shuffled:
        seen = f"contributions and shuffling rank the columns differently (Spearman {methods.importance:.2f}); {seen}"
    yield Finding(
        "explanations-disagree",
        Severity.WARNING,
        "explanations",
        f"{seen[0].upper()}{seen[1:]}, over {methods.rows} rows.",
        "Where methods disagree, the reasons given for a single decision depend on who gives them.",
        "Do not give these reasons to the people concerned before somebody has looked at the rows one by one.",
        {"same_top": methods.same_top, "same_sign": methods.same_sign, "importance": methods.importance},
        "E7",
    )


def _models(reasons: Reasons) -> Iterator[Finding]:
    """Another family that is as good and looks elsewhere."""
    for other in reasons.models:
        if other.as_good and other.correlation < _UNLIKE and other.of >= _FEWEST_COLUMNS:
            yield Finding(
                "models-disagree",
                Severity.WARNING,
                other.candidate,
                f"`{other.candidate}` is as good within noise and looks at other columns: of the winner's {other.of} most "
                f"important ones it shares {other.shared} (Spearman {other.correlation:.2f} over all).",
                "The reasons are those of this model, not of the matter: another as good would give others.",
                "Do not read importance as cause; keep to what both models agree on.",
                {"correlation": other.correlation, "shared": other.shared, "predictions": other.predictions},
                "E7",
            )
