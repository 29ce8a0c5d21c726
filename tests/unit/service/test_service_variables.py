"""`${...}`: syntax, sources, defaults, circles."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bareboat.service.syntax import Literal, VariableSyntaxError, parse

HEAD = "service: demo\nprovider:\n  name: aws\n  runtime: python3.13\n"


@pytest.fixture
def resolved(load):
    """Resolve `custom.bareboat` (indented by four) and return it."""

    def resolved(body: str, head: str = HEAD, **arguments):
        lines = "\n".join(f"    {line}" for line in dedent(body).strip("\n").splitlines())
        return load(f"{head}custom:\n  bareboat:\n{lines}\n", **arguments).custom_bareboat

    return resolved


@pytest.fixture
def unresolved(refuse):
    def unresolved(body: str, head: str = HEAD, **arguments):
        lines = "\n".join(f"    {line}" for line in dedent(body).strip("\n").splitlines())
        return refuse(f"{head}custom:\n  bareboat:\n{lines}\n", **arguments)

    return unresolved


# The expected values of this test and the next were printed by osls 4.3.1 (`osls print`).
def test_text_without_variables_is_left_alone(resolved):
    found = resolved(
        r"""
        sub: !Sub "${AWS::Region}-${sls:stage}"
        escaped: \${self:service}
        plain: ${x}
        """
    )

    assert found == {
        "sub": {"Fn::Sub": "${AWS::Region}-dev"},
        "escaped": "${self:service}",
        "plain": "${x}",
    }


def test_defaults_keep_their_types(resolved):
    found = resolved(
        """
        text: ${opt:none, 'a, b'}
        number: ${opt:none, 12}
        within: "n${opt:none, 12}"
        boolean: ${opt:none, false}
        double: ${opt:none, "a\\"b"}
        """
    )

    assert found == {"text": "a, b", "number": 12, "within": "n12", "boolean": False, "double": 'a"b'}


def test_self_brings_whole_mappings_and_nests(resolved):
    found = resolved(
        """
        dev: {name: one, deep: {x: [1, 2]}}
        chosen: ${self:custom.bareboat.${sls:stage}}
        item: ${self:custom.bareboat.dev.deep.x.1}
        through: ${self:custom.bareboat.chosen.deep.x.0}
        name: ${self:service}-${self:custom.bareboat.dev.name}
        """
    )

    assert found["chosen"] == {"name": "one", "deep": {"x": [1, 2]}}
    assert found["item"] == 2
    assert found["through"] == 1
    assert found["name"] == "demo-one"


def test_provider_stage_and_region_have_their_defaults(resolved):
    found = resolved("a: ${self:provider.stage}\nb: ${self:provider.region}\nc: ${aws:region}")

    assert found == {"a": "dev", "b": "us-east-1", "c": "us-east-1"}


def test_the_stage_flag_wins_over_the_variable_that_wins_over_the_file(load):
    text = HEAD.replace("  runtime", "  stage: file\n  runtime") + "custom: {bareboat: {s: '${sls:stage}'}}\n"

    def stage(**arguments):
        service = load(text, **arguments)
        assert service.custom_bareboat == {"s": service.provider.stage}
        return service.provider.stage

    assert stage() == "file"
    assert stage(env={"BAREBOAT_STAGE": "environment"}) == "environment"
    assert stage(env={"BAREBOAT_STAGE": "environment"}, stage="flag") == "flag"


def test_opt_sees_the_flags(resolved):
    found = resolved("a: ${opt:stage}\nb: ${opt:colour}", stage="prod", options={"colour": "red"})

    assert found == {"a": "prod", "b": "red"}


def test_env_reads_the_environment(resolved):
    assert resolved("a: ${env:A}\nb: ${env:B, 'none'}", env={"A": "1"}) == {"a": "1", "b": "none"}


def test_what_the_environment_says_is_no_variable(resolved):
    assert resolved("a: ${env:A}", env={"A": "${self:service}"}) == {"a": "${self:service}"}


def test_dotenv_of_the_stage_is_read_when_asked_for(resolved, folder):
    (folder / ".env").write_text("A=plain\n")
    (folder / ".env.prod").write_text("A=prod\nB=b\n")
    head = "useDotenv: true\n" + HEAD

    assert resolved("a: ${env:A}", head=head) == {"a": "plain"}
    assert resolved("a: ${env:A}\nb: ${env:B}", head=head, stage="prod") == {"a": "prod", "b": "b"}
    assert resolved("a: ${env:A}", head=head, env={"A": "process"}) == {"a": "process"}


def test_dotenv_is_not_read_unasked(unresolved, folder):
    (folder / ".env").write_text("A=plain\n")

    assert "${env:A} has no value" in unresolved("a: ${env:A}")[0].found


def test_params_come_from_the_flag_then_the_stage_then_default(resolved):
    head = HEAD + "params:\n  default: {a: 1, b: 2, c: '${sls:stage}'}\n  dev: {b: 3}\n  prod: {a: '${env:NONE}'}\n"

    found = resolved("a: ${param:a}\nb: ${param:b}\nc: ${param:c}\nd: ${param:d}", head=head, params={"d": "4"})

    assert found == {"a": 1, "b": 3, "c": "dev", "d": "4"}
    assert resolved("a: ${param:a}", head=HEAD + "params: {default: {a: 1}}\n", params={"a": "x"}) == {"a": "x"}


def test_files_are_read_by_their_kind(resolved, folder):
    (folder / "a.yml").write_text("x: {y: '${self:service}'}\nz: !Ref T\n")
    (folder / "b.json").write_text('{"k": [10, 20], "t": true}')
    (folder / "c.txt").write_text("text\n")

    found = resolved(
        """
        y: ${file(./a.yml):x.y}
        whole: ${file(a.yml)}
        second: ${file(b.json):k.1}
        text: ${file(c.txt)}
        none: ${file(none.yml), 'default'}
        key: ${file(a.yml):q, 5}
        """
    )

    assert found == {
        "y": "demo",
        "whole": {"x": {"y": "demo"}, "z": {"Ref": "T"}},
        "second": 20,
        "text": "text\n",
        "none": "default",
        "key": 5,
    }


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("False", False), ("0", False)])
def test_str_to_bool(resolved, text, value):
    assert resolved("a: ${strToBool(${env:A})}", env={"A": text}) == {"a": value}


def test_instance_id_is_one_in_a_run(resolved):
    found = resolved("a: ${sls:instanceId}\nb: ${sls:instanceId}")

    assert found["a"] == found["b"]
    assert found["a"]


def test_aws_is_asked_through_resolvers(resolved):
    asked = []

    def ssm(address, params):
        asked.append((address, params))
        return {"k": "v"} if address == "/a" else None

    found = resolved(
        "a: ${ssm(eu-west-1, raw):/a}\nb: ${ssm:/none, 'd'}\nc: ${aws:accountId}\nd: ${cf.us-east-2:stack.Out}",
        resolvers={"ssm": ssm, "aws": lambda address, _: "123456789012", "cf": lambda address, p: f"{address} {p[0]}"},
    )

    assert found == {"a": {"k": "v"}, "b": "d", "c": "123456789012", "d": "stack.Out us-east-2"}
    assert asked == [("/a", ("eu-west-1", "raw")), ("/none", ())]


def test_without_a_resolver_the_text_stays_with_a_note(load):
    service = load(HEAD + "custom:\n  bareboat: {a: 'x-${ssm:/a}-${sls:stage}', b: \"${s3:b/k, 'd'}\"}\n")

    assert service.custom_bareboat == {"a": "x-${ssm:/a}-dev", "b": "d"}
    assert [note.text for note in service.notes] == [
        "${ssm:/a} needs AWS and is not asked for here; it stays as text",
        "${s3:b/k, 'd'} needs AWS and is not asked for here; its default 'd' is taken",
    ]


def test_a_number_that_needs_aws_is_refused(refuse_function):
    (problem,) = refuse_function("handler: handler.predict\nmemorySize: ${ssm:/memory}")

    assert problem.found == "functions.predict.memorySize is ${ssm:/memory}, which needs AWS"
    assert problem.expected == "a whole number of MB from 128 to 10240"
    assert problem.where == "serverless.yml:8:17"


def test_a_missing_value_says_what_was_tried(unresolved):
    (problem,) = unresolved("\nabc: 1\na: ${opt:x, env:Y, self:custom.bareboat.abd}")

    assert problem.found == "custom.bareboat.a: ${opt:x, env:Y, self:custom.bareboat.abd} has no value"
    assert "no --x was given" in problem.expected
    assert "Y is not in the environment" in problem.expected
    assert "'custom.bareboat' has no 'abd'" in problem.expected
    assert "rename 'abd' to 'abc'" in problem.fix
    assert problem.where == "serverless.yml:8:8"


def test_every_missing_value_is_told(unresolved):
    problems = unresolved("a: ${env:A}\nb: ${env:B}\nc: ${env:C}")

    assert [problem.where for problem in problems] == [f"serverless.yml:{line}:8" for line in (7, 8, 9)]


def test_circles_are_named(unresolved):
    problems = unresolved("a: ${self:custom.bareboat.b}\nb: x${self:custom.bareboat.a}")

    assert len(problems) == 1
    assert "custom.bareboat.a -> custom.bareboat.b -> custom.bareboat.a" in problems[0].found


def test_a_value_that_names_its_own_parent_is_a_circle(unresolved):
    assert "depends on itself" in unresolved("a: ${self:custom}")[0].found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("${opt:stage, dev}", "the default 'dev'"),
        ("${self:a", "has no closing bracket"),
        ("${opt:a, 'x}", "has no closing quote"),
        ("${slef:a}", "unknown variable source 'slef'"),
        ("${sls:nope}", "sls:nope is unknown"),
        ("${git:nope}", "git:nope is unknown"),
        ("${aws:nope}", "aws:nope is unknown"),
        ("${env:}", "'env:' names nothing"),
        ("${file():a}", "file() names no file"),
        ("${file(a.js):a}", "is a script for Node.js"),
        ("${strToBool(maybe)}", "strToBool(maybe)"),
        ("x${self:provider}", "is a mapping within text"),
    ],
)
def test_a_faulty_variable_is_refused_with_its_place(unresolved, text, found):
    (problem,) = unresolved(f'a: "{text}"')

    assert found in problem.found
    assert problem.where == "serverless.yml:7:8"


def test_an_unknown_source_names_the_nearest(unresolved):
    assert unresolved("a: ${slef:x}")[0].fix == "rename it to 'self'"


def test_a_broken_file_is_told_by_its_own_place(unresolved, folder):
    (folder / "a.json").write_text('{\n "a": }')

    assert unresolved("a: ${file(a.json):a}")[0].where == "a.json:2:7"


def test_values_that_multiply_are_refused(unresolved):
    body = ["l0: [x,x,x,x,x,x,x,x,x,x]"]
    for level in range(1, 9):
        body.append(f"l{level}:")
        body += [f"  - ${{self:custom.bareboat.l{level - 1}}}"] * 10

    assert "comes to more than 200,000 values" in unresolved("\n".join(body))[0].found


def test_text_that_multiplies_is_refused(unresolved):
    body = ["l0: xxxxxxxxxx"]
    body += [f"l{level}: " + f"${{self:custom.bareboat.l{level - 1}}}" * 10 for level in range(1, 9)]

    assert any("grows past" in problem.found for problem in unresolved("\n".join(body)))


@given(st.text("${}:,'\"()\\ abself0.", max_size=40))
def test_any_text_parses_or_is_refused(text):
    try:
        parts = parse(text)
    except VariableSyntaxError:
        return
    assert parts is None or all(parts)


def test_literals_are_what_they_say():
    (variable,) = parse("${opt:a, null}")

    assert variable.choices[1] == Literal(None)
