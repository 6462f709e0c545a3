"""A broken pipeline: what a source, an export or a join does to columns, and which source they have in common."""

from collections.abc import Mapping, Sequence

from modelyard.monitoring.causes.records import Evidence
from modelyard.monitoring.quality import QualityResult, QualitySignal
from modelyard.report import format_percent

__all__ = ["fault_evidence", "faults_of", "stays_frozen"]

_FAULTS = frozenset(
    {
        QualitySignal.FROZEN,
        QualitySignal.NEW_SPIKE,
        QualitySignal.NULL_RATE,
        QualitySignal.RESPELLED,
        QualitySignal.UNIT_CHANGE,
    }
)
_FROZEN_WINDOWS = 3
_ALL_NEW = 0.9
_FEWEST_OF_A_SOURCE = 2

_WORDS = {
    QualitySignal.NULL_RATE: "is missing in {now} of the rows, in training in {before}",
    QualitySignal.NEW_CATEGORY: "has categories that training never saw in {now} of the rows",
    QualitySignal.RESPELLED: "spells known categories in another way in {now} of the rows",
    QualitySignal.FROZEN: "has one and the same value in every row",
    QualitySignal.NEW_SPIKE: "has one value in {now} of the rows; no value was in more than {before} of training",
    QualitySignal.UNIT_CHANGE: "seems to have changed its unit",
}


def faults_of(quality: Sequence[QualityResult], window: str, windows: Sequence[str]) -> tuple[QualityResult, ...]:
    """What a pipeline broke in ``window``, one of the judged ``windows`` in their order.

    New categories and numbers out of range may as well be the world; but categories of which nearly all are new are a
    code table that was changed.
    """
    found = [one for one in quality if one.window == window and _is_fault(one)]
    return tuple(one for one in found if one.signal is not QualitySignal.FROZEN or stays_frozen(one, quality, windows))


def _is_fault(result: QualityResult) -> bool:
    if result.signal is QualitySignal.NEW_CATEGORY:
        return result.share >= _ALL_NEW and result.reference_share < 1 - _ALL_NEW
    return result.signal in _FAULTS


def stays_frozen(result: QualityResult, quality: Sequence[QualityResult], windows: Sequence[str]) -> bool:
    """True if the column stands still in three windows in a row, or in all if there are fewer.

    When most rows come to share one value, a window of a few hundred may hold that value alone by chance; a pipeline
    that froze gives it in every window until it is mended.
    """
    frozen = {one.window for one in quality if (one.feature, one.signal) == (result.feature, result.signal)}
    run = 0
    for window in windows:
        run = run + 1 if window in frozen else 0
        if run >= min(_FROZEN_WINDOWS, len(windows)):
            return True
    return False


def fault_evidence(
    faults: Sequence[QualityResult], sources: Mapping[str, Sequence[str]], since: Mapping[str, str]
) -> tuple[Evidence, ...]:
    """Each fault in words, and the source that several of them have in common.

    Parameters
    ----------
    sources
        Columns by the system they come from.
    since
        The window in which each column's fault was seen first.
    """
    found = [_in_words(one, since.get(one.feature, "")) for one in sorted(faults, key=lambda one: -one.share)]
    broken = {one.feature for one in faults}
    for source, columns in sources.items():
        hit = sorted(broken & set(columns))
        if len(hit) >= _FEWEST_OF_A_SOURCE:
            says = f"{len(hit)} of {len(columns)} columns of the source {source} broke together: {', '.join(hit[:5])}."
            found.append(
                Evidence(f"columns of {source}", float(len(hit)), float(_FEWEST_OF_A_SOURCE), found=True, says=says)
            )
    return tuple(found)


def _in_words(result: QualityResult, since: str) -> Evidence:
    now, before = format_percent(result.share), format_percent(result.reference_share)
    detail = f" ({result.detail})" if result.detail else ""
    first = f", since {since}" if since and since != result.window else ""
    words = _WORDS.get(result.signal, result.signal.value.replace("-", " ")).format(now=now, before=before)
    says = f"{result.feature} {words}{detail}{first}."
    name = f"{result.signal.value.replace('-', ' ')} of {result.feature}"
    return Evidence(name, result.share, result.reference_share, found=True, says=says)
