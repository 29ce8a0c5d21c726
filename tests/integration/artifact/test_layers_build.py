"""Layers: built beside the archives, left out of them, counted with them, and laid to where functions find them."""

from __future__ import annotations

import json
import struct
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bareboat.artifact import Artifact, LayerArtifact, LayerBuilder, build, local_target, unpack, unpack_layers
from bareboat.artifact.beside import Beside
from bareboat.artifact.dependencies import Needs, resolve_dependencies
from bareboat.artifact.locking import Locking
from bareboat.artifact.plan import make_plans
from bareboat.errors import ArtifactError, ConfigurationError, PackagingError
from bareboat.local import invoke_local
from bareboat.packaging.interpreters import find_python
from bareboat.pipeline.foreign.model import Package
from bareboat.service import load_service
from bareboat.service.model import Service

Load = Callable[..., Service]
HANDLER = "def predict(event, context):\n    return 1\n"


@pytest.fixture
def load(tmp_path: Path, python: str) -> Load:
    """Write serverless.yml (layers, functions, ...) and files; load the service."""

    def load(more: str, *, folder: str = "project", **files: str | bytes) -> Service:
        home = tmp_path / folder
        home.mkdir(exist_ok=True)
        (home / "serverless.yml").write_text(
            f"service: own\nprovider: {{name: aws, runtime: python{python}}}\n{more}", encoding="utf-8"
        )
        for name, content in {"handler.py": HANDLER, **files}.items():
            path = home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_service(home / "serverless.yml", env={})

    return load


def names(archive: Artifact | LayerArtifact) -> set[str]:
    with zipfile.ZipFile(archive.path) as opened:
        return set(opened.namelist())


def called(service: Service, name: str = "a") -> Any:
    target, _ = local_target(service.functions[name])
    artifact = build(service, function=name, target=target)[name]
    invocation = invoke_local(service, name, artifact, b"{}")
    assert invocation.error == "", invocation.payload
    return json.loads(invocation.payload)


TWO = """layers: {deps: {requirements: [idna==3.10]}}
functions:
  a: {handler: handler.predict, layers: [{Ref: DepsLambdaLayer}]}
  b: {handler: handler.predict, layers: [deps]}
  c: {handler: handler.predict}
"""


def test_a_layer_has_its_packages_below_python_and_functions_leave_them_out(load: Load, python: str) -> None:
    artifacts = build(load(TWO, **{"requirements.txt": "idna\n"}))

    (layer,) = artifacts["a"].layers
    assert {"python/idna/core.py", "python/idna-3.10.dist-info/METADATA"} <= names(layer)
    assert f"python/idna/__pycache__/core.cpython-{python.replace('.', '')}.pyc" in names(layer)
    assert all(name.startswith("python/") for name in names(layer))
    assert artifacts["a"] is artifacts["b"]
    assert "handler.py" in names(artifacts["a"])
    assert not any("idna" in name for name in names(artifacts["a"]))
    assert artifacts["a"].manifest["layers"] == [
        {"name": "deps", "sha256": layer.digest, "unzipped_bytes": layer.unzipped_bytes}
    ]
    assert artifacts["c"].layers == ()
    assert "idna/core.py" in names(artifacts["c"])


def test_a_requirement_takes_the_version_of_the_layer(load: Load) -> None:
    service = load(TWO.replace("3.10", "3.9"), **{"requirements.txt": "idna>=3\nsniffio==1.3.1\n"})

    artifacts = build(service)

    assert artifacts["a"].manifest["versions"]["packages"] == {"sniffio": "1.3.1"}


def test_another_version_than_the_layer_s_is_an_error_that_says_how_to_agree(load: Load) -> None:
    service = load(TWO, **{"requirements.txt": "idna<3.10\n"})

    with pytest.raises(PackagingError) as caught:
        build(service, function="a")

    (problem,) = caught.value.problems
    assert problem.found.startswith("functions.a, functions.b needs idna 3.9")
    assert problem.found.endswith("and the layer deps brings 3.10")
    assert problem.fix.startswith("ask for idna==3.10 in requirements.txt, or ask for idna==3.9")


@pytest.mark.parametrize(("layer", "left"), [("3.10", set()), ("3.9", None)])
def test_a_model_s_packages_may_lie_in_a_layer_in_the_very_version_that_it_needs(
    load: Load, layer: str, left: set[str] | None
) -> None:
    service = load(
        f"layers: {{deps: {{requirements: [idna=={layer}]}}}}\n"
        "functions: {a: {model: m.joblib, engine: framework, layers: [deps]}}\n",
        **{"m.joblib": b"any"},
    )
    (plan,) = make_plans(service)
    needs = Needs(((Package("idna", "3.10"), service.folder / "m.joblib"),))
    beside = Beside(LayerBuilder(service).build(plan.layers, plan.target))

    if left is None:
        with pytest.raises(PackagingError, match=r"needs idna 3\.10, and the layer deps brings 3\.9") as caught:
            resolve_dependencies(service, plan, needs, lambda _: None, locking=Locking(), beside=beside)
        assert caught.value.problems[0].fix.startswith("ask for idna==3.10 in the layer, or take the layer")
        return
    found = resolve_dependencies(service, plan, needs, lambda _: None, locking=Locking(), beside=beside)
    assert found.resolution is not None
    assert {pin.name for pin in found.resolution.pins} == left


def test_two_layers_with_two_versions_are_refused(load: Load) -> None:
    service = load(
        "layers: {old: {requirements: [idna==3.9]}, new: {requirements: [idna==3.10]}}\n"
        "functions: {a: {handler: handler.predict, layers: [old, new]}}\n"
    )

    with pytest.raises(PackagingError, match=r"the layers old and new bring idna 3\.9 and 3\.10"):
        build(service)


OWN = """layers: {tools: {path: layer}}
functions: {a: {handler: handler.predict, layers: [tools]}}
"""
TOOLS = {
    "layer/python/shared.py": "WHO = 'tools'\n",
    "layer/python/mine-1.5.dist-info/METADATA": "Name: mine\nVersion: 1.5\n",
    "layer/bin/tool": "#!/bin/sh\necho hello\n",
    "layer/data/table.csv": "a,b\n",
}


def test_a_folder_ships_as_it_is_and_not_with_the_functions(load: Load, python: str) -> None:
    artifact = build(load(OWN, **TOOLS))["a"]

    (layer,) = artifact.layers
    compiled = f"python/__pycache__/shared.cpython-{python.replace('.', '')}.pyc"
    assert names(layer) == {*(name.removeprefix("layer/") for name in TOOLS), compiled}
    assert not any(name.startswith("layer") for name in names(artifact))
    with zipfile.ZipFile(layer.path) as opened:
        assert opened.getinfo("bin/tool").external_attr >> 16 == 0o100755
        assert opened.getinfo("data/table.csv").external_attr >> 16 == 0o100644
    assert layer.manifest["versions"]["packages"] == {"mine": "1.5"}


def test_a_folder_with_nothing_where_lambda_looks_is_warned_of(load: Load) -> None:
    artifact = build(load(OWN, **{"layer/shared.py": "WHO = 1\n"}))["a"]

    (note,) = artifact.layers[0].notes
    assert note.text.startswith("the layer tools has no folder python, lib or bin")
    assert note.where == "serverless.yml:3:10"


def test_an_unchanged_layer_is_not_built_again_and_a_changed_one_renews_its_functions(load: Load) -> None:
    service = load(OWN, **TOOLS)
    first, again = build(service)["a"], build(service)["a"]
    changed = build(load(OWN, **{**TOOLS, "layer/python/shared.py": "WHO = 'others'\n"}))["a"]

    assert not first.layers[0].reused
    assert again.reused
    assert again.layers[0].reused
    assert again.layers[0].digest == first.layers[0].digest
    assert not changed.reused
    assert changed.layers[0].digest != first.layers[0].digest
    assert changed.manifest["layers"][0]["sha256"] == changed.layers[0].digest


def test_a_layer_has_the_same_bytes_in_another_place(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = OWN.replace("path: layer", "path: layer, requirements: [idna==3.10]")
    here = build(load(text, **TOOLS))["a"]
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "another cache"))

    there = build(load(text, folder="another place", **TOOLS))["a"]

    assert there.layers[0].digest == here.layers[0].digest
    assert there.digest == here.digest


def test_layers_that_no_function_has_are_built_when_asked_for(load: Load) -> None:
    service = load(OWN.replace("{tools: {path: layer}}", "{tools: {path: layer}, idle: {path: layer}}"), **TOOLS)
    builder = LayerBuilder(service)
    build(service, layers=builder)

    (idle,) = builder.build_rest()

    assert idle.name == "idle"
    assert idle.target.python == service.functions["a"].python


def test_the_plugin_s_layer_has_all_and_only_who_refers_to_it_leaves_it_out(load: Load) -> None:
    service = load(
        "custom: {pythonRequirements: {layer: true}}\nfunctions:\n"
        "  a: {handler: handler.predict, layers: [{Ref: PythonRequirementsLambdaLayer}]}\n"
        "  b: {handler: handler.predict}\n",
        **{"requirements.txt": "idna==3.10\n"},
    )

    artifacts = build(service)

    assert artifacts["a"].layers[0].manifest["versions"]["packages"] == {"idna": "3.10"}
    assert artifacts["a"].manifest["versions"]["packages"] == {}
    assert artifacts["b"].manifest["versions"]["packages"] == {"idna": "3.10"}


def test_layers_count_into_the_limit_with_each_ones_share(load: Load) -> None:
    files = {"layer/python/large.bin": b"\0" * 3_000_000, "own.bin": b"\0" * 2_000_000}
    service = load(OWN, **files)

    with pytest.raises(PackagingError) as caught:
        build(service, limit_bytes=4_000_000)

    (problem,) = caught.value.problems
    assert problem.found.endswith("bytes with its layers: 2.0 MB its own, 3.0 MB the layer tools")
    assert problem.expected == "at most 4,000,000 bytes, Lambda's limit; what lies in a layer counts too"


def test_a_layer_over_the_limit_alone_is_told_that_it_raises_none(load: Load) -> None:
    service = load(OWN, **{"layer/python/large.bin": b"\0" * 3_000_000})

    with pytest.raises(PackagingError, match=r"the layer tools has 3,000,000 bytes") as caught:
        build(service, limit_bytes=2_000_000)

    assert caught.value.problems[0].fix.startswith("a layer raises no limit")


def zipped(**files: str | bytes) -> bytes:
    import io

    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


READY = OWN.replace("path: layer", "package: {artifact: ready.zip}")


def test_a_ready_zip_is_taken_as_it_is(load: Load) -> None:
    data = zipped(**{"python/shared.py": "WHO = 'zip'\n", "python/idna-3.10.dist-info/METADATA": "Name: idna\n"})
    service = load(
        READY,
        **{
            "ready.zip": data,
            "requirements.txt": "idna\n",
            "handler.py": "import shared\npredict = lambda *_: shared.WHO\n",
        },
    )

    artifact = build(service)["a"]

    assert artifact.layers[0].path == service.folder / "ready.zip"
    assert artifact.manifest["versions"]["packages"] == {}
    assert called(service) == "zip"


def test_what_the_code_of_a_layer_loads_must_load(load: Load) -> None:
    names = b"\0libexotic.so.2\0"
    tags = b"".join(struct.pack("<qQ", *tag) for tag in ((1, 1), (5, 176), (10, len(names)), (0, 0)))
    size = 176 + len(names) + len(tags)
    segments = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, size, size, 4096)
    begin = 176 + len(names)
    segments += struct.pack("<IIQQQQQQ", 2, 5, begin, begin, begin, len(tags), len(tags), 8)
    head = struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0)
    library = b"\x7fELF\x02\x01\x01" + bytes(9) + head + segments + names + tags
    files = {"python/p/lib_p.so": library, "python/p/__init__.py": "import ctypes\nctypes.CDLL('lib_p.so')\n"}

    with pytest.raises(PackagingError, match=r"libexotic\.so\.2 is missing; wanted by /opt/python/p/lib_p\.so"):
        build(load(READY, **{"ready.zip": zipped(**files)}))


@pytest.mark.parametrize(("data", "found"), [(b"PK no zip", "is no zip"), (zipped(**{"../x": ""}), "leads out")])
def test_a_ready_zip_that_is_none_is_refused(load: Load, data: bytes, found: str) -> None:
    with pytest.raises(ArtifactError, match=found):
        build(load(READY, **{"ready.zip": data}))


def test_a_link_out_of_the_layer_is_refused(load: Load, tmp_path: Path) -> None:
    service = load(OWN, **TOOLS)
    (tmp_path / "secret").write_text("x")
    (service.folder / "layer" / "python" / "link").symlink_to(tmp_path / "secret")

    with pytest.raises(PackagingError, match="link is a link to"):
        build(service)


WHERE = """import json, os, subprocess, sys
import both, shared
def predict(event, context):
    return {
        "both": both.FROM, "shared": shared.__file__, "path": sys.path,
        "libraries": os.environ["LD_LIBRARY_PATH"].split(os.pathsep), "commands": os.environ["PATH"].split(os.pathsep),
        "tool": subprocess.run(["tool"], capture_output=True, text=True).stdout,
    }
"""
LAID = """layers: {first: {path: one}, second: {path: two}}
functions: {a: {handler: handler.predict, layers: [first, second]}}
"""
FILES = {
    "handler.py": WHERE,
    "one/python/both.py": "FROM = 'first'\n",
    "two/python/both.py": "FROM = 'second, which is laid over it'\n",
    "one/python/shared.py": "WHO = 1\n",
    "two/bin/tool": "#!/bin/sh\necho from a layer\n",
}


# AWS Lambda, "Working with layers for Python": /var/task, /opt/python/lib/python3.X/site-packages, /opt/python
@pytest.mark.parametrize("client", ["aws", "own"])
def test_functions_find_layers_in_lambda_s_order(
    load: Load, python: str, monkeypatch: pytest.MonkeyPatch, client: str
) -> None:
    monkeypatch.setenv("BAREBOAT_RUNTIME_CLIENT", client)

    found = called(load(LAID, **FILES))

    opt = str(Path(found["shared"]).parents[1])
    assert found["both"] == "second, which is laid over it"
    assert found["path"][1:3] == [f"{opt}/python/lib/python{python}/site-packages", f"{opt}/python"]
    assert found["libraries"] == [found["path"][0], f"{found['path'][0]}/lib", f"{opt}/lib"]
    assert found["commands"][-1] == f"{opt}/bin"
    assert found["tool"] == "from a layer\n"


def test_the_function_s_own_module_hides_a_layer_s(load: Load) -> None:
    own = {**FILES, "both.py": "FROM = 'the function'\n"}

    assert called(load(LAID, **own))["both"] == "the function"


def test_a_pythonpath_of_the_function_stands_in_place_of_lambda_s(load: Load) -> None:
    # bootstrap.py of the runtime adds /opt/python only where PYTHONPATH is not set
    variable = LAID.replace("layers: [first", "environment: {PYTHONPATH: /opt/elsewhere}, layers: [first")
    handler = "import sys\ntry:\n    import both\nexcept ImportError:\n    both = None\nimport elsewhere\n"
    handler += "def predict(event, context):\n    return [both is None, elsewhere.FROM]\n"
    files = {**FILES, "handler.py": handler, "two/elsewhere/elsewhere.py": "FROM = 'elsewhere'\n"}

    assert called(load(variable, **files)) == [True, "elsewhere"]


def test_a_handler_may_come_from_a_layer(load: Load) -> None:
    service = load(
        "layers: {code: {path: layer}}\nfunctions: {a: {handler: served.predict, layers: [code]}}\n",
        **{"layer/python/served.py": "def predict(event, context):\n    return 'served'\n"},
    )

    assert called(service) == "served"


def test_a_handler_in_no_layer_is_missing_unless_one_lies_on_aws(load: Load) -> None:
    text = "layers: {code: {path: layer}}\nfunctions: {a: {handler: served.predict, layers: [code%s]}}\n"
    files = {"layer/python/other.py": ""}

    with pytest.raises(ConfigurationError, match=r"there is no served\.py"):
        build(load(text % "", **files))
    assert build(load(text % ", 'arn:aws:lambda:us-east-1:1:layer:l:1'", **files))["a"].layers[0].name == "code"


def test_the_folder_of_layers_is_made_whole_again(load: Load) -> None:
    artifact = build(load(LAID, **FILES))["a"]
    opt = unpack_layers(artifact.layers)
    assert opt is not None
    (opt / "python" / "both.py").write_text("FROM = 'somebody, and longer than it was'\n")
    (opt / "python" / "stray.py").write_text("")

    assert unpack_layers(artifact.layers) == opt
    assert (opt / "python" / "both.py").read_text() == FILES["two/python/both.py"]
    unpack_layers(artifact.layers)
    assert not (opt / "python" / "stray.py").exists()


@pytest.fixture
def libraries(tmp_path: Path, system_command: Callable[[str], str]) -> dict[str, bytes]:
    """A library, and another that needs it."""
    compiler = system_command("cc")
    (tmp_path / "own.c").write_text("int own(void) { return 42; }\n")
    (tmp_path / "needs.c").write_text("int own(void); int needs(void) { return own(); }\n")
    shared = [compiler, "-shared", "-fPIC", "-nostdlib"]
    subprocess.run([*shared, "-Wl,-soname,libown.so.1", "own.c", "-o", "libown.so.1"], cwd=tmp_path, check=True)
    subprocess.run([*shared, "needs.c", "./libown.so.1", "-o", "needs.so"], cwd=tmp_path, check=True)
    return {name: (tmp_path / name).read_bytes() for name in ("libown.so.1", "needs.so")}


CALLS = "import ctypes, pathlib\nNEEDS = ctypes.CDLL(str(pathlib.Path(__file__).with_name('needs.so')))\n"
CALLS += "def predict(event, context):\n    return NEEDS.needs()\n"


def test_a_library_of_a_layer_serves_the_function_s_files(load: Load, libraries: dict[str, bytes]) -> None:
    files = {"handler.py": CALLS, "needs.so": libraries["needs.so"]}
    service = load(OWN, **files, **{"layer/lib/libown.so.1": libraries["libown.so.1"]})

    assert called(service) == 42


def test_a_library_in_no_layer_is_missing(load: Load, libraries: dict[str, bytes]) -> None:
    alone = load(OWN, **{"layer/python/needs.so": libraries["needs.so"]})

    with pytest.raises(PackagingError, match=r"libown\.so\.1 is missing; wanted by /opt/python/needs\.so"):
        build(alone)

    both = load(
        OWN.replace("{tools: {path: layer}}", "{tools: {path: layer}, libs: {path: libs}}").replace(
            "[tools]", "[tools, libs]"
        ),
        **{"libs/lib/libown.so.1": libraries["libown.so.1"]},
    )
    assert [layer.name for layer in build(both)["a"].layers] == ["tools", "libs"]


def test_functions_with_other_layers_have_archives_of_their_own(load: Load) -> None:
    many = [f"layer-with-a-long-name-{number}" for number in range(4)]
    layers = ", ".join(f"{name}: {{path: layer}}" for name in many)
    service = load(
        f"layers: {{{layers}}}\nfunctions:\n  a: {{handler: handler.predict, layers: [{', '.join(many)}]}}\n"
        f"  b: {{handler: handler.predict, layers: [{many[0]}]}}\n  c: {{handler: handler.predict}}\n",
        **TOOLS,
    )

    artifacts = build(service)

    assert len({artifact.path for artifact in artifacts.values()}) == 3
    assert [len(artifacts[name].layers) for name in "abc"] == [4, 1, 0]
    assert all(len(artifact.path.name) < 120 for artifact in artifacts.values())


ZIPPED = """custom: {pythonRequirements: {zip: true}}
functions: {a: {handler: handler.predict}}
"""
IDIOM = "try:\n    import unzip_requirements\nexcept ImportError:\n    pass\n"
BARE = "import unzip_requirements\n"
THEN = "import idna\ndef predict(event, context):\n    return idna.__version__\n"
# what serverless-python-requirements leaves in the folder with cleanupZipHelper: false
HELPER = "import zipfile\nzipfile.ZipFile('.requirements.zip').extractall('/tmp/sls-py-req')\n"


@pytest.mark.parametrize("first", [IDIOM, BARE])
@pytest.mark.parametrize("left", [{}, {"unzip_requirements.py": HELPER, ".requirements.zip": b"PK"}])
def test_what_zip_true_asks_of_a_handler_goes_on_working(load: Load, first: str, left: dict[str, str | bytes]) -> None:
    service = load(ZIPPED, **{"handler.py": first + THEN, "requirements.txt": "idna==3.10\n", **left})

    assert called(service) == "3.10"
    assert ".requirements.zip" not in names(build(service)["a"])


def test_a_module_of_ones_own_called_unzip_requirements_stays(load: Load) -> None:
    mine = "WHO = 'mine'\n"
    artifact = build(load(ZIPPED, **{"unzip_requirements.py": mine}))["a"]

    assert (unpack(artifact) / "unzip_requirements.py").read_text() == mine


def test_bytecode_of_a_layer_is_taken_and_tracebacks_name_its_files(load: Load, python: str) -> None:
    service = load(OWN, **{"layer/python/shared.py": "def fail():\n    raise ValueError('here')\n"})
    opt = unpack_layers(build(service)["a"].layers)
    interpreter = find_python(python)
    assert opt is not None
    assert interpreter is not None
    code = "import shared, traceback\ntry:\n    shared.fail()\nexcept ValueError as e:\n"
    code += "    print(e.__traceback__.tb_next.tb_frame.f_code.co_filename)"
    source = opt / "python" / "shared.py"

    done = subprocess.run(
        [str(interpreter.path), "-S", "-B", "-v", "-c", code], env={"PYTHONPATH": str(opt / "python")},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip

    assert done.stdout.strip() == str(source)
    assert f"code object from '{opt}/python/__pycache__/shared.cpython" in done.stderr


LAZY = {
    "lazy/__init__.py": "import os\ndef table():\n"
    "    return open(os.path.join(os.path.dirname(__file__), 'tests', 'table.json')).read()\n",
    "lazy/tests/__init__.py": "",
    "lazy/tests/table.json": "[1, 2]",
    "lazy/tests/test_it.py": "",
}
SAMPLED = """layers: {deps: {requirements: ['./lazy-1.0-py3-none-any.whl']}}
functions: {a: {handler: handler.predict, layers: [deps], samples: [{}]}}
"""


def wheel(name: str, files: dict[str, str]) -> bytes:
    info = f"{name}-1.0.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    return zipped(**files, **{f"{info}/RECORD": "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))})


@pytest.mark.parametrize("architecture", ["x86_64", "arm64"])
def test_a_slimmed_layer_is_proved_with_the_functions_that_have_it(load: Load, architecture: str) -> None:
    handler = "import lazy\ndef predict(event, context):\n    return lazy.table()\n"
    files: dict[str, str | bytes] = {"lazy-1.0-py3-none-any.whl": wheel("lazy", LAZY), "handler.py": handler}
    text = SAMPLED.replace("{handler", f"{{architecture: {architecture}, handler")

    with pytest.raises(PackagingError) as caught:
        build(load(text, **files))

    (problem,) = caught.value.problems
    assert problem.found == (
        "functions.a answers samples[0] otherwise without lazy/tests/table.json, which slimming leaves out of a layer "
        "(tests of lazy)"
    )
    keep = "custom: {pythonRequirements: {slimPatterns: ['!lazy/tests/table.json']}}\n"
    assert keep.partition("slimPatterns: ")[2].partition("]")[0] in problem.fix
    artifact = build(load(text + keep, **files))["a"]
    assert "python/lazy/tests/table.json" in names(artifact.layers[0])
    assert "python/lazy/tests/test_it.py" not in names(artifact.layers[0])
    assert artifact.manifest["proof"]["samples"] == {"a": ["samples[0]"]}
