"""The words that docker and podman get. docker's are those of its reference (docs.docker.com/reference/cli)."""

from __future__ import annotations

from pathlib import Path

import pytest

from bareboat.container.documents import Platform
from bareboat.container.engine import Engine, find_engine, refused
from bareboat.container.running import Run, exec_command, run_command
from bareboat.errors import ConfigurationError, LocalError

DOCKER = Engine("docker", ("docker",), Platform("amd64", "linux"))
PODMAN = Engine("podman", ("podman", "--root", "/x"), Platform("amd64", "plan9"))  # whose CDI folders are not ours


def test_a_run_is_disposable_and_in_the_foreground():
    assert run_command(DOCKER, "app:1", Run()) == ["docker", "run", "--rm", "app:1"]


def test_everything_that_was_asked_for_stands_before_the_image_and_the_command_after_it():
    run = Run(
        ("python", "-c", "x"),
        ("8080:80",),
        ("data:/data",),
        ("A=1", "B"),
        "all",
        "me",
        detached=True,
        disposable=False,
        interactive=True,
        terminal=True,
        more=("--network=host",),
    )

    words = run_command(DOCKER, "app:1", run)

    assert words == [
        *("docker", "run", "--detach", "--interactive", "--tty", "--name=me", "--publish=8080:80"),
        *("--volume=data:/data", "--env=A=1", "--env=B", "--gpus=all", "--network=host", "app:1", "python", "-c", "x"),
    ]


@pytest.mark.parametrize(
    ("gpus", "docker", "podman"),
    [
        ("all", ["--gpus=all"], ["--device=nvidia.com/gpu=all"]),
        ("2", ["--gpus=2"], ["--device=nvidia.com/gpu=0", "--device=nvidia.com/gpu=1"]),
        ("device=1,3", ['--gpus="device=1,3"'], ["--device=nvidia.com/gpu=1", "--device=nvidia.com/gpu=3"]),
    ],
)
def test_gpus_are_named_as_each_engine_knows_them(gpus, docker, podman):
    assert run_command(DOCKER, "x", Run(gpus=gpus))[3:-1] == docker
    assert run_command(PODMAN, "x", Run(gpus=gpus))[5:-1] == podman


def test_gpus_that_nobody_knows_are_refused():
    with pytest.raises(ConfigurationError, match="--gpus some is not known"):
        run_command(DOCKER, "x", Run(gpus="some"))


def test_a_mount_from_here_becomes_a_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)

    words = run_command(DOCKER, "x", Run(mounts=("./data:/data:ro", "/abs:/abs", "named:/n")))

    assert words[3:-1] == [f"--volume={tmp_path}/data:/data:ro", "--volume=/abs:/abs", "--volume=named:/n"]


def test_a_mount_of_nothing_is_refused():
    with pytest.raises(ConfigurationError, match=r"\./no-such-folder is not there"):
        run_command(DOCKER, "x", Run(mounts=("./no-such-folder:/data",)))


def test_another_program_in_a_container():
    assert exec_command(PODMAN, "me", ("sh", "-c", "x"), variables=("A=1",), interactive=True) == [
        *("podman", "--root", "/x", "exec", "--interactive", "--env=A=1", "me", "sh", "-c", "x")
    ]


@pytest.mark.parametrize(
    ("name", "docker", "podman"),
    [
        ("app:1", "app:1", "localhost/app:1"),
        ("team/app:1", "team/app:1", "localhost/team/app:1"),
        ("ghcr.io/team/app:1", "ghcr.io/team/app:1", "ghcr.io/team/app:1"),
        ("localhost:5000/app:1", "localhost:5000/app:1", "localhost:5000/app:1"),
        ("", "localhost/bareboat:0123456789ab", "localhost/bareboat:0123456789ab"),
        ("x@sha256:1", "localhost/bareboat:0123456789ab", "localhost/bareboat:0123456789ab"),
    ],
)
def test_names_in_an_engine_never_mean_another_image(name, docker, podman):
    digest = "sha256:0123456789abcdef"

    assert (DOCKER.image_name(name, digest), PODMAN.image_name(name, digest)) == (docker, podman)


@pytest.mark.parametrize(
    ("said", "fix"),
    [
        ("permission denied while trying to connect to the Docker daemon socket", "usermod"),
        ('could not select device driver "" with capabilities: [[gpu]]', "nvidia-container-toolkit"),
        ("error setting rlimit type 7: setrlimit: operation not permitted", "--ulimit"),
        ("something else", ""),
    ],
)
def test_what_an_engine_says_is_shown_with_what_helps(said, fix):
    (problem,) = refused("/usr/bin/docker", f"Error: {said}\n".encode()).problems

    assert problem.found == f"docker refuses: {said}"
    assert fix in problem.fix


@pytest.mark.parametrize(
    ("said", "error"), [("'", ConfigurationError), (" ", ConfigurationError), ("nope", LocalError)]
)
def test_an_engine_that_is_none_is_told(said, error):
    with pytest.raises(error, match="engine"):
        find_engine(said)
