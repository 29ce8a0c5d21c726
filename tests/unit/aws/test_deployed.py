"""What a live stack's own template tells of its addresses."""

from __future__ import annotations

from bareboat.aws.deployed import Deployed


def test_the_domains_of_the_stack_are_addresses():
    deployed = Deployed(None, None, None)
    deployed.physical = {"Own": "api.example.com"}
    deployed.template = {
        "Resources": {
            "A": {"Type": "AWS::ApiGatewayV2::ApiMapping", "Properties": {"DomainName": {"Ref": "Own"}}},
            "B": {
                "Type": "AWS::ApiGateway::BasePathMapping",
                "Properties": {"DomainName": "rest.example.com", "BasePath": "v1"},
            },
            "C": {"Type": "AWS::ApiGatewayV2::ApiMapping", "Properties": {"DomainName": {"Ref": "NeverMade"}}},
        }
    }

    assert deployed.domains == ("https://api.example.com", "https://rest.example.com/v1")
