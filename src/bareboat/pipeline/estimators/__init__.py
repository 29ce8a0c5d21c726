"""Fitted estimators -> steps of a Pipeline. Importing it imports no framework."""

from bareboat.pipeline.estimators.dispatch import answer_of, unknown_estimators, unknown_steps

__all__ = ["answer_of", "unknown_estimators", "unknown_steps"]
