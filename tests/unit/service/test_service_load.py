"""The whole file: every problem at once, notes, values, packages, CORS."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bareboat.errors import ConfigurationError
from bareboat.service import load_service
from bareboat.service.api import Cors, JwtAuthorizer, LambdaAuthorizer
from bareboat.service.check import known_keys
from bareboat.service.keys.file import ServerlessKeys
from bareboat.service.keys.functions import FunctionKeys
from bareboat.service.keys.provider import ProviderKeys

HEAD = "service: demo\nprovider:\n  name: aws\n  runtime: python3.13\n"
ONE = "functions: {a: {handler: handler.predict, events: [{httpApi: POST /x}]}}\n"


def test_every_problem_is_told_at_once_in_file_order(refuse):
    problems = refuse(
        """
        service: demo_1
        provider:
          name: aws
          runtime: python3.13
          memorySize: 64
        functions:
          a:
            handler: nowhere.run
            memorysize: 1
            events:
              - httpApi: {path: /x, methd: get}
              - sqz: 1
        custom:
          bareboat: ${env:NONE}
        """
    )

    assert [problem.where.split(":")[1] for problem in problems] == ["2", "6", "9", "10", "12", "13", "15"]
    assert problems[3].fix == "rename it to 'memorySize'"
    assert problems[4].fix == "rename it to 'method'"
    assert problems[4].expected == "one of path, method, authorizer, throttling"


def test_a_folder_without_a_file_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"there is no serverless\.yml"):
        load_service(tmp_path)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "serverless.yml is empty"),
        ("# nothing\n", "serverless.yml is empty"),
        ("- a\n", "serverless.yml is a list"),
        ("text\n", "serverless.yml is text"),
    ],
)
def test_what_is_no_mapping_is_refused(refuse, text, found):
    (problem,) = refuse(text)

    assert problem.found == found
    assert problem.where == "serverless.yml:1:1"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("provider: aws\n", "there is no service"),
        ("service: demo\n", "there is no provider"),
        ("service: demo\nprovider: {runtime: python3.13}\n", "provider has no name"),
        ("service: demo\nprovider: google\n", "provider.name is 'google'"),
        ("service: 1demo\nprovider: aws\n", "service is '1demo'"),
        (HEAD + "  stage: a_b\n", "the stage is 'a_b'"),
        (HEAD + "  region: mars\n", "the region is 'mars'"),
        (HEAD + "  alb: {}\n", "provider 'alb' is refused"),
        (HEAD + "constructs: {}\n", "'constructs' is refused"),
        (HEAD + "stepFunctions: {}\n", "'stepFunctions' is refused"),
        (HEAD + "fucntions: {}\n", "serverless.yml has no key 'fucntions'"),
        (HEAD + "functions: [1]\n", "functions[0] is no mapping"),
        (
            HEAD + "functions: [{a: {handler: handler.predict}}, {a: {handler: handler.predict}}]\n",
            "functions.a is given again",
        ),
        (HEAD + "functions: text\n", "functions is 'text'"),
        (HEAD + "  httpApi: {cors: {allowCredentials: true}}\n", "allows credentials for any origin"),
        (
            HEAD + "  httpApi: {authorizers: {a: {type: request, resultTtl: 0}}}\n",
            "provider.httpApi.authorizers.a has no key 'resultTtl'",
        ),
        (
            HEAD + "  httpApi: {authorizers: {a: {type: request, functionName: auht}}}\n" + ONE,
            "provider.httpApi.authorizers.a asks for the function 'auht'",
        ),
        (HEAD + "  httpApi: {payload: '3.0'}\n", "provider.httpApi.payload is '3.0'"),
        (HEAD + "  iam: {role: {statement: []}}\n", "provider.iam.role has no key 'statement'"),
        (HEAD + "custom: {pythonRequirements: {zipp: true}}\n", "custom.pythonRequirements has no key 'zipp'"),
        (HEAD + "custom: {pythonRequirements: {slim: maybe}}\n", "custom.pythonRequirements.slim is 'maybe'"),
    ],
)
def test_a_faulty_file_is_refused(refuse, text, found):
    assert any(found in problem.found for problem in refuse(text))


def test_older_forms_are_read(load):
    service = load(
        """
        service: {name: demo}
        provider: aws
        functions:
          - a: {handler: handler.predict, runtime: python3.12}
          - b: {handler: handler.predict, runtime: python3.12}
        resources:
          - Resources: {T: {Type: 'AWS::SNS::Topic'}}
          - Resources: {U: {Type: 'AWS::SNS::Topic'}}
            Outputs: {O: {Value: x}}
        """
    )

    assert service.name == "demo"
    assert list(service.functions) == ["a", "b"]
    assert sorted(service.resources["Resources"]) == ["T", "U"]
    assert sorted(service.resources) == ["Outputs", "Resources"]


def test_the_could_tier_is_no_error(load):
    load(
        HEAD
        + """
  vpc: {securityGroupIds: [sg-1], subnetIds: [s-1]}
  apiGateway: {apiKeys: [k], binaryMediaTypes: ['*/*'], minimumCompressionSize: 1024}
  ecr: {images: {app: {path: ./}}}
  rollbackConfiguration: {MonitoringTimeInMinutes: 5}
  deploymentBucket: {name: b}
  iam: {role: !Sub 'arn:aws:iam::${AWS::AccountId}:role/r'}
functions:
  a:
    handler: handler.predict
    url: true
    provisionedConcurrency: 2
    destinations: {onSuccess: b}
    onError: arn:aws:sns:us-east-1:1:t
    fileSystemConfig: {localMountPath: /mnt/a, arn: 'arn:aws:elasticfilesystem:x'}
    kmsKeyArn: arn:aws:kms:us-east-1:1:key/k
    condition: C
    dependsOn: [T]
    maximumRetryAttempts: 1
    events: [{stream: {arn: 'arn:aws:dynamodb:x', batchSize: 10}}]
  c: {handler: handler.predict, snapStart: true}
layers: {l: {path: ., compatibleRuntimes: [python3.13]}}
resources: {Resources: {}, extensions: {}}
"""
    )


def test_authorizers_are_read_as_serverless_3_has_them(load):
    # docs/providers/aws/events/http-api.md of serverless 3.39: JWT and Lambda authorizers
    service = load(
        HEAD
        + """  httpApi:
    authorizers:
      jwt:
        type: jwt
        name: n
        identitySource: $request.header.Authorization
        issuerUrl: {Fn::Sub: 'https://cognito-idp.${AWS::Region}.amazonaws.com/x'}
        audience: [xxxx, {Ref: Client}]
      own:
        type: request
        functionName: a
        identitySource: [$request.header.Auth, $request.header.X]
        enableSimpleResponses: true
        payloadVersion: '2.0'
        resultTtlInSeconds: 300
      other: {type: request, functionArn: {Ref: F}, managedExternally: true}
functions: {a: {handler: handler.predict}}
"""
    )

    jwt, own, other = service.provider.http_api.authorizers.values()
    assert jwt == JwtAuthorizer(
        name="jwt",
        where=jwt.where,
        issuer="https://cognito-idp.us-east-1.amazonaws.com/x",
        audience=("xxxx", "${Client}"),
    )
    assert own == LambdaAuthorizer(
        name="own",
        where=own.where,
        function="a",
        payload="2.0",
        simple=True,
        identity_sources=("$request.header.Auth", "$request.header.X"),
        ttl_s=300,
    )
    assert (other.function, other.arn) == ("", "${F}")
    assert [note.level for note in service.notes] == ["warning", "warning"]  # ${Client}, and F, which is not here


# What osls 4.3.1 writes into CorsConfiguration for `cors: true` (http-api.js, defaultCors)
def test_cors_true_has_serverless_s_defaults(load):
    service = load(HEAD + "  httpApi: {cors: true}\n" + ONE)

    assert service.provider.http_api.cors == Cors(
        allowed_origins=("*",),
        allowed_methods=("OPTIONS", "POST"),
        allowed_headers=(
            "Content-Type",
            "X-Amz-Date",
            "Authorization",
            "X-Api-Key",
            "X-Amz-Security-Token",
            "X-Amz-User-Agent",
            "X-Amzn-Trace-Id",
        ),
    )


def test_cors_of_an_any_route_allows_every_method(load):
    service = load(
        HEAD + "  httpApi: {cors: true}\nfunctions: {a: {handler: handler.predict, events: [{httpApi: '*'}]}}"
    )

    assert sorted(service.provider.http_api.cors.allowed_methods) == sorted(
        ["GET", "POST", "PUT", "PATCH", "OPTIONS", "HEAD", "DELETE"]
    )


def test_cors_is_taken_as_written(load):
    service = load(
        HEAD
        + "  httpApi:\n    cors:\n      allowedOrigins: https://a.b\n      allowedMethods: [GET]\n"
        + "      allowedHeaders: [X]\n      exposedResponseHeaders: [Y]\n"
        + "      allowCredentials: true\n      maxAge: 60\n"
        + ONE
    )

    assert service.provider.http_api.cors == Cors(("https://a.b",), ("GET",), ("X",), ("Y",), True, 60)
    values = {value.path: value.value for value in service.values}
    assert values["provider.httpApi.cors.exposedResponseHeaders"] == ["Y"]
    assert values["provider.httpApi.cors.allowCredentials"] is True
    assert values["provider.httpApi.cors.maxAge"] == 60


def test_package_rules_keep_their_order(load, folder):
    (folder / "a.zip").write_bytes(b"")
    service = load(
        HEAD
        + """
package:
  individually: true
  exclude: [a, '!b']
  include: [c]
  patterns: ['!d/**', e]
functions:
  f: {handler: handler.predict, package: {patterns: [x], exclude: y}}
  g: {handler: handler.predict, package: {artifact: a.zip, individually: true}}
"""
    )

    assert service.package.patterns == ("!a", "!b", "c", "!d/**", "e")
    assert service.package.individually is True
    assert service.functions["f"].package.patterns == ("!y", "x")
    assert service.functions["g"].package.artifact == (folder / "a.zip").resolve()


def test_python_requirements_are_read(load):
    found = load(
        HEAD
        + """
custom:
  pythonRequirements:
    fileName: r.txt
    slim: true
    slimPatterns: ['**/*.md']
    slimPatternsAppendDefaults: false
    strip: false
    noDeploy: boto3
    vendor: ./vendor
    usePipenv: false
    usePoetry: false
    pipCmdExtraArgs: [--pre]
    layer: true
    zip: true
    dockerizePip: non-linux
    pythonBin: python3
    poetryWithGroups: [a]
"""
    ).python_requirements

    assert (found.file_name, found.slim, found.slim_patterns, found.slim_patterns_append_defaults) == (
        "r.txt",
        True,
        ("**/*.md",),
        False,
    )
    assert (found.strip, found.no_deploy, found.vendor, found.zip, found.layer) == (
        False,
        ("boto3",),
        "./vendor",
        True,
        True,
    )
    assert (found.use_pipenv, found.use_poetry, found.pip_extra_args) == (False, False, ("--pre",))


def test_plugins_are_named_with_what_they_come_to(load):
    service = load(HEAD + "plugins: [serverless-python-requirements, serverless-offline, serverless-wsgi, my-plugin]\n")

    assert service.plugins == ("serverless-python-requirements", "serverless-offline", "serverless-wsgi", "my-plugin")
    assert [(note.level, note.where) for note in service.notes] == [
        ("info", "serverless.yml:5:11"),
        ("info", "serverless.yml:5:43"),
        ("warning", "serverless.yml:5:63"),
        ("warning", "serverless.yml:5:80"),
    ]
    assert "`bareboat serve`" in service.notes[1].text
    assert "wsgi_handler.py is not made" in service.notes[2].text


def test_plugins_are_read_in_the_long_form(load):
    assert load(HEAD + "plugins: {localPath: x, modules: [a]}\n").plugins == ("a",)


@pytest.mark.parametrize(
    "line",
    ["frameworkVersion: '2'", "configValidationMode: off", "variablesResolutionMode: 20210326", "org: x", "app: y"],
)
def test_keys_without_a_meaning_are_one_note(load, line):
    (note,) = load(HEAD + line + "\n").notes

    assert note.level == "info"
    assert "has no meaning here" in note.text
    assert note.where == "serverless.yml:5:1"


def test_values_tell_where_they_come_from(load):
    service = load(
        HEAD
        + "  memorySize: ${opt:none, 256}\nfunctions:\n  a:\n    handler: handler.predict\n    timeout: 9\n"
        + "    environment: {SECRET: '${env:S}', PLAIN: p}\n",
        stage="prod",
        env={"S": "hidden", "BAREBOAT_REGION": "eu-west-1"},
    )

    values = {value.path: (value.value, value.origin) for value in service.values}
    assert values["service"] == ("demo", "serverless.yml:1:10")
    assert values["provider.stage"] == ("prod", "--stage")
    assert values["provider.region"] == ("eu-west-1", "BAREBOAT_REGION")
    assert values["functions.a.memorySize"] == (256, "provider.memorySize serverless.yml:5:15 ${opt:none, 256}")
    assert values["functions.a.timeout"] == (9, "serverless.yml:9:14")
    assert values["functions.a.runtime"] == ("python3.13", "provider.runtime serverless.yml:4:12")
    assert values["functions.a.architecture"] == ("x86_64", "default")
    assert values["functions.a.environment.PLAIN"] == ("p", "serverless.yml:10:46")
    assert values["functions.a.environment.SECRET"][0] == "(6 characters)"


def test_functions_may_come_from_a_file(load, folder):
    (folder / "functions.yml").write_text("predict:\n  handler: nowhere.run\n  memorySize: 1\n")

    with pytest.raises(ConfigurationError) as caught:
        load(HEAD + "functions: ${file(functions.yml)}\n")

    assert [problem.where for problem in caught.value.problems] == ["functions.yml:2:12", "functions.yml:3:15"]


def test_each_event_is_among_the_values(load):
    service = load(
        HEAD
        + "functions: {a: {handler: handler.predict, events: [{httpApi: '*'}, {http: GET b}, {schedule: rate(1 day)},"
        " {sqs: 'arn:aws:sqs:x'}]}}"
    )

    assert [(value.path, value.value) for value in service.values if ".events[" in value.path] == [
        ("functions.a.events[0].httpApi", "$default"),
        ("functions.a.events[1].http", "GET /b"),
        ("functions.a.events[2].schedule", "rate(1 day)"),
        ("functions.a.events[3].sqs", "arn:aws:sqs:x"),
    ]


def test_layers_of_aws_are_said_not_to_be_there_locally(load):
    service = load(HEAD + "  layers: ['arn:aws:lambda:x']\n" + "functions: {a: {handler: handler.predict}}")

    (note,) = service.notes
    assert note.level == "warning"
    assert "arn:aws:lambda:x lies on AWS" in note.text


TEXTS = ["", "x", "a\0b", "GET /x", "${", "${self:service}", "${ssm:/x}", "${opt:a}", "${self:functions}"]
NAMES = ["Ref", "a", "name", "httpApi", "path", "method", "patterns"]
SCALARS = st.none() | st.booleans() | st.integers(-5, 2000) | st.floats(-10, 10) | st.sampled_from(TEXTS)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)
KEYS = sorted({*known_keys(FunctionKeys), "nope"})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    function=st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4),
    provider=st.dictionaries(st.sampled_from(sorted(known_keys(ProviderKeys))), JSON, max_size=3),
    top=st.dictionaries(st.sampled_from(sorted(known_keys(ServerlessKeys))), JSON, max_size=2),
)
def test_any_values_load_or_are_refused_with_a_place(folder, function, provider, top):
    document = {
        "service": "demo",
        "functions": {"a": {"handler": "handler.predict", **function}},
        "provider": {"name": "aws", "runtime": "python3.13", **provider},
        **top,
    }
    (folder / "serverless.yml").write_text(json.dumps(document))

    try:
        load_service(folder, env={})
    except ConfigurationError as error:
        problems = error.problems
    else:
        problems = ()

    assert all(problem.where.startswith("serverless.yml:") for problem in problems)


@pytest.mark.parametrize(
    ("custom", "level"),
    [
        ("{}", "safe"),
        ("{pythonRequirements: {slim: true}}", "safe"),
        ("{pythonRequirements: {slim: false}}", "none"),
        ("{bareboat: {slim: max}, pythonRequirements: {slim: false}}", "max"),
        ("{bareboat: {slim: none}}", "none"),
        ("{bareboat: {slim: null}}", "safe"),
    ],
)
def test_the_level_of_slimming(load, custom, level):
    assert load(HEAD + f"custom: {custom}\n").slim == level


@pytest.mark.parametrize("value", ["maximum", "true", "[max]", "3"])
def test_a_level_of_slimming_that_is_none(load, value):
    with pytest.raises(ConfigurationError, match=r"custom\.bareboat\.slim is"):
        load(HEAD + f"custom: {{bareboat: {{slim: {value}}}}}\n")
