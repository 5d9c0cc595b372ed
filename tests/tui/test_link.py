"""The way to the engine: engines that lie, are silent, hang up or die; runs that are long, end, or are left alone."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import pytest

from fourm_tui.engine import client
from fourm_tui.engine.jobs import Queue, QueuedJob
from fourm_tui.engine.places import socket_path
from fourm_tui.engine.protocol import greeting, line, parse
from fourm_tui.events import EventLog, Note, RunDone, RunStarted
from fourm_tui.runs import Run, list_runs
from fourm_tui.tui import link as link_module
from fourm_tui.tui import watching
from fourm_tui.tui.link import Link
from fourm_tui.tui.news import Answer, News, QueueNews, RunNews, RunOpened, Trouble
from tests.engine.processes import end_engine, wait
from tests.tui.conftest import demo
from tests.tui.kept_run import ROWS, kept

N = TypeVar("N")
Serve = Callable[[socket.socket], None]


class Heard:
    """What the link tells, in its order."""

    def __init__(self) -> None:
        self.news: list[News] = []

    def __call__(self, news: News) -> None:
        self.news.append(news)

    def of(self, kind: type[N]) -> list[N]:
        return [each for each in list(self.news) if isinstance(each, kind)]

    def first(self, kind: type[N], fits: Callable[[N], bool] = lambda news: True) -> N:
        found: N = wait(lambda: next((each for each in self.of(kind) if fits(each)), None), 60)
        return found


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def link(heard: Heard) -> Iterator[Link]:
    made = Link(heard)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of sockets of the test's own, with a short path, and engines that need not be waited for."""
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr(watching, "_AGAIN", 0.05)
    monkeypatch.setattr(watching, "_AGAIN_AFTER_TROUBLE", 0.05)


@contextlib.contextmanager
def served(serve: Serve) -> Iterator[None]:
    """An engine that does with every connection what it is told to."""
    path = socket_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=_quietly, args=(serve, connection), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        path.unlink(missing_ok=True)


def _quietly(serve: Serve, connection: socket.socket) -> None:
    with contextlib.suppress(OSError), connection:
        serve(connection)


def garbage(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    connection.recv(1000)


def silent(connection: socket.socket) -> None:
    while connection.recv(1000):
        pass


def newer(connection: socket.socket) -> None:
    connection.sendall(line({**greeting(), "schema": 99}))
    connection.recv(1000)


class Honest:
    """An engine with a queue, told from the test."""

    def __init__(self, *jobs: QueuedJob) -> None:
        self.jobs, self.asked = list(jobs), 0
        self.connections: list[socket.socket] = []

    def __call__(self, connection: socket.socket) -> None:
        self.connections.append(connection)
        connection.sendall(line(greeting()))
        received = b""
        while more := connection.recv(1000):
            *lines, received = (received + more).split(b"\n")
            for each in lines:
                message = parse(each)
                self.asked += message["do"] == "status"
                found: Any = [asdict(job) for job in self.jobs]
                if message["do"] == "status":
                    found = {"workers": [], "idle": 900, "jobs": found}
                connection.sendall(line({"id": message["id"], "ok": found}))

    def push(self) -> None:
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.sendall(line({"jobs": [asdict(job) for job in self.jobs]}))


def job(id: str, status: Any = "waiting") -> QueuedJob:
    return QueuedJob(id, f"/runs/{id}", 1.0, status)


# -- the queue --------------------------------------------------------------------------------------------------


def watched(heard: Heard, link: Link) -> None:
    threading.Thread(target=watching.watch, args=(heard, link._closed, link._again), daemon=True).start()


@pytest.mark.parametrize("serve", [garbage, newer])
def test_an_engine_that_lies_is_said_once(heard: Heard, link: Link, serve: Serve) -> None:
    tries = []

    def counted(connection: socket.socket) -> None:
        tries.append(1)
        serve(connection)

    with served(counted):
        watched(heard, link)
        wait(lambda: len(tries) > 3, 30)
    assert len(heard.of(Trouble)) == 1


def test_an_engine_that_never_answers_is_said(heard: Heard, link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_SECONDS", 0.1)
    with served(silent):
        watched(heard, link)
        assert "does not answer" in heard.first(Trouble).message


def test_a_question_to_an_engine_that_never_answers_ends_in_trouble(
    heard: Heard, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(client, "STARTING_SECONDS", 0.1)
    monkeypatch.setattr(client, "_spawn", lambda: None)
    with served(silent):
        link.open(warm=False)
        link.ask("pause", job="a")
        assert "does not answer" in heard.first(Trouble).message


def test_the_queue_is_told_when_it_changes(heard: Heard, link: Link) -> None:
    engine = Honest(job("a"))
    with served(engine):
        watched(heard, link)
        heard.first(QueueNews, lambda news: [each.id for each in news.jobs] == ["a"])
        engine.jobs.append(job("b"))
        engine.push()
        assert heard.first(QueueNews, lambda news: len(news.jobs) == 2).status is not None


def test_a_burst_of_changes_is_asked_about_together(heard: Heard, link: Link) -> None:
    engine = Honest(job("a"))
    with served(engine):
        watched(heard, link)
        heard.first(QueueNews, lambda news: news.status is not None)
        for _ in range(200):
            engine.push()
        engine.jobs.append(job("b"))
        engine.push()
        heard.first(QueueNews, lambda news: len(news.jobs) == 2)
    assert engine.asked < 20


def test_what_ran_in_an_engine_that_hung_up_is_interrupted(heard: Heard, link: Link) -> None:
    queue = Queue()
    queue.change(queue.add(Path("/runs/a")), status="running")
    engine = Honest(*queue.jobs)
    with served(engine):
        watched(heard, link)
        heard.first(QueueNews, lambda news: news.status is not None)
        socket_path().unlink()
        for connection in engine.connections:
            connection.shutdown(socket.SHUT_RDWR)
        stopped = heard.first(QueueNews, lambda news: [each.status for each in news.jobs] == ["interrupted"])
    assert stopped.status is None
    assert "the engine has ended" in heard.first(Trouble).message


def test_an_engine_that_comes_back_is_found(heard: Heard, link: Link) -> None:
    watched(heard, link)
    heard.first(QueueNews, lambda news: news.status is None)
    with served(Honest(job("a"))):
        heard.first(QueueNews, lambda news: news.status is not None)


# -- runs -------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return kept(tmp_path / "runs")


def test_what_the_folder_says_comes_before_the_first_event(heard: Heard, link: Link, run: Run) -> None:
    with EventLog(run.events) as log:
        log.append(RunStarted(run.name, ROWS, (0, 1)))
    link.follow(run.folder)
    heard.first(RunNews)
    assert isinstance(heard.news[0], RunOpened)


def test_a_long_log_comes_in_pieces_and_whole(heard: Heard, link: Link, run: Run) -> None:
    notes = [Note(str(number), seq=number) for number in range(5000)]
    run.events.write_bytes(b"".join(line(note.to_json()) for note in notes))
    link.follow(run.folder)
    heard.first(RunNews, lambda news: any(event.seq == 4999 for event in news.events))
    pieces = [news.events for news in heard.of(RunNews)]
    assert [event.seq for piece in pieces for event in piece] == list(range(5000))
    assert max(map(len, pieces)) <= 200


def test_while_one_piece_is_taken_no_other_is_told(run: Run) -> None:
    taking, at_once, most = threading.Lock(), [0], [0]

    def slow(news: News) -> None:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        with taking:
            at_once[0] -= 1
        done.set() if isinstance(news, RunNews) and news.events[-1].seq == 1999 else None

    done = threading.Event()
    run.events.write_bytes(b"".join(line(Note("x", seq=number).to_json()) for number in range(2000)))
    link = Link(slow)
    link.follow(run.folder)
    assert done.wait(60)
    link.close()
    assert most == [1]


def test_a_run_that_nobody_writes_any_more_is_gone(
    heard: Heard, link: Link, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_module, "_LOOK", 0.05)
    with EventLog(run.events) as log:
        log.append(RunStarted(run.name, ROWS, (0, 1)))
    link.follow(run.folder)
    heard.first(RunNews, lambda news: news.gone)


def test_a_run_that_has_ended_is_not_gone(heard: Heard, link: Link, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[float] = []
    monkeypatch.setattr(link_module, "_LOOK", 0.0)
    monkeypatch.setattr(link_module, "being_written", lambda path: looked.append(1.0))
    with EventLog(run.events) as log:
        log.append(RunStarted(run.name, ROWS, (0, 1)))
        log.append(RunDone(1.0))
    link.follow(run.folder)
    heard.first(RunNews, lambda news: isinstance(news.events[-1], RunDone))
    assert not looked


def test_another_run_takes_the_place_of_the_one_before(heard: Heard, link: Link, run: Run, tmp_path: Path) -> None:
    other = kept(tmp_path / "runs")
    link.follow(run.folder)
    heard.first(RunOpened)
    link.follow(other.folder)
    heard.first(RunOpened, lambda news: news.folder == other.folder)
    with EventLog(run.events) as log:
        log.append(RunDone(1.0))
    with EventLog(other.events) as log:
        log.append(RunDone(1.0))
    heard.first(RunNews)
    assert {news.folder for news in heard.of(RunNews)} == {other.folder}


def test_a_folder_that_holds_no_run_is_trouble(heard: Heard, link: Link, tmp_path: Path) -> None:
    link.follow(tmp_path)
    assert "run.json" in heard.first(Trouble).message


# -- the real engine --------------------------------------------------------------------------------------------


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("FOURM_NO_ENGINE", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("FOURM_ENGINE_IDLE", "2")
    yield
    end_engine()


def long_run(out: Path) -> Path:
    workspace = demo()
    for row in (1, 2, 3):
        workspace.edit("steps", lambda editor, row=row: editor.set_cell(row, "decoding_steps", 196))  # type: ignore[misc]
    workspace.set_option("num_variations", 4)
    return workspace.begin(out).run.folder


@pytest.mark.slow
def test_a_killed_engine_interrupts_its_run_which_can_go_on(
    heard: Heard, link: Link, tmp_path: Path, real: None
) -> None:
    folder = long_run(tmp_path / "runs")
    link.open(warm=True)
    link.submit(folder)
    link.follow(folder)
    heard.first(RunNews, lambda news: len(news.events) > 1)
    status = heard.first(QueueNews, lambda news: any(each.status == "running" for each in news.jobs)).status
    assert status is not None
    os.kill(status["pid"], signal.SIGKILL)
    heard.first(RunNews, lambda news: news.gone)
    heard.first(QueueNews, lambda news: [each.status for each in news.jobs] == ["interrupted"])
    before = len(heard.of(QueueNews))
    link.submit(folder)
    wait(lambda: any(each.jobs[0].status == "running" for each in heard.of(QueueNews)[before:] if each.jobs))
    link.ask("cancel", job=str(folder))
    heard.first(Answer, lambda news: news.do == "cancel")


@pytest.mark.slow
def test_a_killed_worker_fails_its_run_with_a_reason(heard: Heard, link: Link, tmp_path: Path, real: None) -> None:
    link.open(warm=True)
    link.submit(long_run(tmp_path / "runs"))
    running = heard.first(
        QueueNews,
        lambda news: (
            bool(news.status and news.status["workers"] and news.status["workers"][0]["job"])
            and any(each.status == "running" for each in news.jobs)
        ),
    )
    assert running.status is not None
    (run,) = list_runs(tmp_path / "runs").runs
    wait(lambda: run.events.exists() and b"step_done" in run.events.read_bytes())
    os.kill(running.status["workers"][0]["pid"], signal.SIGKILL)
    failed = heard.first(QueueNews, lambda news: [each.status for each in news.jobs] == ["failed"])
    assert "signal 9" in str(failed.jobs[0].error)
