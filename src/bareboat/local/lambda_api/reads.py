"""What tools ask of functions before and after they call them: Lambda's read-only operations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from bareboat.artifact.model import Artifact
from bareboat.local.lambda_api import refusal
from bareboat.local.lambda_api.asked import Asked
from bareboat.local.lambda_api.configuration import Configurations
from bareboat.local.lambda_api.names import LATEST, Directory, Target
from bareboat.local.lambda_api.refusal import ApiError
from bareboat.local.messages import Response
from bareboat.service.model import Service

NO_RESOURCE = "The resource you requested does not exist."


class Reads:
    """Answers what is asked of the functions of one service, from serverless.yml and their artifacts.

    Only `$LATEST` is there: no version is published and no alias made. Nor is there a policy.
    """

    def __init__(
        self,
        service: Service,
        directory: Directory,
        artifact_of: Callable[[str], Artifact | None],
        url_of: Callable[[str], str | None],
    ) -> None:
        self._functions = tuple(service.functions.values())
        self._directory = directory
        self._said = Configurations(service, artifact_of)
        self._url_of = url_of
        self.operations: dict[str, Callable[[Asked], Response | Awaitable[Response]]] = {
            "ListFunctions": self._list_functions,
            "GetFunction": self._get_function,
            "GetFunctionConfiguration": self._get_configuration,
            "ListVersionsByFunction": self._list_versions,
            "ListAliases": self._list_aliases,
            "GetPolicy": self._get_policy,
            "GetFunctionConcurrency": self._get_concurrency,
            "GetFunctionEventInvokeConfig": self._get_event_config,
            "GetFunctionUrlConfig": self._get_url,
            "ListFunctionUrlConfigs": self._list_urls,
            "GetAccountSettings": self._get_account,
            "ListEventSourceMappings": self._list_mappings,
            "ListTags": self._list_tags,
        }

    def _find(self, asked: Asked) -> Target:
        return self._directory.find(asked.names[0], asked.one("Qualifier"))

    def _list_functions(self, asked: Asked) -> Response:
        version = asked.one("FunctionVersion")
        if version not in {None, "ALL"}:
            raise refusal.validation(
                [refusal.breaks(version or "", "functionVersion", "satisfy enum value set: [ALL]")]
            )
        qualifier = LATEST if version else ""
        return asked.answer(
            {
                "Functions": [
                    self._said.configuration(each, self._directory.arn(each.full_name, qualifier), listed=True)
                    for each in self._functions
                ]
            }
        )

    def _get_function(self, asked: Asked) -> Response:
        target = self._find(asked)
        return asked.answer(self._said.function(target.function, self._qualified(target)))

    def _get_configuration(self, asked: Asked) -> Response:
        target = self._find(asked)
        return asked.answer(self._said.configuration(target.function, self._qualified(target)))

    def _list_versions(self, asked: Asked) -> Response:
        target = self._find(asked)
        arn = self._directory.arn(target.function.full_name, LATEST)
        return asked.answer({"Versions": [self._said.configuration(target.function, arn, listed=True)]})

    def _list_aliases(self, asked: Asked) -> Response:
        self._find(asked)
        return asked.answer({"Aliases": []})

    def _get_policy(self, asked: Asked) -> Response:
        self._find(asked)
        raise refusal.not_found(NO_RESOURCE)

    def _get_concurrency(self, asked: Asked) -> Response:
        reserved = self._find(asked).function.reserved_concurrency
        return asked.answer({} if reserved is None else {"ReservedConcurrentExecutions": reserved})

    def _get_event_config(self, asked: Asked) -> Response:
        name, qualifier = asked.names[0], asked.one("Qualifier")
        try:
            target = self._directory.find(name, qualifier)
        except ApiError as error:
            if error.code != "ResourceNotFoundException" or "Function not found: " not in error.fields["Message"]:
                raise
            arn = error.fields["Message"].removeprefix("Function not found: ")
            arn = arn if qualifier else f"{arn}:{LATEST}"
            raise refusal.not_found(f"The function {arn} doesn't have an EventInvokeConfig") from None
        options = target.function.options
        known = {
            "MaximumRetryAttempts": options.get("maximumRetryAttempts"),
            "MaximumEventAgeInSeconds": options.get("maximumEventAge"),
        }
        arn = self._directory.arn(target.function.full_name, target.qualifier or LATEST)
        said = {key: value for key, value in known.items() if value is not None}
        if not said:
            raise refusal.not_found(f"The function {arn} doesn't have an EventInvokeConfig")
        return asked.answer({"FunctionArn": arn, "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}}, **said})

    def _get_url(self, asked: Asked) -> Response:
        try:
            target = self._find(asked)
        except ApiError as error:
            if error.code != "ResourceNotFoundException":
                raise
            raise refusal.not_found(NO_RESOURCE) from None
        found = self._url(target)
        if found is None:
            raise refusal.not_found(NO_RESOURCE)
        return asked.answer(found)

    def _list_urls(self, asked: Asked) -> Response:
        try:
            found = self._url(self._find(asked))
        except ApiError as error:
            if error.code != "ResourceNotFoundException":
                raise
            raise refusal.not_found("Function does not exist") from None
        return asked.answer({"FunctionUrlConfigs": [] if found is None else [found]})

    def _url(self, target: Target) -> dict[str, Any] | None:
        address = self._url_of(target.function.name)
        if address is None or target.function.url is None:
            return None
        return self._said.url(target.function, target.arn, address)

    def _get_account(self, asked: Asked) -> Response:
        return asked.answer(self._said.account())

    def _list_mappings(self, asked: Asked) -> Response:
        """Answer with the queues of the functions; what else calls them (schedules, topics, buckets) maps nothing."""
        wanted = asked.one("FunctionName")
        source = asked.one("EventSourceArn")
        functions = self._functions if wanted is None else (self._directory.find(wanted, None).function,)
        found = [
            mapping
            for function in functions
            for mapping in self._said.mappings(function, self._directory.arn(function.full_name, ""))
            if source in {None, mapping["EventSourceArn"]}
        ]
        return asked.answer({"EventSourceMappings": found})

    def _list_tags(self, asked: Asked) -> Response:
        return asked.answer({"Tags": self._said.tags(self._find(asked).function)})

    def _qualified(self, target: Target) -> str:
        return f"{target.arn}:{target.qualifier}" if target.qualifier else target.arn
