"""Artifacts on AWS: the template, the stack and what is done to it, its logs and figures."""
