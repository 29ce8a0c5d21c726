"""Fitted pipelines and linear models -> Pipeline -> `.pipeline` files. Importing it imports nothing else (PEP 562)."""
