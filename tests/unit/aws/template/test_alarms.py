from __future__ import annotations

from typing import Any

import pytest

from bareboat.aws.template.alarms import lacks_alarms
from bareboat.errors import ConfigurationError

TWO = "functions: {one: {handler: handler.handle}, two: {handler: handler.handle, alarms: false}}\n"


def alarms(said: str) -> str:
    return TWO + f"custom: {{bareboat: {{alarms: {said}}}}}\n"


def kinds(template: dict[str, Any]) -> dict[str, str]:
    types = ("AWS::SNS", "AWS::CloudWatch", "AWS::Budgets")
    return {name: one["Type"] for name, one in template["Resources"].items() if one["Type"].startswith(types)}


def test_nobody_is_told_unasked(template_of, service_of):
    assert kinds(template_of(TWO)) == {}
    assert lacks_alarms(service_of(TWO))


def test_no_alarms_is_an_answer_too(template_of, service_of):
    assert kinds(template_of(alarms("false"))) == {}
    assert not lacks_alarms(service_of(alarms("false")))


def test_alarms_tell_a_topic_of_errors_and_throttles(template_of):
    found = template_of(alarms("true"))

    assert kinds(found) == {
        "AlarmTopic": "AWS::SNS::Topic",
        "AlarmTopicPolicy": "AWS::SNS::TopicPolicy",
        "OneFunctionErrorsAlarm": "AWS::CloudWatch::Alarm",
        "OneFunctionThrottlesAlarm": "AWS::CloudWatch::Alarm",
    }
    errors = found["Resources"]["OneFunctionErrorsAlarm"]["Properties"]
    assert errors["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "OneLambdaFunction"}}]
    assert errors["Threshold"] == 1
    assert errors["AlarmActions"] == [{"Ref": "AlarmTopic"}]
    assert errors["TreatMissingData"] == "notBreaching"


def test_people_and_a_budget(template_of):
    found = template_of(alarms("{email: [a@example.com, b@example.com], errors: 5, throttles: false, spend: 12.5}"))

    assert sorted(kinds(found)) == [
        "AlarmTopic",
        "AlarmTopicPolicy",
        "AlarmTopicSubscription1",
        "AlarmTopicSubscription2",
        "OneFunctionErrorsAlarm",
        "SpendBudget",
    ]
    assert found["Resources"]["OneFunctionErrorsAlarm"]["Properties"]["Threshold"] == 5
    budget = found["Resources"]["SpendBudget"]["Properties"]
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 12.5, "Unit": "USD"}
    assert budget["NotificationsWithSubscribers"][0]["Subscribers"] == [
        {"SubscriptionType": "EMAIL", "Address": "a@example.com"},
        {"SubscriptionType": "EMAIL", "Address": "b@example.com"},
    ]


def test_a_topic_of_one_s_own_is_used(template_of):
    found = template_of(
        alarms("{topic: !Ref Mine, spend: 5}") + "resources: {Resources: {Mine: {Type: AWS::SNS::Topic}}}"
    )

    assert "AlarmTopic" not in found["Resources"]
    assert found["Resources"]["OneFunctionErrorsAlarm"]["Properties"]["AlarmActions"] == [{"Ref": "Mine"}]


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("{email: nobody}", "custom.bareboat.alarms.email[0] is 'nobody'"),
        ("{errors: 0}", "custom.bareboat.alarms.errors is 0"),
        ("{spend: true}", "custom.bareboat.alarms.spend is true"),
        ("{mail: a@example.com}", "custom.bareboat.alarms has no key 'mail'"),
        ("loud", "custom.bareboat.alarms is 'loud'"),
    ],
)
def test_what_is_no_alarm_is_refused(service_of, said, found):
    with pytest.raises(ConfigurationError) as caught:
        service_of(alarms(said))

    assert [problem.found for problem in caught.value.problems] == [found]


def test_a_budget_is_refused_where_there_are_none(template_of):
    text = "  region: eu-north-1\n" + alarms("{email: a@example.com, spend: 5}")

    with pytest.raises(ConfigurationError, match="makes no budgets in eu-north-1"):
        template_of(text)
