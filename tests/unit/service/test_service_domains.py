"""`custom.customDomain`: left alone, or made by the stack where custom.bareboat.domains says so."""

from __future__ import annotations

import pytest

from bareboat.service.domain import CustomDomain
from bareboat.service.model import Place

HEAD = "service: demo\nprovider: {name: aws, runtime: python3.13, stage: prod}\n"
FUNCTIONS = "functions: {predict: {handler: handler.predict, events: [{http: GET /a}]}}\n"
ARN = "arn:aws:acm:us-east-1:123456789012:certificate/a"


def text(domain: str, said: str = "{domains: stack}", key: str = "customDomain") -> str:
    return f"{HEAD}custom: {{bareboat: {said}, {key}: {domain}}}\n{FUNCTIONS}"


def test_a_domain_is_left_alone_unless_the_stack_is_asked_to_make_it(load):
    service = load(text("{domainName: api.example.com}", said="{}"))

    assert service.domains == ()
    (note,) = service.notes
    assert note.text == (
        "custom.customDomain is left as it is: what serverless-domain-manager has made goes on working, and nothing "
        "is made; custom.bareboat.domains: stack has the stack make it"
    )


def test_a_domain_may_be_said_to_be_of_others(load):
    service = load(text("{domainName: api.example.com}", said="{domains: outside}"))

    assert (service.domains, service.notes) == ((), ())


# the defaults of serverless-domain-manager
def test_a_domain_has_the_plugin_s_defaults(load):
    service = load(text(f"{{domainName: api.example.com, certificateArn: '{ARN}'}}"))

    assert service.domains == (
        CustomDomain(
            "api.example.com", Place("serverless.yml", 3, 52), "rest", True, "", "prod", ARN, "TLS_1_2",
        ),
    )  # fmt: skip


def test_domains_by_kind_and_in_lists_are_each_read(load):
    listed = (
        f"[{{http: {{domainName: h.example.com, endpointType: regional, basePath: /v1/, certificateArn: '{ARN}'}}}}, "
        f"{{domainName: off.example.com, enabled: false}}, "
        f"{{domainName: r.example.com, endpointType: REGIONAL, certificateArn: {{Ref: Cert}}, hostedZoneId: Z1, "
        f"createRoute53IPv6Record: false, securityPolicy: tls_1_0, stage: live}}]"
    )

    first, second = load(text(listed, key="customDomains")).domains

    assert (first.api, first.stage, first.base_path, first.edge) == ("http", "$default", "v1", False)
    assert (second.certificate, second.zone_id, second.record_v6) == ({"Ref": "Cert"}, "Z1", False)
    assert (second.policy, second.stage) == ("TLS_1_0", "live")


@pytest.mark.parametrize(
    ("domain", "found"),
    [
        ("{domainName: api, certificateArn: a}", "custom.customDomain.domainName is 'api'"),
        ("{domainName: a.example.com}", "custom.customDomain has no certificateArn"),
        (
            "{domainName: a.example.com, certificateArn: a, apiType: http}",
            "custom.customDomain.endpointType is edge",
        ),
        (
            "{domainName: a.example.com, certificateArn: a, apiType: websocket}",
            "custom.customDomain.apiType is websocket",
        ),
        (
            "{domainName: a.example.com, certificateArn: a, securityPolicy: ssl}",
            "custom.customDomain.securityPolicy is SSL",
        ),
        (
            "{domainName: a.example.com, certificateArn: a, route53Params: {routingPolicy: latency}}",
            "custom.customDomain: records are not latency",
        ),
    ],
)
def test_what_the_stack_cannot_make_is_refused(refuse, domain, found):
    (problem,) = refuse(text(domain))

    assert problem.found == found


def test_a_base_path_is_mapped_once(refuse):
    one = f"{{domainName: a.example.com, certificateArn: '{ARN}', basePath: v1}}"

    (problem,) = refuse(text(f"[{one}, {one}]", key="customDomains"))

    assert problem.found == "a.example.com/v1 is there twice"


def test_who_makes_domains_is_one_of_two(refuse):
    (problem,) = refuse(text("{domainName: a.example.com}", said="{domains: me}"))

    assert (problem.found, problem.expected) == ("custom.bareboat.domains is 'me'", "stack, or outside")
