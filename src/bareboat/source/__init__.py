"""Python source text: comments and docstrings taken out, lines counted."""
