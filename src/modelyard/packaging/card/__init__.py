"""The model card.

Takes: everything that is known when a package is built.
Gives: the card as a record, and a page that renders to Markdown and HTML.
Never: leaves out a limit that was found, or hides that a field was left empty.
"""

from modelyard.packaging.card.facts import CardFacts
from modelyard.packaging.card.filling import CardSource, fill_card
from modelyard.packaging.card.limitations import disparities_of, limitations_of
from modelyard.packaging.card.page import card_page
from modelyard.packaging.card.record import (
    CARD_PROTOCOL,
    CandidateLine,
    CardData,
    CardIdentity,
    CardMethod,
    CardOperation,
    CardPerformance,
    CardUse,
    DecisionNote,
    Disparity,
    Limitation,
    ModelCard,
    TestOpening,
)
from modelyard.packaging.card.schema import card_schema

__all__ = [
    "CARD_PROTOCOL",
    "CandidateLine",
    "CardData",
    "CardFacts",
    "CardIdentity",
    "CardMethod",
    "CardOperation",
    "CardPerformance",
    "CardSource",
    "CardUse",
    "DecisionNote",
    "Disparity",
    "Limitation",
    "ModelCard",
    "TestOpening",
    "card_page",
    "card_schema",
    "disparities_of",
    "fill_card",
    "limitations_of",
]
