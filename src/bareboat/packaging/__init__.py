"""Dependencies, native libraries and project files -> what an archive holds."""
