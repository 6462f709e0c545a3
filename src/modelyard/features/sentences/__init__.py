"""Sentences as vectors of a pretrained encoder.

Takes: free text.
Gives: for each text one vector, the same alone and in a batch, here and in production.
Never: downloads anything, or learns from the rows.
"""

from modelyard.features.sentences.encoding import SentenceEncoding, fit_sentences
from modelyard.features.sentences.pretrained import DISTRIBUTION, sentence_model

__all__ = ["DISTRIBUTION", "SentenceEncoding", "fit_sentences", "sentence_model"]
