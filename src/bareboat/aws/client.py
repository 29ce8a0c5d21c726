"""AWS as boto3 finds it: credentials, region, profile and endpoint of the usual kinds. The only boto3 of this floor."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bareboat.errors import BareboatError, RemoteError

INSTALL = "pip install 'bareboat[aws]'"


class AwsError(RemoteError):
    """AWS refused a call, or did not answer it.

    Args:
        code: AWS's own, such as `ValidationError`; "" when no answer came.
        operation: such as `cloudformation:DescribeStacks`.
        status: of HTTP; 0 when no answer came.
    """

    def __init__(
        self, found: str, *, code: str, operation: str, status: int = 0, expected: str = "", fix: str = ""
    ) -> None:
        super().__init__(found, expected=expected, fix=fix)
        self.code = code
        self.operation = operation
        self.status = status


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls: the account (12 digits) and the ARN."""

    account: str
    arn: str


class Aws:
    """AWS in one region, with clients made when they are first used; not shared between threads while they are made.

    Args:
        profile: of the shared configuration; "" leaves it to AWS_PROFILE.
        attempts: how often a call is tried that AWS throttles or does not answer, unless AWS_MAX_ATTEMPTS says it; 1
            is once, whatever that says.
        connect_s, read_s: how long an answer may take, seconds.
    Raises:
        BareboatError: boto3 is not installed.
    """

    def __init__(
        self, region: str, *, profile: str = "", attempts: int = 5, connect_s: float = 10, read_s: float = 60
    ) -> None:
        try:
            from botocore.session import Session
        except ImportError as error:
            raise BareboatError(
                "AWS needs boto3, which is not installed", expected="the extra `aws`", fix=INSTALL
            ) from error
        self.region = region
        self.profile = profile
        self._attempts = attempts
        self._connect_s = connect_s
        self._read_s = read_s
        self._session = Session(profile=profile or None)
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str = "") -> Any:
        """Return botocore's client of a service, such as `cloudformation`.

        Raises:
            RemoteError: no such profile, or the configuration cannot be read.
        """
        place = region or self.region
        if (service, place) not in self._clients:
            from botocore.config import Config

            retries: dict[str, Any] = {"mode": os.environ.get("AWS_RETRY_MODE", "standard")}
            if self._attempts == 1 or "AWS_MAX_ATTEMPTS" not in os.environ:
                retries["total_max_attempts"] = self._attempts
            config = Config(connect_timeout=self._connect_s, read_timeout=self._read_s, retries=retries)
            try:
                if not self._clients:
                    _hasten(self._session)
                self._clients[service, place] = self._session.create_client(service, region_name=place, config=config)
            except Exception as error:
                raise _translated(error, service) from error
        return self._clients[service, place]

    def call(self, service: str, operation: str, /, *, region: str = "", **arguments: Any) -> Mapping[str, Any]:
        """Make one call: `aws.call("cloudformation", "describe_stacks", StackName="x")`.

        Raises:
            AwsError: AWS refuses, or does not answer.
        """
        client = self.client(service, region)
        try:
            answer: Mapping[str, Any] = getattr(client, operation)(**arguments)
        except Exception as error:
            raise _translated(error, f"{service}:{client.meta.method_to_api_mapping[operation]}") from error
        return answer

    def read(self, service: str, operation: str, key: str, /, *, region: str = "", **arguments: Any) -> bytes:
        """Make one call whose answer streams, such as `s3:GetObject`, and return all bytes of `key`.

        Raises:
            AwsError: AWS refuses, or the answer breaks off each time.
        """
        return self.whole(service, operation, key, region=region, **arguments)[1]

    def whole(
        self, service: str, operation: str, key: str, /, *, region: str = "", **arguments: Any
    ) -> tuple[Mapping[str, Any], bytes]:
        """Make one call whose answer streams, and return the answer and all bytes of `key`.

        Raises:
            AwsError: AWS refuses, or the answer breaks off each time.
        """
        for attempt in range(self._attempts):
            said = self.call(service, operation, region=region, **arguments)
            try:
                body = said[key]
                with body:
                    return said, bytes(body.read())
            except Exception as error:
                if attempt + 1 == self._attempts:
                    raise _translated(error, f"{service}:{operation}") from error
        raise AssertionError("no attempt was made")

    def pages(self, service: str, operation: str, key: str, /, *, region: str = "", **arguments: Any) -> Iterator[Any]:
        """Yield the entries of `key` of all pages of a call that lists.

        Raises:
            AwsError: AWS refuses, or does not answer.
        """
        client = self.client(service, region)
        name = f"{service}:{client.meta.method_to_api_mapping[operation]}"
        try:
            for page in client.get_paginator(operation).paginate(**arguments):
                yield from page.get(key) or ()
        except Exception as error:
            raise _translated(error, name) from error

    @cached_property
    def identity(self) -> Identity:
        """Who calls; asked of AWS once.

        Raises:
            AwsError: there are no credentials, or they have expired.
        """
        said = self.call("sts", "get_caller_identity")
        return Identity(said["Account"], said["Arn"])

    def sign(
        self, service: str, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> dict[str, str]:
        """Return the headers of a request with the caller's signature (Signature Version 4) among them.

        Args:
            service: `execute-api` or `lambda`.
        Raises:
            AwsError: there are no credentials.
        """
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import NoCredentialsError

        try:
            credentials = self._session.get_credentials()
            if credentials is None:
                raise NoCredentialsError
            request = AWSRequest(method=method, url=url, headers=dict(headers), data=body)
            SigV4Auth(credentials.get_frozen_credentials(), service, self.region).add_auth(request)
        except Exception as error:
            raise _translated(error, f"{service}:{method}") from error
        return dict(request.headers.items())

    @property
    def partition(self) -> str:
        """The partition of the caller: aws, aws-cn, aws-us-gov."""
        return self.identity.arn.split(":")[1]

    @property
    def endpoint(self) -> str:
        """The address that stands for all of AWS, of AWS_ENDPOINT_URL or the configuration; "" for AWS's own."""
        if not os.environ.get("AWS_ENDPOINT_URL"):
            return ""
        client = self._clients.get(("cloudformation", self.region)) or self.client("sts")  # making one takes a while
        return str(client.meta.endpoint_url)


def _hasten(session: Any) -> None:
    """Have botocore read its descriptions of services in half the time, for each client and once more for the first.

    It asks for mappings that keep the order of their keys, which Python's own do, and looks into the folders of all
    400 services before it takes one.
    """
    import gzip
    import json

    try:
        from botocore.loaders import JSONFileLoader
    except ImportError:  # another botocore reads them in its own way
        return

    class Files(JSONFileLoader):  # type: ignore[misc]
        def load_file(self, file_path: str) -> Any:
            for end, opened in ((".json", open), (".json.gz", gzip.open)):
                try:
                    with opened(file_path + end, "rb") as file:
                        return json.loads(file.read())
                except (FileNotFoundError, NotADirectoryError):
                    continue
            return super().load_file(file_path)

    loader = session.get_component("data_loader")
    services: list[str] = []

    def names(_: str) -> list[str]:
        """Return all services; what descriptions one has shows when they are read."""
        if not services:
            paths = [Path(one) for one in loader.search_paths]
            services.extend(sorted({one.name for path in paths if path.is_dir() for one in path.iterdir()}))
        return services

    loader.file_loader = Files()
    loader.list_available_services = names


def _translated(error: Exception, operation: str) -> Exception:
    """Return what to tell a person of an error of botocore; errors that are ours or bugs come back as they are."""
    import botocore.exceptions as botocore
    from botocore.parsers import ResponseParserError

    if isinstance(error, BareboatError):
        return error
    if isinstance(error, botocore.ClientError):
        said = error.response.get("Error", {})
        code = str(said.get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        text = " ".join(str(said.get("Message", "")).split()) or code
        return AwsError(f"{operation}: {text} ({code})", code=code, operation=operation, status=status, fix=_fix(code))
    if isinstance(error, (botocore.NoCredentialsError, botocore.PartialCredentialsError)):
        return AwsError(
            "there are no AWS credentials",
            code="NoCredentials",
            operation=operation,
            expected="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, SSO, or a role",
            fix="aws configure sso, or AWS_PROFILE=NAME",
        )
    if isinstance(error, botocore.ProfileNotFound):
        return AwsError(
            f"there is no AWS profile {error.kwargs.get('profile')}",
            code="ProfileNotFound",
            operation=operation,
            expected=_profiles(),
            fix="aws configure sso --profile NAME makes one; AWS_PROFILE, or provider.profile, names it",
        )
    if isinstance(error, (botocore.BotoCoreError, ResponseParserError)):
        text = " ".join(str(error).split())[:300]
        return AwsError(
            f"{operation}: {text}",
            code=type(error).__name__,
            operation=operation,
            fix="check the network, proxies (HTTPS_PROXY), the region, the profile and AWS_ENDPOINT_URL",
        )
    return error


def _profiles() -> str:
    """Return the profiles that there are, for a sentence."""
    from botocore.configloader import raw_config_parse
    from botocore.exceptions import BotoCoreError

    names: set[str] = set()
    for variable, usual in (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")):
        try:
            said = raw_config_parse(os.environ.get(variable) or f"~/.aws/{usual}", parse_subsections=False)
        except BotoCoreError:
            continue
        names |= {one.removeprefix("profile ").strip("\"' ") for one in said if not one.startswith("sso-session ")}
    return f"one of {', '.join(sorted(names))}" if names else "a profile; there is none"


_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired")
_FORBIDDEN = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403")


def _fix(code: str) -> str:
    if code in _EXPIRED:
        return "get new credentials: aws sso login, or the like"
    if code in ("InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch"):
        return "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile"
    if code in _FORBIDDEN:
        return "allow the action to the user or role that calls (docs/deploy.md lists what bareboat needs)"
    return ""
