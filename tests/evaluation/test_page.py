"""The page says the answer first, hides no metric, and keeps the account."""

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

import pytest

from modelyard.core import Actor, Finding, Severity
from modelyard.evaluation import Evaluation, evaluation_page
from modelyard.evaluation.evaluate import evaluate
from modelyard.evaluation.findings import run_findings
from modelyard.evaluation.page.answer import compact_interval
from modelyard.evaluation.page.learning import weights_block
from modelyard.problem import Task, metrics_for
from modelyard.report import Page, Section, render_html, render_markdown
from modelyard.training.curves import Remedy, Trial, ValidationCurve, WeightComparison
from modelyard.training.nesting import NestedScore, OuterPart
from modelyard.training.stability import Finalist, FoldSpread, Repeats, SeedSpread

if TYPE_CHECKING:
    from tests.evaluation.conftest import Live
    from tests.life import Life


@pytest.fixture
def settled(churn_evaluation: Evaluation) -> Evaluation:
    """The same evaluation without errors among its findings."""
    findings = tuple(item for item in churn_evaluation.findings if item.severity is not Severity.ERROR)
    return dataclasses.replace(churn_evaluation, findings=findings)


def page_of(evaluation: Evaluation, life: "Life") -> Page:
    """The page without an audit."""
    return evaluation_page(evaluation, life.run.record, life.problem, None)


def test_sections_follow_the_questions(churn_evaluation: Evaluation, churn_life: "Life") -> None:
    """The answer; why: winner, worth, reasons, trust; where it fails: segments, bad input; next steps; the account."""
    page = page_of(churn_evaluation, churn_life)

    assert [section.title for section in page.sections] == [
        "Is it good enough?",
        "Why linear?",
        "What is it worth?",
        "What does it look at?",
        "Can its numbers be trusted?",
        "How sure is one prediction?",
        "Where does it fail?",
        "What if the input is wrong?",
        "What to do next",
        "The account",
    ]
    assert page.subtitle == "Keep customers who are about to leave."


def test_the_answer_is_one_sentence(settled: Evaluation, churn_evaluation: Evaluation, churn_life: "Life") -> None:
    """No with the reason if a finding forbids it; else so it seems, until the test part was opened."""
    broken = page_of(churn_evaluation, churn_life).sections[0].lead
    sealed = page_of(settled, churn_life).sections[0].lead
    opened = page_of(dataclasses.replace(settled, test=settled.validation, measured_on="test"), churn_life)

    assert broken.startswith("**No.** Log loss is ")
    assert sealed.startswith("**So it seems, but the test part is still sealed.** ROC AUC is 0.8")
    assert "for the naive answer and 0." in sealed
    assert opened.sections[0].lead.startswith("**Yes, by what was asked for.** ROC AUC is 0.8")


def test_no_metric_is_hidden(churn_evaluation: Evaluation, churn_life: "Life") -> None:
    """Every metric of the task stands on the page, with the money sentence and every finding."""
    text = render_markdown(page_of(churn_evaluation, churn_life))

    for spec in metrics_for(Task.BINARY):
        assert spec.title.split(" (")[0] in text
    assert churn_evaluation.money is not None
    assert churn_evaluation.money.sentence in text
    for finding in churn_evaluation.findings:
        assert finding.message.split(";")[0] in text.replace("\\", "")


def test_the_account_names_the_rows(settled: Evaluation, churn_life: "Life") -> None:
    """Sealed rows are called sealed; opened ones tell who, when, why and how often."""
    sealed = page_of(settled, churn_life).sections[-1]
    account = dataclasses.replace(
        settled.account,
        openings=2,
        opened_at=dt.datetime(2026, 5, 4, 10, 30, tzinfo=dt.UTC),
        opened_by="ada",
        reason="final evaluation",
    )
    opened = page_of(dataclasses.replace(settled, openings=2, account=account), churn_life).sections[-1]

    assert sealed.lead == "The 450 sealed test rows have never been opened."
    assert opened.lead == (
        "The 450 sealed test rows were opened by ada on 2026-05-04 at 10:30 UTC, “final evaluation”; openings of these "
        "rows so far: 2."
    )
    assert settled.account.test_digest in render_markdown(page_of(settled, churn_life))


def test_next_steps_count_what_is_open(settled: Evaluation, churn_life: "Life") -> None:
    """Errors forbid, others want a decision, none is the way on."""
    finding = Finding("x", Severity.ERROR, "a", "Something is wrong.", "It matters.", "Do something.")
    leads = [
        page_of(dataclasses.replace(settled, findings=findings), churn_life).sections[-2].lead
        for findings in ((finding, finding), (dataclasses.replace(finding, severity=Severity.INFO),), ())
    ]

    assert leads == [
        "2 findings must be settled before this model is used.",
        "Nothing forbids the next step; 1 finding wants a decision.",
        "No check objects. The next step is to package the model.",
    ]


def test_values_from_the_data_are_escaped(live: "Live", churn_evaluation: Evaluation, churn_life: "Life") -> None:
    """A segment called like a script stays text, and the page is self-contained and small."""
    segment = dataclasses.replace(churn_evaluation.segments[0], value="<script>alert(1)</script>")
    html = render_html(page_of(dataclasses.replace(churn_evaluation, segments=(segment,)), churn_life))

    assert "<script>alert" not in html
    assert html.count("<script") == 1
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert len(html) < 200_000


def test_regression_has_residuals_and_no_threshold(live: "Live", churn_life: "Life", actor: Actor) -> None:
    """The page of a regression shows residuals, no confusion, and says that no price is declared."""
    frame = churn_life.split.train.frame.select("tenure", "Contract", "InternetService", "MonthlyCharges")
    life = live(frame.head(600), {"data": {"source": "t", "target": "MonthlyCharges"}, "segments": ["Contract"]})
    text = render_html(page_of(evaluate(life.run, life.split, life.problem, actor=actor, reason=None), life))

    assert "Residuals" in text
    assert "Error by size of the prediction" in text
    assert "Actual and decided classes" not in text
    assert "What is it worth?" not in text
    assert "RMSE by Contract" in text


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        ((0.85493, 0.8268, 0.87671), "0.855 (0.827–0.877)"),
        ((71.23, 66.38, 77.4), "71.2 (66.4–77.4)"),
        ((4712.3, 4000.0, 5100.9), "4,712 (4,000–5,101)"),
        ((0.5, None, None), "0.500"),
        ((None, None, None), "–"),
    ],
)
def test_tables_are_compact(figure: tuple[float | None, float | None, float | None], text: str) -> None:
    """Three decimals for small figures, fewer for large ones."""
    assert compact_interval(*figure) == text


def test_the_learning_curve_has_a_section(
    live: "Live", churn_evaluation: Evaluation, churn_life: "Life", actor: Actor
) -> None:
    """The answer leads it, with the curve, the diagnosis and the forecasts; the evaluation carries the answer."""
    plan = {"families": ["linear"], "folds": 2, "tuning_rounds": 0, "learning_curve": True}
    life = live(churn_life.split.train.frame[:1500], {"data": {"source": "t", "target": "Churn"}, "training": plan})
    evaluation = evaluate(life.run, life.split, life.problem, actor=actor, reason=None)
    page = page_of(evaluation, life)
    section = next(section for section in page.sections if section.title == "Would more data help?")
    curve = life.run.record.learning_curve
    html = render_html(page)

    assert curve is not None
    assert evaluation.more_rows == curve.answer == section.lead
    assert len(section.blocks) == 3
    assert curve.diagnosis.split(":")[0] in html
    assert "linear by the number of rows" in html
    assert f"10 × {curve.rows:,}" in html
    assert churn_evaluation.more_rows == ""


def test_tuning_is_shown_by_its_parameter(churn_evaluation: Evaluation, churn_life: "Life") -> None:
    """The validation curve is folded under the winner, with what was found in its summary."""
    trials = tuple(Trial(float(value), 0.8 + value / 1e3, 0.01) for value in (4, 8, 16, 32, 64, 128))
    curve = ValidationCurve("roc_auc", "lightgbm", "num_leaves", trials, 0.9, 0.01, "num_leaves matters most.")
    looked_at = tuple(dataclasses.replace(trial, train=0.9) for trial in trials[::2])
    learnt = dataclasses.replace(curve, trials=(*looked_at, *trials[1::2]), diagnosis="Towards 128 it overfits.")
    run = dataclasses.replace(churn_life.run.record, validation_curve=curve)
    text = render_html(evaluation_page(churn_evaluation, run, churn_life.problem, None))
    both = dataclasses.replace(run, validation_curve=learnt)

    assert "Tuning: num_leaves matters most." in text
    assert "lightgbm by num_leaves" in text
    assert "rows learnt from" not in text
    assert "rows learnt from" in render_html(evaluation_page(churn_evaluation, both, churn_life.problem, None))
    assert "Towards 128 it overfits." in render_html(evaluation_page(churn_evaluation, both, churn_life.problem, None))
    assert "Tuning:" not in render_html(page_of(churn_evaluation, churn_life))


def test_a_nested_score_stands_beside_the_others(churn_evaluation: Evaluation, churn_life: "Life") -> None:
    """Each outer part with its winner and both of its figures, under the sentence of the whole."""
    parts = (OuterPart(80, 20, "linear", "linear", 0.8123, 0.8011), OuterPart(80, 20, "blend", "blend", 0.8345, 0.8222))
    found = NestedScore("roc_auc", 2, parts, 0.8116, 0.0123, 0.7654, 0.8579, {"linear": 1, "blend": 1}, "Worth 0.8116.")
    run = dataclasses.replace(churn_life.run.record, nested=found)
    text = render_html(evaluation_page(churn_evaluation, run, churn_life.problem, None))

    assert "Nested: Worth 0.8116." in text
    assert "nested 0.8116 (0.7654 to 0.8579)" in text
    assert all(figure in text for figure in ("0.8123", "0.8011", "0.8345", "0.8222"))


def test_repeats_and_seeds_are_shown_with_all_scores(churn_evaluation: Evaluation, churn_life: "Life") -> None:
    """A mean for each finalist and division, a figure for each seed and fold, and a sentence for both."""
    finalist = Finalist("linear", ((0.81, 0.83), (0.84, 0.86)), 0.835, 0.0212)
    repeats = Repeats("roc_auc", 2, 2, (finalist,), "linear", "linear", "Scored again.")
    seeds = SeedSpread("linear", "roc_auc", ((0.7111, 0.7222), (0.7333, 0.7444)), 0.0157, 0.0078, True, 2, "Moves.")
    run = dataclasses.replace(churn_life.run.record, repeats=repeats, seeds=seeds)
    text = render_html(evaluation_page(churn_evaluation, run, churn_life.problem, None))

    assert "Repeated: Scored again." in text
    assert "Seeds: Moves." in text
    assert all(figure in text for figure in ("0.8200", "0.8500", "0.8350", "0.7111", "0.7444", "0.7389"))


def test_a_score_that_hangs_on_the_seed_is_a_finding(churn_life: "Life") -> None:
    """A warning as long as one seed is used, a note once the mean of several is; none for a steady winner."""
    spread = SeedSpread("linear", "roc_auc", ((0.7, 0.8), (0.75, 0.7)), 0.05, 0.04, True, 1, "It is unstable.")
    run = dataclasses.replace(churn_life.run.record, seeds=spread)
    averaged = dataclasses.replace(run, seeds=dataclasses.replace(spread, averaged=3))
    steady = dataclasses.replace(run, seeds=dataclasses.replace(spread, unstable=False))
    (found,) = run_findings(run)
    (mended,) = run_findings(averaged)

    assert (found.id, found.severity, found.subject) == ("unstable-by-seed", Severity.WARNING, "linear")
    assert mended.severity is Severity.INFO
    assert list(run_findings(steady)) == []
    uneven = FoldSpread("linear", "roc_auc", 0.001, 0.1, True, "linear is unstable from fold to fold.")
    assert [item.id for item in run_findings(dataclasses.replace(steady, by_fold=uneven))] == ["unstable-by-fold"]


def test_weights_are_shown_as_a_comparison(churn_evaluation: Evaluation, churn_life: "Life") -> None:
    """Both models with their figures, under a summary that says what was found."""
    remedies = tuple(Remedy(name, 0.65, 0.4123, 0.4, 0.5, 0.62) for name in ("linear", "linear-weighted"))
    found = WeightComparison("roc_auc", 0.12, remedies, 0.001, 0.002, "Class weights change nothing beyond noise.")
    run = dataclasses.replace(churn_life.run.record, weights=found)
    text = render_html(evaluation_page(churn_evaluation, run, churn_life.problem, None))

    assert "Imbalance: Class weights change nothing beyond noise." in text
    assert "linear-weighted" in text
    assert "0.4123" in text
    assert "F1 at 0.5" in text

    block = weights_block(dataclasses.replace(found, watched="gold"))
    several = render_html(Page("t", "", (Section("s", blocks=(block,)),)))

    assert "The rarest class, &#x27;gold&#x27;, has 12" in several
    assert "macro F1, decision moved" in several


def test_contributions_say_which_way(churn_evaluation: Evaluation, churn_life: "Life") -> None:
    """The section on reasons names the direction of numbers, how contributions were computed, and that they add up."""
    reasons = next(
        item for item in page_of(churn_evaluation, churn_life).sections if item.title.startswith("What does")
    )
    text = render_markdown(Page("t", "", (reasons,)))

    assert "`tenure` (higher values lower it)" in reasons.lead
    assert "exact for linear models" in text
    assert "They add up to the predictions within" in text
    assert "What tenure adds, in log-odds" in text
    assert "contributions and LIME agree on" in text
    assert "What tells protected columns" in text


def test_expectations_stand_in_a_table(churn_evaluation: Evaluation, churn_life: "Life") -> None:
    """Each expected direction with its verdict and its numbers; long tenure does keep customers."""
    reasons = churn_evaluation.reasons
    assert reasons is not None
    verdicts = {item.feature: item for item in reasons.expectations}
    text = render_markdown(page_of(churn_evaluation, churn_life))

    assert verdicts["tenure"].verdict == "kept"
    assert verdicts["tenure"].change is not None
    assert verdicts["tenure"].change < -0.1
    assert f"| tenure | decreasing | kept | {verdicts['tenure'].change:+.3g} |" in text


def test_gaps_and_pairs_stand_on_the_page(churn_evaluation: Evaluation, churn_life: "Life") -> None:
    """All three measures of the protected column, and the pairs of what is declared; groups left out are named."""
    text = render_markdown(page_of(churn_evaluation, churn_life))
    small = dataclasses.replace(churn_evaluation.fairness[0], left_out=("2",))
    caveat = render_markdown(page_of(dataclasses.replace(churn_evaluation, fairness=(small,)), churn_life))

    for measure in ("demographic parity", "equal opportunity", "equalised odds"):
        assert f"| SeniorCitizen | {measure}" in text
    assert "Contract & SeniorCitizen" in text.replace("&amp;", "&")
    assert {item.column for item in churn_evaluation.pairs} == {"Contract & SeniorCitizen"}
    assert all(item.rows >= 50 for item in churn_evaluation.pairs)
    assert "left out: SeniorCitizen 2. Nothing is known" in caveat


def test_a_calibrated_prediction_is_not_what_contributions_add_up_to(
    churn_evaluation: Evaluation, churn_life: "Life"
) -> None:
    """Where predictions differ from the explained score, the page says so instead of claiming a sum."""
    reasons = churn_evaluation.reasons
    assert reasons is not None
    assert reasons.summary is not None
    apart = dataclasses.replace(reasons, summary=dataclasses.replace(reasons.summary, gap=0.08))
    text = render_markdown(page_of(dataclasses.replace(churn_evaluation, reasons=apart), churn_life))

    assert "before it is calibrated; predictions differ from it by up to 0.08" in text
    assert "They add up" not in text
