"""The archive of handler functions: the project, its requirements installed by uv, native libraries."""

from __future__ import annotations

import http.server
import io
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bareboat.artifact import build, local_target, open_artifact, unpack
from bareboat.errors import ArtifactError, ConfigurationError, PackagingError
from bareboat.packaging.elf import read_elf
from bareboat.packaging.interpreters import find_python
from bareboat.packaging.requirements import Requirements
from bareboat.packaging.resolve import resolve
from bareboat.packaging.target import Target
from bareboat.packaging.uv import run_uv

from .conftest import Project

PLUGIN = "plugins: [serverless-python-requirements]\ncustom:\n  pythonRequirements: "


def names(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def imported(folder: Path, python: str, code: str) -> str:
    interpreter = find_python(python)
    assert interpreter is not None
    command = [str(interpreter.path), "-S", "-B", "-c", code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True).stdout.strip()


def test_the_project_and_its_packages_lie_side_by_side(project: Project, python: str) -> None:
    service = project(requirements__txt="idna==3.10\n", **{"data/x.json": "{}", ".env": "SECRET=1"})

    artifact = build(service)["predict"]

    shipped = names(artifact.path)
    assert {"handler.py", "data/x.json", "requirements.txt", "idna/core.py", "idna-3.10.dist-info/METADATA"} <= shipped
    assert not {".env", "serverless.yml", "idna-3.10.dist-info/RECORD", "idna/py.typed.pyc"} & shipped
    assert artifact.handlers == {"predict": "handler.predict"}
    assert artifact.manifest["versions"]["packages"] == {"idna": "3.10"}
    assert (
        imported(unpack(artifact), python, "import idna, handler; print(idna.encode('\u00e4.de').decode())")
        == "xn--4ca.de"
    )


def test_what_importlib_metadata_knows_survives_slimming(project: Project, python: str) -> None:
    folder = unpack(build(project(requirements__txt="idna==3.10\n"))["predict"])

    code = "import importlib.metadata as m; print(m.version('idna'), m.packages_distributions().get('idna'))"
    assert imported(folder, python, code) == "3.10 ['idna']"


def test_native_packages_are_the_targets_own(project: Project, lambda_python: str) -> None:
    for architecture, machine in (("x86_64", "x86_64"), ("arm64", "aarch64")):
        service = project(
            requirements__txt="markupsafe==3.0.2\n",
            architecture=architecture,
            folder=architecture,
            runtime=lambda_python,
        )
        artifact = build(service)["predict"]

        with zipfile.ZipFile(artifact.path) as archive:
            (native,) = [name for name in archive.namelist() if name.endswith(".so")]
            elf = read_elf(archive.read(native))
        assert elf is not None
        assert elf.machine == machine


def test_a_second_build_of_the_same_requirements_needs_no_index(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = project(requirements__txt="idna==3.10\n")
    first = build(service)["predict"]
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    service = project(requirements__txt="idna==3.10\n", handler__py="def predict(event, context):\n    return 2\n")

    second = build(service)["predict"]

    assert not second.reused
    assert second.digest != first.digest
    assert "idna/core.py" in names(second.path)


def test_a_changed_requirement_is_resolved_anew(project: Project) -> None:
    build(project(requirements__txt="idna==3.10\n"))

    artifact = build(project(requirements__txt="idna==3.9\n"))["predict"]

    assert artifact.manifest["versions"]["packages"] == {"idna": "3.9"}


def test_a_file_that_requirements_name_is_watched(project: Project) -> None:
    service = project(requirements__txt="-r more/base.txt\n", **{"more/base.txt": "idna==3.10\n"})
    patterns = "package: {patterns: ['!more/**']}\n"
    service = project(more=patterns, requirements__txt="-r more/base.txt\n", **{"more/base.txt": "idna==3.10\n"})
    build(service)
    assert build(service)["predict"].reused

    service = project(more=patterns, requirements__txt="-r more/base.txt\n", **{"more/base.txt": "idna==3.9\n# \n"})

    assert build(service)["predict"].manifest["versions"]["packages"] == {"idna": "3.9"}


def test_a_pattern_that_leads_out_of_the_project_is_told_with_its_line(project: Project) -> None:
    service = project(more="package:\n  patterns:\n    - '../**'\n")

    with pytest.raises(PackagingError) as caught:
        build(service)

    (problem,) = caught.value.problems
    lines = service.path.read_text().splitlines()
    assert problem.where == f"{service.path}:{lines.index(next(line for line in lines if '../**' in line)) + 1}"


def test_two_builds_with_packages_give_the_same_bytes(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = build(project(requirements__txt="markupsafe==3.0.2\n", folder="one"))["predict"]
    monkeypatch.setenv("BAREBOAT_CACHE_DIR", str(tmp_path / "another"))
    second = build(project(requirements__txt="markupsafe==3.0.2\n", folder="two"))["predict"]

    assert first.path.read_bytes() == second.path.read_bytes()


def test_no_deploy_and_slim_patterns_keep_their_meaning(project: Project) -> None:
    more = PLUGIN + "{noDeploy: [six], slim: true, slimPatterns: ['idna/codec.py']}\n"
    service = project(more=more, requirements__txt="idna==3.10\nsix==1.16.0\n")

    shipped = names(build(service)["predict"].path)

    assert not {"six.py", "idna/codec.py"} & shipped
    assert "idna/core.py" in shipped


def test_a_vendored_folder_lies_at_the_root(project: Project) -> None:
    service = project(more=PLUGIN + "{vendor: ./extra}\n", **{"extra/own/m.py": "x = 1\n"})

    assert "own/m.py" in names(build(service)["predict"].path)


def test_a_wheel_of_ones_own_and_a_folder_are_installed(project: Project) -> None:
    files = {
        "wheels/own-1.0-py3-none-any.whl": wheel("own", "py3-none-any"),
        "lib/pyproject.toml": '[project]\nname = "near"\nversion = "2"\n[build-system]\nrequires = ["hatchling"]\n'
        'build-backend = "hatchling.build"\n',
        "lib/near/__init__.py": "",
    }
    service = project(requirements__txt="./wheels/own-1.0-py3-none-any.whl\n-e ./lib\n", **files)

    artifact = build(service)["predict"]

    assert {"own/__init__.py", "near/__init__.py"} <= names(artifact.path)
    assert not build(service)["predict"].reused  # the folder's files may have changed


def test_a_package_that_is_plain_python_is_built_from_its_source(project: Project) -> None:
    artifact = build(project(requirements__txt="docopt==0.6.2\n"))["predict"]

    assert "docopt.py" in names(artifact.path)


def test_a_package_without_a_wheel_for_the_target_is_named_with_the_ways_out(
    project: Project, lambda_python: str
) -> None:
    service = project(requirements__txt="numpy==1.19.0\n", runtime=lambda_python)

    with pytest.raises(PackagingError) as caught:
        build(service)
    text = str(caught.value)
    assert f"numpy==1.19.0 has no wheel for python{lambda_python} on linux x86_64" in text
    assert "ask for numpy==" in text
    assert "noDeploy" in text


def test_an_old_image_holds_packages_back_and_says_so(project: Project) -> None:
    service = project(requirements__txt="numpy>=2.2,<2.5\n", runtime="3.11")

    artifact = build(service)["predict"]

    # numpy 2.2.6 is the last with manylinux_2_17 wheels; 2.3 and later have manylinux_2_27 ones (their file names)
    assert artifact.manifest["versions"]["packages"] == {"numpy": "2.2.6"}
    (note,) = [note.text for note in artifact.notes if "held" in note.text]
    assert note.startswith("numpy is held at 2.2.6: the wheels of 2.4.")
    assert build(service)["predict"].notes == artifact.notes


def test_a_hash_that_does_not_match_is_refused(project: Project) -> None:
    service = project(requirements__txt=f"idna==3.10 --hash=sha256:{'0' * 64}\n")

    with pytest.raises(PackagingError, match=r"idna 3\.10: the sha256 of idna-3\.10-py3-none-any\.whl is 946d195a"):
        build(service)


# The hash is PyPI's for idna-3.10-py3-none-any.whl.
def test_a_hash_that_matches_is_taken(project: Project) -> None:
    digest = "946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3"

    artifact = build(project(requirements__txt=f"idna==3.10 --hash=sha256:{digest}\n"))["predict"]

    assert "idna/core.py" in names(artifact.path)


def test_a_requirement_that_cannot_be_read_is_named_with_its_line(project: Project) -> None:
    with pytest.raises(PackagingError, match=r"requirements\.txt:3: 'foo bar' is no requirement"):
        build(project(requirements__txt="idna\n\nfoo bar\n"))


def test_conflicting_requirements_are_explained(project: Project) -> None:
    with pytest.raises(PackagingError, match=r"requests==2\.32\.3 depends on idna"):
        build(project(requirements__txt="requests==2.32.3\nidna<2\n"))


def test_an_index_that_cannot_be_reached_names_the_variable(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")

    with pytest.raises(
        PackagingError,
        match=r"(?s)requirements.txt:1: http://127.0.0.1:9/simple/idna/ does not answer.*UV_DEFAULT_INDEX",
    ):
        build(project(requirements__txt="idna\n"))


@pytest.fixture
def refusing_index() -> Iterator[str]:
    class Refuse(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuse)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/simple"
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_index_that_refuses_says_where_the_password_goes(
    project: Project, refusing_index: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", refusing_index)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))

    with pytest.raises(PackagingError, match=r"(?s)401.*netrc"):
        build(project(requirements__txt="idna\n"))


def test_uv_lock_is_honoured(project: Project, python: str) -> None:
    pyproject = f'[project]\nname = "x"\nversion = "0"\nrequires-python = ">={python}"\ndependencies = ["idna<3.10"]\n'
    service = project(pyproject__toml=pyproject + '[dependency-groups]\ndev = ["six"]\n')
    run_uv(["lock"], cwd=service.folder)
    (service.folder / "pyproject.toml").write_text(pyproject.replace("idna<3.10", "idna"))

    artifact = build(service)["predict"]

    assert artifact.manifest["versions"]["packages"] == {"idna": "3.9"}


def test_a_file_that_does_not_compile_ships_without_bytecode(project: Project, python: str) -> None:
    artifact = build(project(**{"old/py2.py": "print 'hello'\n"}))["predict"]

    assert "old/py2.py" in names(artifact.path)
    assert artifact.manifest["without_bytecode"] == ["old/py2.py"]
    (note,) = artifact.notes
    assert (note.where, note.text) == ("old/py2.py", f"does not compile under python{python}; it ships as it is")


def test_a_handler_that_imports_the_runtime_gets_it(project: Project) -> None:
    service = project(handler__py="from bareboat.runtime import load_forest\ndef predict(event, context): return 1\n")

    shipped = names(build(service)["predict"].path)

    assert {"bareboat/runtime/forest.py", "bareboat/runtime/native/kernel-linux-x86_64.so"} <= shipped
    assert "bareboat/runtime/native/kernel-linux-aarch64.so" not in shipped


def test_a_handler_that_does_not_import_it_does_not(project: Project) -> None:
    assert not any(name.startswith("bareboat/") for name in names(build(project())["predict"].path))


def test_a_native_library_that_nobody_brings_is_refused_by_name(
    project: Project, compiled: Callable[[str], bytes]
) -> None:
    library = compiled("libnowhere.so.7")

    with pytest.raises(PackagingError) as caught:
        build(project(**{"ext/x.so": library}))
    assert "libnowhere.so.7 is missing; wanted by ext/x.so" in str(caught.value)


def test_a_native_library_in_lib_is_found(project: Project, compiled: Callable[[str], bytes]) -> None:
    files = {"ext/x.so": compiled("libnowhere.so.7"), "lib/libnowhere.so.7": compiled("libc.so.6")}

    assert "lib/libnowhere.so.7" in names(build(project(**files))["predict"].path)


def test_libgomp_is_bundled_with_its_notice_where_it_is_missing(
    project: Project, compiled: Callable[[str], bytes]
) -> None:
    for files, more in (
        ({"ext/x.so": compiled("libgomp.so.1")}, ""),
        ({}, PLUGIN + "{dockerExtraFiles: [/usr/lib64/libgomp.so.1], zip: true}\n"),
    ):
        artifact = build(project(more=more, folder=f"p{len(files)}", **files))["predict"]

        with zipfile.ZipFile(artifact.path) as archive:
            elf = read_elf(archive.read("lib/libgomp.so.1"))
            notice = archive.read("lib/libgomp.so.1.NOTICE.txt").decode()
        assert elf is not None
        assert elf.machine == "x86_64"
        assert "GCC Runtime Library Exception" in notice
        assert list(artifact.manifest["bundled"]) == ["lib/libgomp.so.1"]


def readable(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o100644 << 16
    return info


def test_a_ready_made_zip_is_taken_as_it_is(project: Project, tmp_path: Path) -> None:
    service = project()
    ready = build(service)["predict"].path.read_bytes()
    foreign = io.BytesIO()
    with zipfile.ZipFile(foreign, "w") as archive:
        archive.writestr(readable("handler.py"), "def predict(event, context):\n    return 3\n")
    for data, functions in ((ready, ["predict"]), (foreign.getvalue(), None)):
        taken = build(project(more="package: {artifact: ready.zip}\n", folder="ready", ready__zip=data))["predict"]

        assert taken.path.read_bytes() == data
        assert (list(taken.manifest["functions"]) if taken.manifest else None) == functions
        assert (unpack(taken) / "handler.py").is_file()


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip at all" * 100])
def test_a_ready_made_file_that_is_no_zip_is_refused(project: Project, data: bytes) -> None:
    with pytest.raises(ArtifactError, match="is no zip"):
        build(project(more="package: {artifact: ready.zip}\n", ready__zip=data))


def test_a_ready_made_zip_without_the_handler_is_refused(project: Project) -> None:
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr(readable("other.py"), "")

    with pytest.raises(ConfigurationError, match=r"functions\.predict\.handler"):
        build(project(more="package: {artifact: ready.zip}\n", ready__zip=empty.getvalue()))


def test_what_runs_here_is_lambdas_own_archive_where_machine_and_python_agree(project: Project, python: str) -> None:
    service = project()
    target, notes = local_target(service.functions["predict"])

    if (target.system, target.architecture) == ("linux", "x86_64"):
        assert not [note for note in notes if "runs on" in note.text]
        assert build(service, target=target)["predict"].path == build(service)["predict"].path
    assert target.python == python


def test_the_zip_passes_unzips_own_test(project: Project) -> None:
    artifact = build(project(requirements__txt="idna==3.10\n"))["predict"]

    try:
        done = subprocess.run(
            ["unzip", "-tq", str(artifact.path)], capture_output=True, text=True, timeout=60, check=False
        )
    except FileNotFoundError:
        pytest.skip("unzip is not installed")

    assert done.returncode == 0, done.stdout


def test_a_function_of_a_stranger_python_still_resolves_for_it(project: Project) -> None:
    missing = next((minor for minor in ("3.14", "3.10") if find_python(minor) is None), None)
    if missing is None:
        pytest.skip("every Python is installed here")

    artifact = build(
        project(runtime=missing, requirements__txt="markupsafe==3.0.2\n" if missing == "3.10" else "idna\n")
    )

    assert open_artifact(artifact["predict"].path).target.python == missing


def wheel(name: str, tag: str) -> bytes:
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}/__init__.py": "x = 1\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return written.getvalue()


def test_a_version_that_a_model_needs_is_told_with_the_runtime_that_has_a_wheel(tmp_path: Path) -> None:
    asked = Requirements("the model m.joblib", tmp_path, text="numpy==2.3.3\n", pinned={"numpy": "m.joblib"})

    with pytest.raises(PackagingError) as caught:
        resolve(asked, Target("3.11", "x86_64"))

    problem = caught.value.problems[0]
    assert problem.found == "numpy==2.3.3, which m.joblib was saved with, has no wheel for python3.11 on linux x86_64"
    assert problem.fix.startswith("runtime: python3.13 in serverless.yml")
    assert "save m.joblib again with numpy==2." in problem.fix
