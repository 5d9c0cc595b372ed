"""The socket of the engine: who can reach it, where it is, and what nonsense does to it."""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import stat
import sys
import tempfile
from pathlib import Path

import pytest

from fourm_tui.cli import main
from fourm_tui.engine import places, protocol
from fourm_tui.engine.client import Engine
from fourm_tui.errors import FourmError, InputError
from tests.engine.processes import pids, submitted, wait

# -- places ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def user(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folders of a user without an engine."""
    folder = tmp_path_factory.mktemp("user")  # a short name: a socket's is not to be long
    for name in ("XDG_RUNTIME_DIR", "XDG_STATE_HOME"):
        (folder / name).mkdir()
        monkeypatch.setenv(name, str(folder / name))
    return folder


def test_engines_are_told_apart_by_what_they_could_not_share(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {places.engine_key()}
    for variable, value in (("CUDA_VISIBLE_DEVICES", "1"), ("XDG_STATE_HOME", str(user))):
        monkeypatch.setenv(variable, value)
        keys.add(places.engine_key())
    monkeypatch.setattr(sys, "prefix", "/elsewhere")
    keys.add(places.engine_key())
    monkeypatch.setattr(socket, "gethostname", lambda: "another")
    keys.add(places.engine_key())
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    keys.add(places.engine_key())
    assert len(keys) == 6
    assert places.engine_key() in str(places.queue_dir())
    assert places.engine_key() in str(places.lock_path())


def test_the_socket_is_where_the_system_keeps_such_things(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert places.socket_dir() == user / "XDG_RUNTIME_DIR" / "fourm_tui"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(user / "is-not-there"))
    short = Path(tempfile.mkdtemp(dir="/tmp"))
    monkeypatch.setattr(tempfile, "tempdir", str(short))
    assert places.socket_dir() == short / f"fourm_tui-{os.getuid()}"
    assert stat.S_IMODE(places.private_dir().stat().st_mode) == 0o700
    monkeypatch.setattr(tempfile, "tempdir", str(short / ("long" * 20)))
    assert places.socket_dir() == Path("/tmp") / f"fourm_tui-{os.getuid()}"
    monkeypatch.setattr(tempfile, "tempdir", str(short))
    monkeypatch.setattr(places, "_is_remote", lambda folder: folder == short)
    assert places.socket_dir() == Path("/tmp") / f"fourm_tui-{os.getuid()}"
    shutil.rmtree(short)


def test_network_file_systems_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = (
        "/dev/sda / ext4 rw 0 0\nserver:/home /home/my\\040own nfs4 rw 0 0\ntmpfs /home/my\\040own/run tmpfs rw 0 0\n"
    )
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: mounts)
    assert places._is_remote(Path("/home/my own/state"))
    assert not places._is_remote(Path("/home/my own/run/7"))
    assert not places._is_remote(Path("/home/my other"))


def test_a_folder_of_somebody_else_is_not_used(user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places.private_dir()
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(FourmError, match="belongs to somebody else"):
        places.private_dir()
    monkeypatch.undo()


def test_a_link_in_the_place_of_the_folder_is_not_followed(user: Path) -> None:
    (user / "XDG_RUNTIME_DIR" / "fourm_tui").symlink_to(user)
    with pytest.raises(FourmError, match="belongs to somebody else"):
        places.private_dir()


# -- others ----------------------------------------------------------------------------------------------------------


def test_only_the_user_can_reach_it(with_engine: Path) -> None:
    Engine.start().close()
    path = places.socket_path()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.parent.chmod(0o755)
    assert places.private_dir() == path.parent
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def refused_to(uid: int, path: Path) -> bool:
    """Whether a process of another user cannot connect."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            socket.socket(socket.AF_UNIX).connect(str(path))
        except PermissionError:
            code = 77
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 77


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_cannot_connect(with_engine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_to_all = Path(tempfile.mkdtemp(dir="/tmp"))
    open_to_all.chmod(0o755)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(open_to_all))
    monkeypatch.setenv("XDG_STATE_HOME", str(open_to_all / "state"))
    with Engine.start() as engine:
        path = places.socket_path()
        assert refused_to(65534, path)
        # Nor by the socket itself, where its folder lets everybody in.
        elsewhere = open_to_all / "socket"
        elsewhere.hardlink_to(path)
        assert refused_to(65534, elsewhere)
        assert not refused_to(0, elsewhere)
        engine.ask("stop")
        wait(lambda: not engine.is_alive)
    shutil.rmtree(open_to_all)


# -- nonsense --------------------------------------------------------------------------------------------------------


def nonsense(draw: random.Random) -> bytes:
    """A line that no viewer of ours sends."""
    dos = ["submit", "cancel", "pause", "resume", "move", "status", "watch", "cancel_others", "skip", "job", "x", ""]
    values = [
        None, True, -1, 1e300, "", "\0", "../../etc/passwd", "/", "/nowhere", "a" * 5000, [], {"a": [1]}, "latest",
    ]  # fmt: skip
    kind = draw.randrange(5)
    if kind == 0:
        return bytes(draw.randrange(256) for _ in range(draw.randrange(200))).replace(b"\n", b"") + b"\n"
    if kind == 1:
        return b"[" * draw.randrange(1, 3000) + b"\n"
    names = ["id", "do", "job", "run", "device", "places", "sample"]
    message = {draw.choice(names): draw.choice(values) for _ in range(4)}
    message["do"] = draw.choice([*dos, None, 3, [], {}])
    text = json.dumps(message).encode()
    return (text[: draw.randrange(len(text))] if kind == 2 else text) + b"\n"


@pytest.mark.parametrize("lines", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_nonsense_gets_an_error_and_hinders_nobody(lines: int, with_engine: Path) -> None:
    draw = random.Random(lines)
    with Engine.start() as engine:
        pid = engine.ask("status")["pid"]
        connection = connected()
        reader = connection.makefile("rb")
        reader.readline()
        for _ in range(lines):
            connection.sendall(nonsense(draw))
            while "jobs" in (answer := json.loads(reader.readline())):
                pass
            assert "error" in answer or "ok" in answer
        half_open, endless = connected(), connected()
        half_open.sendall(b'{"id": 1, "do"')
        with pytest.raises(OSError):
            for _ in range(100):
                endless.sendall(b"x" * 2**18)
        assert engine.ask("status")["pid"] == pid
        for each in (connection, half_open, endless):
            each.close()


def connected() -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(places.socket_path()))
    connection.settimeout(10)
    return connection


def test_who_watches_without_reading_is_hung_up_on(with_engine: Path, checkpoint: Path, tmp_path: Path) -> None:
    first, second = (submitted(checkpoint, tmp_path, seed=seed) for seed in range(2))
    assert main(["queue", "pause", first.name, second.name]) == 0
    deaf = connected()
    deaf.sendall(protocol.line({"id": 1, "do": "watch"}))
    with Engine.find() as engine:
        wait(lambda: engine.ask("status")["viewers"] == 2)

        def changes() -> bool:
            """Much news, of which the other reads nothing."""
            for _ in range(50):
                engine.ask("resume", job=second.name)
                engine.ask("pause", job=second.name)
            return engine.ask("status")["viewers"] == 1

        wait(changes)
    deaf.close()
    assert main(["queue", "cancel", first.name, second.name]) == 0


def test_an_engine_of_another_kind_is_refused() -> None:
    with pytest.raises(FourmError, match="is no engine"):
        protocol.check_greeting({"hello": "something"})
    with pytest.raises(InputError, match="newer"):
        protocol.check_greeting({"hello": protocol.NAME, "schema": 99})


def test_an_engine_that_cannot_be_reached_is_named(
    with_engine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Engine.start().close()
    pid, _ = pids()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr("fourm_tui.engine.client.STARTING_SECONDS", 2.0)
    with pytest.raises(FourmError, match=rf"an engine is running \(process {pid}\), but it listens at"):
        Engine.start()
