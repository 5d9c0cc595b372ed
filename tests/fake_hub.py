"""A Hub on 127.0.0.1 that speaks the few requests that downloading needs: HEAD with hash and commit, GET with ranges."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote


def git_hash(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def etag_of(name: str, content: bytes) -> str:
    """Large files are named by SHA-256, small ones by git's hash."""
    return hashlib.sha256(content).hexdigest() if name.endswith(".safetensors") else git_hash(content)


@dataclass
class FakeHub:
    """What is there, and what was asked for."""

    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """Contents by repository (a Space's begins with `spaces/`) and file name."""
    commit: str = "c" * 40
    url: str = ""
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Method, path and Range of each request."""
    break_after: int | None = None
    """Bytes of a body after which the connection is cut, once."""
    served: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """Contents to send instead of the right ones."""
    status: int = 200
    pause: float = 0
    """Seconds between pieces of a body."""

    def gets(self, name: str) -> list[str | None]:
        """The Range of every GET of a file of this name."""
        return [wanted for method, path, wanted in self.asked if method == "GET" and path.endswith(f"/{name}")]


@contextmanager
def fake_hub() -> Iterator[FakeHub]:
    hub = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def log_message(self, *arguments: object) -> None:
            pass

        def _answer(self, body: bool) -> None:
            path = unquote(self.path)
            hub.asked.append((self.command, path, self.headers.get("Range")))
            repo, _, rest = path.lstrip("/").partition("/resolve/")
            revision, _, name = rest.partition("/")
            content = hub.files.get((repo, name))
            if hub.status != 200 or content is None or revision not in ("main", "v2", hub.commit):
                code = "RevisionNotFound" if content is not None else "EntryNotFound"
                known = any(repo == there for there, _ in hub.files)
                self.send_response(hub.status if hub.status != 200 else 404)
                if hub.status == 200:
                    self.send_header("X-Error-Code", code if known else "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            etag = etag_of(name, content)
            content = hub.served.get((repo, name), content)
            start = 0
            if wanted := self.headers.get("Range"):
                start = int(wanted.removeprefix("bytes=").rstrip("-"))
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            self.send_header("X-Repo-Commit", hub.commit)
            self.send_header("ETag", f'"{etag}"')
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            if body:
                if hub.break_after is not None and len(content) > hub.break_after:
                    self.wfile.write(content[start : start + hub.break_after])
                    hub.break_after = None
                    self.wfile.flush()
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                with suppress(ConnectionError):  # the client has had enough
                    for at in range(start, len(content), 100_000 if hub.pause else len(content)):
                        self.wfile.write(content[at : at + 100_000] if hub.pause else content[start:])
                        time.sleep(hub.pause)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
