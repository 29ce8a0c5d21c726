"""The keys of serverless.yml as types: what check.py walks and json_schema() describes."""
