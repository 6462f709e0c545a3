"""The model card: complete, honest about gaps, and the same in three forms."""

import json
from typing import Any

import jsonschema
import pytest

from modelyard.core import Finding, Severity
from modelyard.evaluation import SegmentScore
from modelyard.packaging import Package
from modelyard.packaging.card import ModelCard, card_page, card_schema, disparities_of, limitations_of


@pytest.fixture
def card(churn_package: Package) -> ModelCard:
    """The card of the churn model."""
    return ModelCard.from_dict(churn_package.read_json("card.json"))


def _text(package: Package) -> str:
    return package.read("card.md").decode()


def test_the_record_comes_back(churn_package: Package, card: ModelCard) -> None:
    """``card.json`` is the record, to the last field."""
    assert json.loads(json.dumps(card.to_dict())) == churn_package.read_json("card.json")


@pytest.mark.parametrize("package", ["churn_package", "bike_package", "contract_package"])
def test_every_card_keeps_the_schema(package: str, request: pytest.FixtureRequest) -> None:
    """The schema is that of the record, and says no to a field of another type or one that is not there."""
    content = json.loads(request.getfixturevalue(package).read("card.json"))
    schema = jsonschema.Draft202012Validator(card_schema())

    assert schema.is_valid(content)
    assert not schema.is_valid({**content, "openings_count": "one"})
    assert not schema.is_valid({name: value for name, value in content.items() if name != "use"})


def test_identity_and_use_are_on_the_card(churn: Any, card: ModelCard) -> None:
    """Who answers, what for, and what an answer means."""
    assert (card.identity.name, card.identity.owner, card.identity.author) == ("churn", "Grace", "ada")
    assert card.use.objective == "Call customers who are about to leave."
    assert (card.use.users, card.use.out_of_scope) == ("The retention team.", "")
    assert f"{churn.evaluation.threshold.value:.4g}" in card.use.decision


def test_open_fields_are_listed_and_shown(churn_package: Package, card: ModelCard) -> None:
    """What nobody declared is named in the record, and reads "not provided" on the page."""
    assert "identity: contact" in card.not_provided
    assert "data: known biases" in card.not_provided
    assert "use: out of scope" in card.not_provided
    assert {"identity: owner", "use: users"}.isdisjoint(card.not_provided)
    assert "| Contact | not provided |" in _text(churn_package)
    assert "**Known biases and gaps:** not provided" in _text(churn_package)


def test_openings_are_told_with_person_and_reason(churn_package: Package, card: ModelCard) -> None:
    """The one opening of the test part is on the card: who, when, why."""
    assert card.openings_count == 1
    assert [(opening.by, opening.reason) for opening in card.openings] == [("ada", "final evaluation")]
    assert "| ada | final evaluation |" in _text(churn_package)


def test_a_sealed_test_part_is_a_limit(bike_package: Package) -> None:
    """Until it is opened, the card says that all figures are optimistic."""
    card = ModelCard.from_dict(bike_package.read_json("card.json"))

    assert (card.openings_count, card.openings) == (0, ())
    assert any("has not been opened" in limit.statement for limit in card.limitations)
    assert "still sealed" in _text(bike_package)


def test_metrics_stand_beside_baselines_with_intervals(churn: Any, card: ModelCard, churn_package: Package) -> None:
    """Every system of the evaluation, on validation and test, with every metric."""
    assert card.performance.test == churn.evaluation.test
    assert card.performance.validation == churn.evaluation.validation
    winner = churn.evaluation.scores_of("winner").metric("roc_auc")
    assert f"{winner.value:.4f} ({winner.low:.4f} to {winner.high:.4f})" in _text(churn_package)


def test_groups_and_gaps_are_shown(card: ModelCard) -> None:
    """Segments by declared columns, and the gaps between groups of the protected one."""
    assert {segment.column for segment in card.performance.segments} == {"Contract", "gender"}
    assert {gap.column for gap in card.performance.disparities} == {"gender"}


def test_a_guardrail_that_is_not_kept_is_the_gravest_limit(card: ModelCard) -> None:
    """The impossible bound on ROC AUC stands first, as an error."""
    first = card.limitations[0]

    assert (first.severity, first.subject) == (Severity.ERROR, "roc_auc")
    assert ">= 0.99" in first.statement


def test_costs_and_worth_are_on_the_card(churn: Any, card: ModelCard, churn_package: Package) -> None:
    """The prices declared, and what the model is worth against doing nothing."""
    assert card.performance.costs["true_positive"] == 100
    assert churn.evaluation.money.sentence in _text(churn_package)


def test_method_data_and_environment_are_on_the_card(churn: Any, card: ModelCard) -> None:
    """Family, parameters, reason, candidates, sizes of the parts, catalogue, versions of libraries."""
    assert (card.method.family, card.method.why) == ("lightgbm", churn.run.record.why)
    assert card.method.candidates[0].role == "baseline"
    assert (card.data.train_rows, card.data.test_rows) == (
        churn.split.record.train_rows,
        churn.split.record.test_rows,
    )
    reasons = {entry.column: entry.kind for entry in card.data.features}
    assert (reasons["tenure"], reasons["customerID"]) == ("numeric", "excluded")
    assert card.environment == churn.run.record.environment


def test_parity_is_told_in_words(churn_package: Package, card: ModelCard) -> None:
    """The page says by how much serving differs from training, and on how many rows."""
    assert f"{card.operation.parity.rows} golden rows" in _text(churn_package)
    assert card.operation.parity_on_table.ok


def test_html_and_markdown_say_the_same(churn_package: Package, card: ModelCard) -> None:
    """Every section of the page is in both renderings; the HTML needs no network, and no script but its own."""
    html = churn_package.read("card.html").decode()
    markdown = _text(churn_package)

    for section in card_page(card).sections:
        assert f"## {section.title}" in markdown
        assert section.title in html
    assert html.count("<script") <= 1
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert "https://" not in html


def _segment(value: str, rows: int, rate: float | None, *, protected: bool = True) -> SegmentScore:
    return SegmentScore(
        "sex", value, rows, "roc_auc", 0.8, 0.7, 0.9, protected=protected, selection_rate=rate, true_positive_rate=None
    )


def test_gaps_leave_out_small_and_unprotected_groups() -> None:
    """A gap is the largest minus the smallest rate among protected groups of 30 rows or more."""
    segments = [
        _segment("a", 100, 0.5),
        _segment("b", 100, 0.2),
        _segment("c", 29, 0.9),
        _segment("d", 100, 0.95, protected=False),
    ]

    gaps = {gap.measure: gap for gap in disparities_of(segments)}

    assert gaps["share called positive"].gap == 0.5 - 0.2
    assert (gaps["share called positive"].lowest, gaps["share called positive"].highest) == ("b", "a")
    assert "true positive rate" not in gaps


def test_limits_come_from_findings_but_not_from_notes(bike: Any) -> None:
    """Warnings and errors become limits with their source, gravest first; notes do not."""
    findings = [Finding("a", severity, "x", f"{severity} seen.", "It matters.", "Act.") for severity in Severity]

    limits = limitations_of(bike.evaluation, [("audit", findings)])

    audit = [limit for limit in limits if limit.source == "audit"]
    assert [limit.severity for limit in audit] == [Severity.ERROR, Severity.WARNING]
    assert audit[0].statement == "error seen. It matters."
    assert [limit.severity.rank for limit in limits] == sorted((limit.severity.rank for limit in limits), reverse=True)
