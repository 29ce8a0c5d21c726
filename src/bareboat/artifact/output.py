"""The folder beside serverless.yml that builds write into."""

OUTPUT = ".bareboat"
