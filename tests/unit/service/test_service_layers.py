"""Layers: what serverless.yml may say of them, and how functions refer to them."""

from __future__ import annotations

import pytest

HEAD = "service: demo\nprovider:\n  name: aws\n  runtime: python3.13\n"
ONE = "functions: {predict: {handler: handler.predict, layers: [%s]}}\n"
DEPS = "layers: {my-deps: {requirements: [numpy]}}\n"


@pytest.fixture(autouse=True)
def layer_folder(folder):
    (folder / "own" / "python").mkdir(parents=True)
    (folder / "layer.txt").write_text("numpy\n")
    (folder / "ready.zip").write_bytes(b"PK")


# aws-compile/layers of Serverless: `-` is Dash, `_` is Underscore, the first letter is capital
@pytest.mark.parametrize(
    ("name", "logical"),
    [
        ("deps", "DepsLambdaLayer"),
        ("my-deps", "MyDashdepsLambdaLayer"),
        ("my_deps", "MyUnderscoredepsLambdaLayer"),
        ("aB1", "AB1LambdaLayer"),
    ],
)
def test_a_layer_is_called_as_serverless_calls_it(load, name, logical):
    service = load(HEAD + f"layers: {{{name}: {{path: own}}}}\n" + ONE % f"{{Ref: {logical}}}")

    assert service.layers[name].logical_id == logical
    assert service.functions["predict"].own_layers == (name,)


@pytest.mark.parametrize(
    "said", ["{Ref: MyDashdepsLambdaLayer}", "my-deps", "MyDashdepsLambdaLayer", "!Ref MyDashdepsLambdaLayer"]
)
def test_a_function_names_a_layer_by_ref_or_by_name(load, said):
    service = load(HEAD + DEPS + ONE % said)

    assert service.functions["predict"].own_layers == ("my-deps",)
    assert service.notes == ()


def test_functions_inherit_the_layers_of_the_provider_or_have_their_own(load):
    service = load(
        HEAD + "  layers: [my-deps]\n" + DEPS + "functions:\n  a: {handler: handler.predict}\n"
        "  b: {handler: handler.predict, layers: []}\n"
    )

    assert service.functions["a"].own_layers == ("my-deps",)
    assert service.functions["b"].own_layers == ()


def test_all_keys_of_a_layer_are_read(load, folder):
    layer = load(
        HEAD
        + """layers:
  l:
    path: own
    requirements: layer.txt
    name: demo-l
    description: libraries
    package: {patterns: ['!**/*.md']}
    compatibleRuntimes: [python3.13]
    compatibleArchitectures: [arm64]
    licenseInfo: MIT
    allowedAccounts: ['*']
    retain: true
"""
    ).layers["l"]

    assert (layer.path, layer.requirements, layer.patterns) == (folder / "own", folder / "layer.txt", ("!**/*.md",))
    assert (layer.full_name, layer.description, layer.license, layer.retain) == ("demo-l", "libraries", "MIT", True)
    assert (layer.runtimes, layer.architectures, layer.allowed_accounts) == (("python3.13",), ("arm64",), ("*",))
    assert (layer.python, layer.architecture) == ("3.13", "arm64")


def test_a_layer_is_built_for_the_functions_that_have_it(load):
    service = load(
        HEAD + DEPS + "functions: {a: {handler: handler.predict, layers: [my-deps], runtime: python3.12, "
        "architecture: arm64}}\n"
    )

    assert (service.layers["my-deps"].python, service.layers["my-deps"].architecture) == ("3.12", "arm64")


def test_requirements_of_functions_that_run_on_different_machines_are_refused(refuse):
    (problem,) = refuse(
        HEAD + DEPS + "functions:\n  a: {handler: handler.predict, layers: [my-deps]}\n"
        "  b: {handler: handler.predict, layers: [my-deps], architecture: arm64}\n"
    )

    assert problem.found == ("the layer my-deps is of functions for python3.13 on x86_64 and python3.13 on arm64")
    assert problem.where == "serverless.yml:5:10"


def test_a_layer_that_says_it_is_for_another_runtime_is_warned_of(load):
    service = load(
        HEAD
        + "layers: {l: {path: own, compatibleRuntimes: [python3.12], compatibleArchitectures: [arm64]}}\n"
        + ONE % "l"
    )

    assert [note.text for note in service.notes] == [
        "the layer l is for python3.12, and functions.predict has it on python3.13",
        "the layer l is for arm64, and functions.predict has it on x86_64",
    ]


def test_the_layer_of_the_plugin_has_what_the_project_needs(load):
    service = load(
        HEAD + "custom: {pythonRequirements: {layer: true}}\n" + ONE % "{Ref: PythonRequirementsLambdaLayer}"
    )

    layer = service.layers["pythonRequirements"]
    assert (layer.requirements, layer.full_name) == ("project", "demo-dev-python-requirements")
    assert service.functions["predict"].own_layers == ("pythonRequirements",)


def test_the_layer_of_the_plugin_takes_a_layer_s_keys(load, refuse):
    text = HEAD + "custom: {pythonRequirements: {layer: {name: deps, description: d, %s}}}\n"

    layer = load(text % "compatibleRuntimes: [python3.13]").layers["pythonRequirements"]

    assert (layer.full_name, layer.description, layer.runtimes) == ("deps", "d", ("python3.13",))
    assert "layer has path" in refuse(text % "path: own")[0].found


ARN = "'arn:aws:lambda:us-east-1:123456789012:layer:l:1'"


@pytest.mark.parametrize("said", [ARN, "{Fn::ImportValue: shared}", "{Ref: Given}", "!Sub '${Given}'"])
def test_what_lies_on_aws_is_a_warning(load, said):
    service = load(HEAD + DEPS + ONE % said + "resources: {Parameters: {Given: {Type: String}}}\n")

    assert service.functions["predict"].own_layers == ()
    (note,) = service.notes
    assert note.level == "warning"
    assert "neither counted into the function's 262,144,000 bytes nor there" in note.text


@pytest.mark.parametrize(
    ("said", "found", "fix"),
    [
        (
            "{Ref: MyDepsLambdaLayer}",
            "functions.predict.layers names {Ref: MyDepsLambdaLayer}",
            "write MyDashdepsLambdaLayer",
        ),
        ("{Ref: my-deps}", "functions.predict.layers names {Ref: my-deps}", "write MyDashdepsLambdaLayer"),
        ("mydeps", "functions.predict.layers names 'mydeps'", "write my-deps"),
        ("my-deps, my-deps", "functions.predict.layers names my-deps twice", ""),
        ("my-deps, {Ref: MyDashdepsLambdaLayer}", "functions.predict.layers names my-deps twice", ""),
    ],
)
def test_a_reference_to_nothing_or_twice_is_refused(refuse, said, found, fix):
    (problem,) = refuse(HEAD + DEPS + ONE % said)

    assert problem.found.startswith(found)
    assert problem.fix == fix


def test_more_than_five_layers_are_refused(refuse):
    names = [f"l{number}" for number in range(6)]
    layers = ", ".join(f"{name}: {{path: own}}" for name in names)

    (problem,) = refuse(HEAD + f"layers: {{{layers}}}\n" + ONE % ", ".join(names))

    assert problem.found == "functions.predict.layers has 6 layers"
    assert problem.expected == "at most 5, Lambda's limit"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("{}", "layers.l has nothing in it"),
        ("{description: d}", "layers.l has nothing in it"),
        ("{path: nowhere}", "layers.l.path: there is no folder nowhere"),
        ("{path: layer.txt}", "layers.l.path: there is no folder layer.txt, it is a file"),
        ("{requirements: nowhere.txt}", "layers.l.requirements: there is no file nowhere.txt"),
        ("{requirements: []}", "layers.l.requirements is empty"),
        ("{package: {artifact: no.zip}}", "layers.l.package.artifact: there is no file no.zip"),
        ("{package: {artifact: ready.zip}, requirements: [a]}", "layers.l has package.artifact and requirements"),
        ("{pth: own}", "l has no key 'pth'"),
        ("{path: own, name: 'a b'}", "layers.l.name is 'a b'"),
        ("{path: own, licenseInfo: %s}" % ("x" * 513), "layers.l.licenseInfo is"),
    ],
)
def test_a_layer_that_cannot_be_made_is_refused(refuse, body, found):
    problems = refuse(HEAD + f"layers: {{l: {body}}}\nfunctions: {{f: {{handler: handler.f, layers: [l]}}}}\n")

    assert any(found in problem.found for problem in problems)
    assert not any("no such layer" in problem.found for problem in problems)


def test_a_requirement_that_stands_for_a_file_is_told_how_to_be_a_list(refuse):
    (problem,) = refuse(HEAD + "layers: {l: {requirements: 'numpy>=2'}}\n")

    assert problem.fix == "requirements: ['numpy>=2']"


@pytest.mark.parametrize("names", ["'a b'", "a-b, aDashb"])
def test_names_that_aws_does_not_take_are_refused(refuse, names):
    layers = ", ".join(f"{name}: {{path: own}}" for name in names.split(", "))

    assert refuse(HEAD + f"layers: {{{layers}}}\n")


def test_zip_true_is_taken_with_the_price_of_what_it_asked_for(load):
    (note,) = load(HEAD + "custom: {pythonRequirements: {zip: true}}\n").notes

    assert note.level == "info"
    assert "89 times" in note.text
    assert "import unzip_requirements` goes on working" in note.text
