"""A change of the project -> a new generation of the service behind the open ports."""
