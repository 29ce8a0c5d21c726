"""What a person can get wrong, as one tree of exceptions.

    BareboatError                exit 1   anything below that has no better name
    ├── ConfigurationError       exit 2   serverless.yml, a flag, a variable; may hold many problems
    ├── ModelError               exit 1   a model file that cannot be read, or a .forest or .pipeline that is damaged
    │   └── NotCompilable        exit 1   a model that can be read, but not compiled (pipeline.errors)
    ├── InputError               exit 1   rows or events that do not fit the signature
    ├── PackagingError           exit 1   dependencies, native libraries, interpreters
    ├── ArtifactError            exit 1   an archive that is incomplete, damaged or made for another machine
    ├── LocalError               exit 1   the local cloud: a port in use, a runtime that does not start
    └── RemoteError              exit 3   AWS, Spark or a registry refused

Each carries what was found (the message), what was expected, how to mend it and where it stands. Anything that is
not a BareboatError is a bug and keeps its traceback. This module ships in artifacts: stdlib only, Python 3.10 on.
"""


class Problem:
    """One thing that is wrong: what was found, what was expected, how to mend it, and where.

    `where` is `file:line:column`, `file:line`, a path, or "" when there is no place to point at.
    """

    __slots__ = ("expected", "fix", "found", "where")

    def __init__(self, found: str, *, expected: str = "", fix: str = "", where: str = "") -> None:
        self.found = found
        self.expected = expected
        self.fix = fix
        self.where = where

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.found}" if self.where else self.found]
        if self.expected:
            lines.append(f"  expected  {self.expected}")
        if self.fix:
            lines.append(f"  fix       {self.fix}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"Problem({self.found!r}, expected={self.expected!r}, fix={self.fix!r}, where={self.where!r})"

    def to_dict(self) -> "dict[str, str]":
        """Return the problem as JSON has it: found, expected, fix, where."""
        return {"found": self.found, "expected": self.expected, "fix": self.fix, "where": self.where}


class BareboatError(Exception):
    """A person's mistake, or a state of the world that a person can mend."""

    exit_code = 1

    def __init__(
        self,
        found: str,
        *,
        expected: str = "",
        fix: str = "",
        where: str = "",
        problems: "tuple[Problem, ...]" = (),
    ) -> None:
        super().__init__(found)
        self.problems: tuple[Problem, ...] = problems or (Problem(found, expected=expected, fix=fix, where=where),)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class ConfigurationError(BareboatError):
    """serverless.yml, a command line flag or an environment variable is wrong."""

    exit_code = 2


class ModelError(BareboatError):
    """A model file cannot be read, or a .forest file is damaged."""


class InputError(BareboatError):
    """Rows or events do not fit what was declared."""


class PackagingError(BareboatError):
    """Dependencies, native libraries or interpreters stand in the way of an artifact."""


class ArtifactError(BareboatError):
    """An artifact is incomplete, damaged or made for another machine."""


class LocalError(BareboatError):
    """The local cloud cannot start or go on."""


class RemoteError(BareboatError):
    """AWS, Spark or a registry refused."""

    exit_code = 3
