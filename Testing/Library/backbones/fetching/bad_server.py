"""A real HTTP server on this computer that does, request by request, what servers do wrong."""

import contextlib
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class BadServer:
    """``plan`` maps a path to behaviors, one per request; the last one stays. ``seen`` are
    (path, headers) of all requests."""

    def __init__(self):
        self.files, self.plan, self.seen = {}, {}, []
        self.closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.seen.append((self.path, dict(self.headers)))
                behaviors = outer.plan.get(self.path, [])
                behavior = (behaviors.pop(0) if len(behaviors) > 1 else behaviors[0]) if behaviors \
                    else well  # fmt: skip
                with contextlib.suppress(ConnectionError):
                    behavior(self, outer.files.get(self.path), outer)

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.http.server_port}"

    def serve(self, path, content, *behaviors):
        """The URL of a file and how it is given."""
        self.files[path], self.plan[path] = content, list(behaviors)
        return self.address + path

    def ranges(self, path):
        return [headers.get("Range") for name, headers in self.seen if name == path]

    def close(self):
        self.closing.set()
        self.http.shutdown()
        self.http.server_close()


def head(handler, status, length, **headers):
    handler.send_response(status)
    if length is not None:
        handler.send_header("Content-Length", str(length))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()


def wanted_range(handler, content):
    text = handler.headers.get("Range")
    return int(text.removeprefix("bytes=").rstrip("-")) if text else None


def start_answer(handler, content):
    """Status line and headers of an honest answer; what is to follow."""
    start = wanted_range(handler, content)
    if start is None:
        head(handler, 200, len(content))
        return content
    if start >= len(content):
        head(handler, 416, 0, Content_Range=f"bytes */{len(content)}")
        return b""
    told = f"bytes {start}-{len(content) - 1}/{len(content)}"
    head(handler, 206, len(content) - start, Content_Range=told)
    return content[start:]


def well(handler, content, server):
    if content is None:
        head(handler, 404, 0)
        return
    handler.wfile.write(start_answer(handler, content))


def truncates(share=0.5):
    def behave(handler, content, server):
        rest = start_answer(handler, content)
        handler.wfile.write(rest[: int(len(rest) * share)])
        handler.close_connection = True

    return behave


def stalls(share=0.5, seconds=30.0):
    def behave(handler, content, server):
        rest = start_answer(handler, content)
        handler.wfile.write(rest[: int(len(rest) * share)])
        handler.wfile.flush()
        server.closing.wait(seconds)
        handler.close_connection = True

    return behave


def never_answers(handler, content, server):
    server.closing.wait(30)
    handler.close_connection = True


def resets(share=0.5):
    def behave(handler, content, server):
        rest = start_answer(handler, content)
        handler.wfile.write(rest[: int(len(rest) * share)])
        handler.wfile.flush()
        time.sleep(0.05)
        # Closing with linger 0 sends RST.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.close()
        handler.close_connection = True

    return behave


def lies_about_length(factor):
    def behave(handler, content, server):
        head(handler, 200, int(len(content) * factor))
        handler.wfile.write(content)
        handler.close_connection = True

    return behave


def announces_nothing(handler, content, server):
    """HTTP/1.0 style: the end of the connection is the end of the file."""
    head(handler, 200, None, Connection="close")
    handler.wfile.write(content)
    handler.close_connection = True


def sends(other):
    """Other bytes, in good order."""

    def behave(handler, content, server):
        well(handler, other, server)

    return behave


def ignores_range(handler, content, server):
    head(handler, 200, len(content))
    handler.wfile.write(content)


def sends_another_range(handler, content, server):
    start = (wanted_range(handler, content) or 0) + 7
    told = f"bytes {start}-{len(content) - 1}/{len(content)}"
    head(handler, 206, len(content) - start, Content_Range=told)
    handler.wfile.write(content[start:])


def answers(status, **headers):
    def behave(handler, content, server):
        head(handler, status, 0, **headers)

    return behave


def redirects(target):
    return answers(302, Location=target)


def slowly(pause_s, block):
    def behave(handler, content, server):
        rest = start_answer(handler, content)
        for start in range(0, len(rest), block):
            handler.wfile.write(rest[start : start + block])
            handler.wfile.flush()
            if server.closing.wait(pause_s):
                return

    return behave


def drips(share=0.5, pause_s=0.02):
    """A byte now and then, for ever: no wait for one is long."""

    def behave(handler, content, server):
        rest = start_answer(handler, content)
        start = int(len(rest) * share)
        handler.wfile.write(rest[:start])
        for number in range(start, len(rest)):
            handler.wfile.write(rest[number : number + 1])
            handler.wfile.flush()
            if server.closing.wait(pause_s):
                return

    return behave


def drips_its_headers(handler, content, server):
    """The answer itself never begins."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Words: " + b"a" * 5_000:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        if server.closing.wait(0.02):
            return


def lets_go_after(count):
    def behave(handler, content, server):
        handler.wfile.write(start_answer(handler, content)[:count])
        handler.close_connection = True

    return behave
