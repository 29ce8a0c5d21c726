"""Custom domains (`custom.bareboat.domains: stack`): names, their mappings to APIs, the records that lead there."""

from __future__ import annotations

import hashlib
from typing import Any

from bareboat.aws.template import naming, words
from bareboat.aws.template.draft import Draft, Json
from bareboat.aws.template.gateway import without_nothing
from bareboat.aws.template.http_api import http_api_id
from bareboat.aws.template.rest_resources import rest_api_id
from bareboat.aws.template.rest_stage import DEPLOYMENT
from bareboat.errors import ConfigurationError
from bareboat.service.domain import CustomDomain

_V1, _V2 = "AWS::ApiGateway", "AWS::ApiGatewayV2"


def add_domains(draft: Draft) -> None:
    """Add what makes the service's APIs answer to their own names.

    Raises:
        ConfigurationError: a domain is for an API that the service does not have.
    """
    for domain in draft.service.domains:
        if not _has_api(draft, domain):
            event = "httpApi" if domain.api == "http" else "http"
            raise ConfigurationError(
                f"{domain.name} is for the {domain.api.upper()} API, and no function has an {event} event",
                expected=f"apiType: {'rest' if domain.api == 'http' else 'http'}, or an {event} event",
                where=str(domain.where),
            )
        name = f"CustomDomain{_words(domain.name)}"
        if name not in draft.resources:
            _add_name(draft, name, domain)
            _add_records(draft, name, domain)
        _add_mapping(draft, name, domain)


def _has_api(draft: Draft, domain: CustomDomain) -> bool:
    if domain.api == "http":
        return any(each["Type"] == f"{_V2}::Route" for each in draft.resources.values())
    return _deployment(draft) is not None


def _deployment(draft: Draft) -> str | None:
    return next((name for name, each in draft.resources.items() if each["Type"] == DEPLOYMENT), None)


def _words(text: str) -> str:
    """Return a domain or path as part of a logical id: `api.example.com` is ApiExampleCom."""
    joined = "".join(words.alphanumeric(part.replace("*", "Any")) for part in text.replace("/", ".").split("."))
    plain = text.replace(".", "").replace("/", "").isalnum()
    return joined if plain else joined + hashlib.sha256(text.encode()).hexdigest()[:6]


def _add_name(draft: Draft, logical_id: str, domain: CustomDomain) -> None:
    provider = draft.service.provider
    tags = {**(provider.options.get("stackTags") or {}), **provider.tags}
    trust = without_nothing(
        {"TruststoreUri": domain.trust_store or None, "TruststoreVersion": domain.trust_store_version or None}
    )
    if domain.api == "http":
        entry = {
            "CertificateArn": domain.certificate,
            "EndpointType": "REGIONAL",
            "SecurityPolicy": domain.policy,
        }
        properties: Json = {
            "DomainName": domain.name,
            "DomainNameConfigurations": [entry],
            "MutualTlsAuthentication": trust or None,
            "Tags": tags or None,
        }
        draft.add(logical_id, f"{_V2}::DomainName", without_nothing(properties))
    else:
        properties = {
            "DomainName": domain.name,
            "CertificateArn" if domain.edge else "RegionalCertificateArn": domain.certificate,
            "EndpointConfiguration": {"Types": ["EDGE" if domain.edge else "REGIONAL"]},
            "SecurityPolicy": domain.policy,
            "MutualTlsAuthentication": trust or None,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()] or None,
        }
        draft.add(logical_id, f"{_V1}::DomainName", without_nothing(properties))
    suffix = "Http" if domain.api == "http" else ""
    if f"DomainName{suffix}" not in draft.outputs:  # the plugin's own outputs
        draft.output(f"DomainName{suffix}", domain.name)
        draft.output(f"DistributionDomainName{suffix}", _target(logical_id, domain)["DNSName"])


def _target(logical_id: str, domain: CustomDomain) -> Json:
    """Return where the name leads: CloudFront for EDGE, else the region's own."""
    kind = "Distribution" if domain.edge else "Regional"
    return {
        "DNSName": {"Fn::GetAtt": [logical_id, f"{kind}DomainName"]},
        "HostedZoneId": {"Fn::GetAtt": [logical_id, f"{kind}HostedZoneId"]},
    }


def _add_records(draft: Draft, logical_id: str, domain: CustomDomain) -> None:
    kinds = [kind for kind, wanted in (("A", domain.record), ("AAAA", domain.record and domain.record_v6)) if wanted]
    zone: Json = {"HostedZoneId": domain.zone_id} if domain.zone_id else {"HostedZoneName": domain.zone_name}
    for kind in kinds:
        draft.add(
            f"{logical_id}Record{kind}",
            "AWS::Route53::RecordSet",
            {"Name": domain.name, "Type": kind, "AliasTarget": _target(logical_id, domain), **zone},
        )


def _add_mapping(draft: Draft, name: str, domain: CustomDomain) -> None:
    """Map a base path of the domain to a stage. Paths of several parts are of the newer kind of mapping alone."""
    logical_id = f"{name}Mapping{_words(domain.base_path)}" if domain.base_path else f"{name}Mapping"
    deployment = _deployment(draft)
    if domain.api == "http" or "/" in domain.base_path:
        own = naming.HTTP_API_STAGE in draft.resources and domain.stage == "$default"
        stage: Any = {"Ref": naming.HTTP_API_STAGE} if domain.api == "http" and own else domain.stage
        properties = {
            "ApiId": http_api_id(draft) if domain.api == "http" else rest_api_id(draft),
            "DomainName": {"Ref": name},
            "Stage": stage,
            "ApiMappingKey": domain.base_path or None,
        }
        depends = deployment if domain.api == "rest" else None
        draft.add(logical_id, f"{_V2}::ApiMapping", without_nothing(properties), DependsOn=depends)
        return
    properties = {
        "DomainName": {"Ref": name},
        "RestApiId": rest_api_id(draft),
        "Stage": domain.stage,
        "BasePath": domain.base_path or None,
    }
    draft.add(logical_id, f"{_V1}::BasePathMapping", without_nothing(properties), DependsOn=deployment)
