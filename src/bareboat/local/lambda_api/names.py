"""A function's name, partial ARN or ARN, and a qualifier -> the function, or AWS's own refusal.

Source:
    Recordings of November 2025 (LocalStack's lambda_/test_lambda_api.snapshot.json: the cases of
    test_function_name_and_qualifier_validation, test_ops_with_arn_qualifier_mismatch, test_get_function_wrong_region,
    test_ops_on_nonexisting_fn, test_ops_on_nonexisting_version).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bareboat.local.lambda_api import refusal
from bareboat.local.spec import ACCOUNT
from bareboat.service.model import Function

LATEST = "$LATEST"
# as AWS's message shows them
NAME_PATTERN = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"
    r"([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)
QUALIFIER_PATTERN = r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"
MAX_QUALIFIER = 128

_NAME = re.compile(
    r"(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?"
    r"(?:(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?(?:\d{12}:)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9_.-]+)(?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9_-]+))?",
    re.ASCII,
)
_QUALIFIER = re.compile(r"\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9_$-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Target:
    """What a request names.

    Args:
        qualifier: `$LATEST` where one was given, in the name or beside it; "" for none.
    """

    function: Function
    arn: str
    qualifier: str = ""


class Directory:
    """The functions of a service, by their keys in serverless.yml and by their names on AWS.

    Args:
        functions: where a key is another function's full name, the full name wins.
    """

    def __init__(self, functions: Iterable[Function], *, region: str, account_id: str = ACCOUNT) -> None:
        self._region = region
        self._account_id = account_id
        self._by_name = {function.name: function for function in functions}
        self._by_name |= {function.full_name: function for function in tuple(self._by_name.values())}

    def arn(self, name: str, qualifier: str = "") -> str:
        """Return the ARN of a function by its full name."""
        arn = f"arn:aws:lambda:{self._region}:{self._account_id}:function:{name}"
        return f"{arn}:{qualifier}" if qualifier else arn

    def find(self, name: str, qualifier: str | None = None, *, shown: str = "") -> Target:
        """Return what a request's name and qualifier stand for.

        Any account will do: the same ARN serves here and on AWS. The region must be the service's.

        Args:
            name: key, full name, partial ARN or ARN, any of them with `:qualifier`; decoded.
            qualifier: of the query; None for none.
            shown: the qualifier that "Function not found" shows where none was given, `$LATEST` for Invoke.
        Raises:
            ApiError: it breaks the pattern, is of another region, contradicts itself or is not there.
        """
        found = _NAME.fullmatch(name)
        faults = []
        if qualifier is not None:
            if len(qualifier) > MAX_QUALIFIER:
                rule = f"have length less than or equal to {MAX_QUALIFIER}"
                faults.append(refusal.breaks(qualifier, "qualifier", rule))
            if not qualifier:
                faults.append(refusal.breaks(qualifier, "qualifier", "have length greater than or equal to 1"))
            elif not _QUALIFIER.fullmatch(qualifier):
                rule = f"satisfy regular expression pattern: {QUALIFIER_PATTERN}"
                faults.append(refusal.breaks(qualifier, "qualifier", rule))
        if found is None:
            faults.append(refusal.breaks(name, "functionName", f"satisfy regular expression pattern: {NAME_PATTERN}"))
        if faults or found is None:
            raise refusal.validation(faults)
        region = found["region"]
        if region is not None and region != self._region:
            raise refusal.not_found(f"Functions from '{region}' are not reachable in this region ('{self._region}')")
        if qualifier is not None and found["qualifier"] not in {None, qualifier}:
            raise refusal.invalid_parameter(
                "The derived qualifier from the function name does not match the specified qualifier."
            )
        asked = qualifier or found["qualifier"] or ""
        function = self._by_name.get(found["name"])
        if function is None or asked not in {"", LATEST}:
            full_name = found["name"] if function is None else function.full_name
            raise refusal.no_such_function(self.arn(full_name, asked or shown))
        return Target(function, self.arn(function.full_name), asked)
