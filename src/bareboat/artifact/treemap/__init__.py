"""Artifacts -> a page of HTML that draws what ships and what slimming left out."""

from bareboat.artifact.treemap.page import write_treemap

__all__ = ["write_treemap"]
