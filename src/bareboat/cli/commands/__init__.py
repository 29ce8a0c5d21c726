"""The commands: one file each, imported when it is called. A file imports what is heavy inside its function."""
