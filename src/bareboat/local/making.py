"""A site -> the fronts that not every service needs, or not at once: the REST API, Lambda's API, URLs, the console."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bareboat.local.addresses import api_id
from bareboat.local.fronts import access_settings, has_rest_api
from bareboat.local.gateway import Api
from bareboat.local.lambda_api import LambdaApi, events_of
from bareboat.local.site import Front, Site

if TYPE_CHECKING:
    from bareboat.local.access import Settings
    from bareboat.local.access.usage import Usage
    from bareboat.local.cloud import LocalCloud
    from bareboat.local.rest import RestApiGateway
    from bareboat.local.url import FunctionUrl


def rest_api(site: Site) -> RestApiGateway:
    """Make the REST API."""
    from bareboat.local.access import RestAccess
    from bareboat.local.rest import RestApiGateway

    provider = site.service.provider
    functions = site.service.functions

    def later(function: str, event: bytes, trace_id: str, source: str) -> None:
        events_of(site.cloud).put(functions[function], event, trace_id=trace_id, source=source)

    return RestApiGateway(
        site.service,
        site.invoke,
        RestAccess(site.service, site.invoke, access_settings(site), usage=usage_of(site.cloud, access_settings(site))),
        api=Api(
            api_id(site.service),
            stage=provider.stage,
            port=str(site.port),
            domain=site.host,
            stage_variables=provider.rest_api.stage_variables,
        ),
        on_request=site.on_request,
        invoke_later=later,
    )


def usage_of(cloud: LocalCloud, settings: Settings) -> Usage:
    """Return what API keys have used: kept over reloads and, in a file, over restarts."""
    from bareboat.local.access.usage import FILE, Usage

    usage = cloud.kept.get("usage")
    if usage is None:
        usage = cloud.kept["usage"] = Usage(settings.secrets.folder / FILE)
    assert isinstance(usage, Usage)
    return usage


def lambda_api(site: Site) -> LambdaApi:
    """Make Lambda's own API."""
    cloud = site.cloud
    rest = None
    if has_rest_api(site.service):
        from bareboat.local.rest.control import RestControl

        rest = RestControl(site.service, site.invoke).handle
    return LambdaApi(
        site.service,
        site.invoke,
        events_of(cloud),
        artifact_of=lambda name: cloud.artifacts.get(name),  # noqa: PLW0108 - another mapping after each reload
        url_of=lambda name: f"{cloud.urls[door]}/" if (door := f"url:{name}") in cloud.urls else None,
        rest=rest,
    )


def function_url(site: Site) -> FunctionUrl:
    """Make the address of one function."""
    from bareboat.local.access.url import UrlAccess
    from bareboat.local.url import FunctionUrl, url_id

    function = site.service.functions[site.function]
    is_open = function.url is not None and function.url.auth == "NONE"
    return FunctionUrl(
        function,
        site.invoke,
        api=Api(url_id(site.service, function.name), account_id="anonymous", port=str(site.port), domain=site.host),
        access=None if is_open else UrlAccess(site.service, function, access_settings(site)),
        on_request=site.on_request,
    )


def console(site: Site) -> Front:
    """Make the console."""
    from bareboat.local.console import Console
    from bareboat.local.console.source import Shown

    return Console(Shown(site.cloud))
