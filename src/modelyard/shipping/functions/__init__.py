"""A package as a serverless function.

Takes: a package, and a call as AWS Lambda or Cloud Functions hand it over.
Gives: the server's answers and refusals, and bundles that these platforms take as they are.
Never: answers without a record, starts a server, or lets an exception's text out.
"""

from modelyard.shipping.functions.answering import Call, ModelFunction, Reply
from modelyard.shipping.functions.bundle import PLATFORMS, bundle_folder, make_bundle
from modelyard.shipping.functions.logs import FolderLog, FunctionLog, LineLog
from modelyard.shipping.functions.platforms import cloud_function, lambda_handler

__all__ = [
    "PLATFORMS",
    "Call",
    "FolderLog",
    "FunctionLog",
    "LineLog",
    "ModelFunction",
    "Reply",
    "bundle_folder",
    "cloud_function",
    "lambda_handler",
    "make_bundle",
]
