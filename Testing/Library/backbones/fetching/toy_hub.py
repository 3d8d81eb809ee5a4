"""A small Hugging Face hub: enough of its protocol for the hub's own library."""

import contextlib
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" + "0" * 34


class ToyHub:
    """``repositories``: of each id the content of its files by path. ``lies``: (id, path) whose
    announced sum is another file's. ``gated``: ids that want the token "good". ``plan``: of
    (id, path) how its content is given, one of bad_server's behaviors per request. ``silent``: ids
    that announce no sha256."""

    def __init__(self):
        self.repositories, self.lies, self.gated, self.seen = {}, set(), set(), []
        self.silent = set()
        self.plan, self.closing = {}, threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.seen.append((self.command, unquote(urlsplit(self.path).path)))
                outer.answer(self)

            do_HEAD = do_GET

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.http.server_port}"

    def fetched(self):
        return [path for command, path in self.seen if command == "GET" and "/resolve/" in path]

    def answer(self, handler):
        path = unquote(urlsplit(handler.path).path).lstrip("/")
        if path.startswith("api/models/"):
            name = "/".join(path.split("/")[2:4])
            body = json.dumps(self.info(name)).encode() if name in self.repositories else None
        elif path.count("/") < 4:
            name, body = path, None
        else:
            owner, repository, _, _, *rest = path.split("/")
            name = f"{owner}/{repository}"
            body = self.repositories.get(name, {}).get("/".join(rest))
        if name in self.gated and handler.headers.get("Authorization") != "Bearer good":
            self.send(handler, 401, b"", {"X-Error-Code": "GatedRepo"})
        elif handler.command == "GET" and self.plan.get((name, "/".join(path.split("/")[4:]))):
            behaviors = self.plan[name, "/".join(path.split("/")[4:])]
            behavior = behaviors.pop(0) if len(behaviors) > 1 else behaviors[0]
            with contextlib.suppress(ConnectionError):
                behavior(handler, body, self)
        elif body is None:
            self.send(handler, 404, b"", {"X-Error-Code": "RepoNotFound"})
        else:
            large = path.endswith(".safetensors")
            digest = hashlib.sha256(body).hexdigest() if large else git_sum(body)
            told = {"ETag": f'"{digest}"', "X-Repo-Commit": COMMIT}
            self.send(handler, 200, body, told)

    def info(self, name):
        siblings = []
        for path, data in self.repositories[name].items():
            announced = b"other" if (name, path) in self.lies else data
            one = {"rfilename": path, "size": len(data), "blobId": git_sum(announced)}
            if path.endswith(".safetensors") and name not in self.silent:
                digest = hashlib.sha256(announced).hexdigest()
                one["lfs"] = {"sha256": digest, "size": len(data), "pointerSize": 130}
            siblings.append(one)
        return {"_id": "1", "id": name, "modelId": name, "sha": COMMIT, "siblings": siblings,
                "private": False, "gated": False, "disabled": False, "tags": [], "downloads": 0,
                "likes": 0}  # fmt: skip

    @staticmethod
    def send(handler, status, body, headers):
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command == "GET":
            handler.wfile.write(body)

    def close(self):
        self.closing.set()
        self.http.shutdown()
        self.http.server_close()


def git_sum(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
