"""Slimmed packages -> proof that they answer as whole ones do, or the files that are needed."""
