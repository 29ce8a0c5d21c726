"""A template or a model file -> a project folder."""

from bareboat.project.create import Project, create_project, create_project_for_model
from bareboat.project.templates import Template, find_template, templates

__all__ = ["Project", "Template", "create_project", "create_project_for_model", "find_template", "templates"]
