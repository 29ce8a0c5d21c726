"""Functions: what they inherit, what they must not have, and what is looked for on disk."""

from __future__ import annotations

import pytest

from bareboat.service.model import Feature

HEAD = "service: demo\nprovider:\n  name: aws\n  runtime: python3.13\n"
HANDLER = "handler: handler.predict\n"
MODEL = "model: lgb.model\n"


def test_defaults_are_serverless_s(function):
    found = function(HANDLER)

    assert (found.memory_mb, found.timeout_s, found.architecture, found.ephemeral_storage_mb) == (
        1024,
        6,
        "x86_64",
        512,
    )
    assert (found.full_name, found.http_api_payload) == ("demo-dev-predict", "2.0")
    assert found.reserved_concurrency is None
    assert str(found.where) == "serverless.yml:6:3"


def test_a_function_inherits_from_the_provider(function):
    head = HEAD + "  memorySize: 256\n  timeout: 20\n  architecture: arm64\n  environment: {AA: 1, BB: x}\n"
    head += "  layers: ['arn:aws:lambda:us-east-1:1:layer:l:1']\n  httpApi: {payload: '1.0'}\n  tags: {t: u}\n"

    found = function(HANDLER + "environment: {BB: y, CC: z}\ntags: {v: w}", head=head)

    assert (found.memory_mb, found.timeout_s, found.architecture) == (256, 20, "arm64")
    assert found.environment == {"AA": "1", "BB": "y", "CC": "z"}
    assert [ref.written for ref in found.layers] == ["arn:aws:lambda:us-east-1:1:layer:l:1"]
    assert found.http_api_payload == "1.0"
    assert found.options["tags"] == {"t": "u", "v": "w"}


def test_a_function_overrides_the_provider(function):
    head = HEAD + "  memorySize: 256\n  timeout: 20\n  architecture: arm64\n  httpApi: {payload: '1.0'}\n"

    found = function(
        HANDLER + "memorySize: 512\ntimeout: 3\narchitecture: x86_64\nruntime: python3.12\n"
        "httpApi: {payload: '2.0'}\nname: other\nlayers: []",
        head=head,
    )

    assert (found.memory_mb, found.timeout_s, found.architecture, found.python) == (512, 3, "x86_64", "3.12")
    assert (found.http_api_payload, found.full_name, found.layers) == ("2.0", "other", ())


def test_scalars_are_coerced_as_serverless_coerces_them(function):
    found = function(HANDLER + "timeout: '30'\nmemorySize: 512.0\ndescription: 5\npackage: {patterns: a}")

    assert (found.timeout_s, found.memory_mb, found.description) == (30, 512, "5")
    assert found.package.patterns == ("a",)


# Printed by osls 4.3.1 for the same file
def test_environment_values_are_text_as_javascript_writes_it(load, function):
    found = function(HANDLER + "environment: {XX: 012345, YY: 1.10, ZZ: true, EE: 1e30, DD: 2020-01-01, NN: null}")

    assert found.environment == {"XX": "12345", "YY": "1.1", "ZZ": "true", "EE": "1e+30", "DD": "2020-01-01"}


def test_a_leading_zero_that_is_lost_is_a_warning(load):
    service = load(HEAD + "functions: {a: {handler: handler.predict, environment: {ACCOUNT: 012345}}}")

    assert [note.text for note in service.notes] == [
        "functions.a.environment.ACCOUNT is written 012345 and becomes '12345': quote it to keep it"
    ]


def test_cloudformation_in_the_environment_is_kept_for_the_deployment(function):
    found = function(HANDLER + "environment: {TT: !Ref Table, RR: !Ref AWS::Region, SS: !Sub 'x-${AWS::StackName}'}")

    assert found.environment == {"TT": '{"Ref":"Table"}', "RR": "us-east-1", "SS": "x-demo-dev"}
    assert found.options["environment"] == {
        "TT": {"Ref": "Table"},
        "RR": {"Ref": "AWS::Region"},
        "SS": {"Fn::Sub": "x-${AWS::StackName}"},
    }


def test_a_model_function_is_read_whole(function, folder):
    (folder / "wrap.py").write_text("")
    (folder / "event.json").write_text("{}")

    found = function(
        MODEL
        + """
features: [sepal length, {name: petal length, nullable: true}]
labels: [setosa, 1, 2.5, true]
before: wrap.before
after: wrap.after
samples: [event.json, {body: '{}'}]
"""
    )

    assert found.model == (folder / "lgb.model").resolve()
    assert found.handler is None
    assert found.features == (Feature("sepal length"), Feature("petal length", nullable=True))
    assert found.labels == ("setosa", 1, 2.5, True)
    assert (found.before, found.after) == ("wrap.before", "wrap.after")
    assert found.samples == ((folder / "event.json").resolve(), {"body": "{}"})


@pytest.mark.parametrize("handler", ["pkg/mod.run", "pkg.mod.run", "pack.run"])
def test_a_handler_is_found_as_lambda_splits_it(function, folder, handler):
    (folder / "pkg").mkdir()
    (folder / "pkg" / "mod.py").write_text("")
    (folder / "pack").mkdir()
    (folder / "pack" / "__init__.py").write_text("")

    assert function(f"handler: {handler}").handler == handler


def test_a_missing_handler_names_the_file_looked_for(refuse_function):
    (problem,) = refuse_function("handler: pkg/nowhere.run")

    assert problem.found == "functions.predict.handler is 'pkg/nowhere.run', and there is no file pkg/nowhere.py"
    assert problem.where == "serverless.yml:7:14"


@pytest.mark.parametrize("handler", ["../shared.run", "/srv/app.run", "./app.run", "a..b.run"])
def test_a_handler_that_lambda_cannot_import_is_refused_by_its_form(refuse_function, handler):
    (problem,) = refuse_function(f"handler: {handler}")

    assert problem.found == f"functions.predict.handler is '{handler}'"


def test_a_handler_from_a_requirement_or_a_layer_is_taken(load, folder):
    (folder / "requirements.txt").write_text("Datadog-Lambda==5\n")
    text = HEAD + "functions:\n  a: {handler: datadog_lambda.handler.handler}\n"
    text += "  b: {handler: other.run, layers: ['arn:aws:lambda:us-east-1:1:layer:l:1']}\n"

    service = load(text)

    assert set(service.functions) == {"a", "b"}
    assert "a layer must bring it" in service.notes[0].text


def test_wsgi_handler_is_a_warning_beside_its_plugin(load):
    service = load(HEAD + "plugins: [serverless-wsgi]\nfunctions:\n  a: {handler: wsgi_handler.handler}\n")

    assert any("wsgi_handler.py is made by the plugin" in note.text for note in service.notes)


@pytest.mark.parametrize(
    ("runtime", "python"),
    [
        ("python2.7", "3.13"),
        ("python3.7", "3.13"),
        ("python3.8", "3.13"),
        ("python3.9", "3.13"),
        ("python3.10", "3.10"),
        ("python3.12", "3.12"),
        ("python3.14", "3.14"),
    ],
)
def test_retired_runtimes_are_run_as_python313(load, runtime, python):
    service = load(HEAD.replace("python3.13", runtime) + "functions: {a: {handler: handler.predict}}")

    assert service.functions["a"].runtime == runtime
    assert service.functions["a"].python == python
    assert ("python3.13" in "".join(note.text for note in service.notes)) == (python == "3.13")


def test_a_function_without_a_runtime_is_told(load):
    service = load("service: demo\nprovider: aws\nfunctions: {a: {handler: handler.predict}}")

    assert service.functions["a"].python == "3.13"
    assert "declares no runtime" in service.notes[0].text


def test_an_image_function_stands_apart(load):
    service = load(HEAD + "functions:\n  a: {image: {name: app, command: [x]}}\n  b: {handler: handler.predict}\n")

    assert list(service.functions) == ["b"]
    assert service.image_functions["a"].options["image"] == {"name": "app", "command": ["x"]}
    assert any("is a container image" in note.text for note in service.notes)


@pytest.mark.parametrize(
    ("body", "found", "line"),
    [
        ("memorySize: 64", "functions.predict.memorySize is 64", 8),
        ("memorySize: 10241", "functions.predict.memorySize is 10241", 8),
        ("memorySize: 512.5", "functions.predict.memorySize is 512.5", 8),
        ("memorySize: true", "functions.predict.memorySize is true", 8),
        ("memorySize: 1536MB", "functions.predict.memorySize is '1536MB'", 8),
        ("timeout: 0", "functions.predict.timeout is 0", 8),
        ("timeout: 901", "functions.predict.timeout is 901", 8),
        ("timeout: [1]", "functions.predict.timeout is a list", 8),
        ("ephemeralStorageSize: 511", "functions.predict.ephemeralStorageSize is 511", 8),
        ("reservedConcurrency: -1", "functions.predict.reservedConcurrency is -1", 8),
        ("architecture: arm", "functions.predict.architecture is 'arm'", 8),
        ("runtime: pyhton3.12", "functions.predict.runtime is 'pyhton3.12'", 8),
        ("runtime: nodejs20.x", "functions.predict.runtime is 'nodejs20.x'; bareboat runs Python", 8),
        ("memorysize: 512", "functions.predict has no key 'memorysize'", 8),
        ("environment: [A]", "functions.predict.environment is a list", 8),
        ("environment: {AA: [1]}", "functions.predict.environment.AA is a list", 8),
        ("environment: {A: x}", "functions.predict.environment has the name 'A'", 8),
        ("environment: {1A: x}", "functions.predict.environment has the name '1A'", 8),
        ("environment: {AWS_REGION: x}", "functions.predict.environment.AWS_REGION is reserved by Lambda", 8),
        ("environment: {_HANDLER: x}", "functions.predict.environment._HANDLER is reserved by Lambda", 8),
        (f"environment: {{AA: {'x' * 4095}}}", "functions.predict.environment comes to 4,097 bytes", 8),
        ("features: [a]", "functions.predict has features and no model", 8),
        ("labels: [a]", "functions.predict has labels and no model", 8),
        ("before: handler.predict", "functions.predict has before and no model", 8),
        ("model: lgb.model", "functions.predict has handler and model", 8),
        ("samples: [none.json]", "functions.predict.samples: there is no file none.json", 8),
        ("name: a b", "functions.predict.name is 'a b'", 8),
        (f"name: {'a' * 65}", "on AWS, 65 characters", 8),
        (f"description: {'a' * 257}", "functions.predict.description is", 8),
        ("httpApi: {payload: '3.0'}", "functions.predict.httpApi.payload is '3.0'", 8),
        ("package: {artifact: none.zip}", "functions.predict.package.artifact: there is no file none.zip", 8),
        ("package: {pattern: [a]}", "functions.predict.package has no key 'pattern'", 8),
    ],
)
def test_a_faulty_setting_is_refused_with_its_line(refuse_function, body, found, line):
    (problem,) = refuse_function(HANDLER + body)

    assert found in problem.found
    assert problem.where.startswith(f"serverless.yml:{line}:")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("model: none.model", "functions.predict.model: there is no file none.model"),
        ("model: gs://bucket/key", "functions.predict.model: 'gs://bucket/key' is in a store that is not known"),
        ("model: lgb.model\nfeatures: [a, a]", "functions.predict.features has 'a' twice"),
        ("model: lgb.model\nfeatures: [{nullable: true}]", "functions.predict.features[0] has no name"),
        ("model: lgb.model\nbefore: none.run", "there is no file none.py"),
        ("model: lgb.model\nbefore: run", "functions.predict.before is 'run'"),
        ("handler: predict", "functions.predict.handler is 'predict'"),
        ("description: x", "functions.predict has neither handler nor model"),
        ("handlr: handler.predict", "functions.predict has no key 'handlr'"),
    ],
)
def test_a_faulty_model_or_handler_is_refused(refuse_function, body, found):
    (problem,) = refuse_function(body)

    assert found in problem.found


def test_a_function_name_is_checked(refuse):
    (problem,) = refuse(HEAD + "functions:\n  a.b: {handler: handler.predict}\n")

    assert problem.found == "the function name 'a.b'"
    assert problem.where == "serverless.yml:6:3"


def test_the_expected_range_is_said_in_words(refuse_function):
    (problem,) = refuse_function(HANDLER + "memorySize: 64")

    assert str(problem) == (
        "serverless.yml:8:17: functions.predict.memorySize is 64\n  expected  a whole number of MB from 128 to 10240"
    )


def test_a_misspelt_runtime_names_the_nearest(refuse_function):
    assert refuse_function(HANDLER + "runtime: pyhton3.12")[0].fix == "write python3.12"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("vpc: {subnetIDs: [a]}", "functions.predict.vpc has no key 'subnetIDs'"),
        ("logs: {logFormat: Txt}", "functions.predict.logs.logFormat is 'Txt'"),
        ("runtimeManagement: manuel", "functions.predict.runtimeManagement is 'manuel'"),
        (
            "snapStart: true\n    provisionedConcurrency: 1",
            "functions.predict has snapStart and provisionedConcurrency",
        ),
        ("fileSystemConfig: {arn: a, localMountPath: /mnt/m}", "functions.predict has fileSystemConfig and no vpc"),
        ("role: R\n    iamRoleStatements: []", "functions.predict has iamRoleStatements and role"),
    ],
)
def test_what_a_deployment_would_refuse_is_refused_here(load, refuse, body, found):
    problems = refuse(HEAD + f"functions:\n  predict:\n    handler: handler.predict\n    {body}\n")

    assert [problem.found for problem in problems] == [found]


def test_code_that_lambda_could_not_read_is_refused(refuse):
    (problem,) = refuse(HEAD + "  deploymentBucket: {sseCustomerKey: k}\nfunctions: {f: {handler: handler.predict}}\n")

    assert problem.found.startswith("provider.deploymentBucket 'sseCustomerKey' is refused: Lambda could not read")
