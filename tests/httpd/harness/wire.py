"""HTTP/1.1 with full control: tests can send anything, and see responses unchanged."""
import json
import re
import socket
import threading


class Response:
    """One response, with the interim ones before it."""

    def __init__(self, status, headers, body, interim=()):
        self.status = status
        self.headers = headers  # [(name, value)] as received
        self.body = body
        self.interim = list(interim)

    def __repr__(self):
        head = "".join(f"\n  {name}: {value}" for name, value in self.headers)
        return f"<{self.status}{head}\n  {self.body[:600]!r}>"

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name):
        """The one value of a field, or None; a repeated field is an error of the test's subject."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} is repeated: {self!r}"
        return values[0] if values else None

    @property
    def text(self):
        return self.body.decode("utf-8", "surrogateescape")

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def problem(self):
        """The problem+json body."""
        assert self.header("Content-Type") == "application/problem+json", repr(self)
        return self.json

    @property
    def nextnonce(self):
        """The nonce that Authentication-Info carries, or None."""
        value = self.header("Authentication-Info")
        if value is None:
            return None
        match = re.match(r'nextnonce="([A-Za-z0-9_-]{22})"', value)
        assert match, f"nextnonce is not the first, quoted parameter: {value}"
        return match.group(1)

    @property
    def challenge(self):
        """The parameters of the SAuth challenge as a dict, or None."""
        value = self.header("WWW-Authenticate")
        if value is None:
            return None
        match = re.fullmatch(r'SAuth realm="((?:[^"\\]|\\.)*)", nonce="([A-Za-z0-9_-]{22})"(, stale=true)?', value)
        assert match, f"not a SAuth challenge: {value}"
        return {"realm": match.group(1), "nonce": match.group(2), "stale": match.group(3) is not None}


class Connection:
    """One TCP connection to a server on this machine."""

    def __init__(self, port, timeout=15, source=None):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout, (source, 0) if source else None)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.sock.close()

    def send(self, data):
        """Sends; a server that already refused and closed is not an error of the client."""
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def half_close(self):
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _more(self):
        try:
            chunk = self.sock.recv(65536)
        except ConnectionResetError:
            chunk = b""
        self.buffer += chunk
        return bool(chunk)

    def _line(self):
        while b"\n" not in self.buffer:
            if not self._more():
                raise EOFError(f"connection closed after {self.buffer!r}")
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.rstrip(b"\r").decode("latin-1")

    def _exactly(self, count):
        while len(self.buffer) < count:
            if not self._more():
                raise EOFError(f"body ended {count - len(self.buffer)} bytes early")
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def _head(self):
        version, status = self._line().split(" ", 2)[:2]
        assert version.startswith("HTTP/1."), version
        headers = []
        while True:
            line = self._line()
            if not line:
                return int(status), headers
            name, value = line.split(":", 1)
            headers.append((name, value.strip()))

    def _chunks(self):
        body = b""
        while True:
            size = int(self._line().split(";")[0], 16)
            if size == 0:
                while self._line():
                    pass
                return body
            body += self._exactly(size)
            self._line()

    def interim(self):
        """Reads one response head and nothing else, such as a 100."""
        return self._head()

    def response(self, method="GET"):
        """Reads the next final response."""
        interim = []
        while True:
            status, headers = self._head()
            if status >= 200:
                break
            interim.append(status)
        got = Response(status, headers, b"", interim)
        if method == "HEAD" or status in (204, 304):
            return got
        if (got.header("Transfer-Encoding") or "").lower() == "chunked":
            got.body = self._chunks()
        elif got.header("Content-Length") is not None:
            got.body = self._exactly(int(got.header("Content-Length")))
        else:
            while self._more():
                pass
            got.body, self.buffer = self.buffer, b""
        return got


def message(port, method, target, headers=(), body=None, chunked=False, close=True, host=None):
    """The bytes of a request. `headers` is a dict or a list of pairs; strings are sent as latin-1."""
    pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
    names = {name.lower() for name, _ in pairs}
    if "host" not in names:
        pairs.insert(0, ("Host", host or f"127.0.0.1:{port}"))
    if close and "connection" not in names:
        pairs.append(("Connection", "close"))
    payload = b""
    if body is not None and chunked:
        pairs.append(("Transfer-Encoding", "chunked"))
        pieces = [body[at:at + 1000] for at in range(0, len(body), 1000)]
        payload = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    elif body is not None:
        if "content-length" not in names:
            pairs.append(("Content-Length", str(len(body))))
        payload = body
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in pairs) + "\r\n"
    return head.encode("latin-1") + payload


def exchange(port, data, method="GET", timeout=15):
    """Sends bytes on a fresh connection and reads one response."""
    with Connection(port, timeout) as connection:
        connection.send(data)
        return connection.response(method)


def request(port, method, target, headers=(), body=None, chunked=False, timeout=15, host=None):
    """One request on a fresh connection."""
    return exchange(port, message(port, method, target, headers, body, chunked, host=host), method, timeout)


def together(calls):
    """The sorted results of calls made at the same time."""
    results = []
    threads = [threading.Thread(target=lambda call=call: results.append(call())) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(results)
