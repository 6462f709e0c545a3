"""Serving: a verified package answers over HTTP and for files, and every answer is on record.

Takes: a package, settings, rows.
Gives: a REST application and its server, variants of a rollout, batch scoring, and the prediction log with its labels.
Never: imports training code or pandas, answers without a record, or lets an exception's text out.
"""

from typing import TYPE_CHECKING

from modelyard.core.doors import light_door

if TYPE_CHECKING:
    from modelyard.serving.access import Guard, KeyFile, Rates, TokenKeys, is_local
    from modelyard.serving.app import ServingApp, create_app
    from modelyard.serving.batch import BatchReport, BatchSettings, BatchWork, score_and_note, score_file
    from modelyard.serving.endpoint import ActiveModel, Endpoint, activate
    from modelyard.serving.following import Deployments, RegistryDeployments
    from modelyard.serving.prediction_log import (
        CompactionReport,
        LogKind,
        LogPolicy,
        PredictionLog,
        RetentionReport,
        agreed_policy,
        compact,
        read_feedback,
        read_gaps,
        read_predictions,
        record_feedback,
        remove_old,
        tidy_log,
    )
    from modelyard.serving.routing import RegistryRollouts, RolloutSource
    from modelyard.serving.server import serve
    from modelyard.serving.settings import ServingSettings
else:
    __getattr__ = light_door(__name__)

__all__ = [
    "ActiveModel",
    "BatchReport",
    "BatchSettings",
    "BatchWork",
    "CompactionReport",
    "Deployments",
    "Endpoint",
    "Guard",
    "KeyFile",
    "LogKind",
    "LogPolicy",
    "PredictionLog",
    "Rates",
    "RegistryDeployments",
    "RegistryRollouts",
    "RetentionReport",
    "RolloutSource",
    "ServingApp",
    "ServingSettings",
    "TokenKeys",
    "activate",
    "agreed_policy",
    "compact",
    "create_app",
    "is_local",
    "read_feedback",
    "read_gaps",
    "read_predictions",
    "record_feedback",
    "remove_old",
    "score_and_note",
    "score_file",
    "serve",
    "tidy_log",
]
