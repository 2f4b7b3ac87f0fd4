"""HTTP/2 (RFC 9113) in cleartext: frames are written and read here, header blocks are decoded by libnghttp2,
which httpd's own mod_http2 needs too."""
import ctypes
import socket
import struct

from .wire import Response

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 1, 1, 4, 8, 32
WINDOW = 65535
PLENTY = 1 << 30


class Pair(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("value", ctypes.c_void_p), ("name_len", ctypes.c_size_t),
                ("value_len", ctypes.c_size_t), ("flags", ctypes.c_uint8)]


class Inflater:
    """HPACK (RFC 7541), the receiving side."""

    FINAL, EMIT = 1, 2

    def __init__(self):
        self.lib = ctypes.CDLL("libnghttp2.so.14")
        self.lib.nghttp2_hd_inflate_hd2.restype = ctypes.c_ssize_t
        self.state = ctypes.c_void_p()
        assert self.lib.nghttp2_hd_inflate_new(ctypes.byref(self.state)) == 0

    def decode(self, block):
        found, flags, pair = [], ctypes.c_int(0), Pair()
        while True:
            used = self.lib.nghttp2_hd_inflate_hd2(self.state, ctypes.byref(pair), ctypes.byref(flags), block,
                                                   ctypes.c_size_t(len(block)), 1)
            assert used >= 0, f"header block cannot be decoded: {used}"
            block = block[used:]
            if flags.value & self.EMIT:
                found.append((ctypes.string_at(pair.name, pair.name_len).decode("latin-1"),
                              ctypes.string_at(pair.value, pair.value_len).decode("latin-1")))
            if flags.value & self.FINAL:
                self.lib.nghttp2_hd_inflate_end_headers(self.state)
                return found

    def close(self):
        self.lib.nghttp2_hd_inflate_del(self.state)


def text(value):
    """A string literal without compression."""
    data = value.encode("latin-1")
    if len(data) < 127:
        return bytes([len(data)]) + data
    rest, out = len(data) - 127, b"\x7f"
    while rest >= 128:
        out += bytes([rest % 128 + 128])
        rest //= 128
    return out + bytes([rest]) + data


def encode(pairs):
    """Literal fields that are never indexed."""
    return b"".join(b"\x10" + text(name.lower()) + text(value) for name, value in pairs)


class Http2:
    """A connection that sends any number of requests at once."""

    def __init__(self, port, timeout=20):
        self.port = port
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.inflater, self.next = Inflater(), 1
        self.window, self.first_window, self.windows = WINDOW, WINDOW, {}
        self.open, self.heads, self.bodies, self.todo = set(), {}, {}, {}
        self.sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self.frame(SETTINGS, 0, 0, struct.pack(">HI", 4, PLENTY))
                          + self.frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", PLENTY)))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.sock.close()
        self.inflater.close()

    @staticmethod
    def frame(kind, flags, stream, payload=b""):
        return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload

    # sending

    def request(self, method, target, headers=(), body=None, length=True):
        """One request alone."""
        return self.many([(method, target, headers, body, length)])[0]

    def many(self, requests):
        """The responses to (method, target, headers, body, whether its length is announced), sent in one go."""
        streams, out = [], b""
        for request in requests:
            stream, head = self.begin(*request)
            streams.append(stream)
            out += head
        self.sock.sendall(out)
        self.send_bodies()
        while self.open & set(streams):
            self.receive()
        return [self.response(stream) for stream in streams]

    def begin(self, method, target, headers=(), body=None, length=True):
        stream, self.next = self.next, self.next + 2
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
        if body is not None and length:
            pairs.append(("content-length", str(len(body))))
        block = encode([(":method", method), (":scheme", "http"), (":authority", f"127.0.0.1:{self.port}"),
                        (":path", target)] + pairs)
        self.open.add(stream)
        self.windows[stream], self.bodies[stream] = self.first_window, b""
        if body is not None:
            self.todo[stream] = body
        return stream, self.frame(HEADERS, END_HEADERS | (END_STREAM if body is None else 0), stream, block)

    def send_bodies(self):
        for stream in list(self.todo):
            while stream in self.todo:
                body = self.todo[stream]
                room = min(self.window, self.windows[stream], 16384)
                if room <= 0 and body:
                    break
                part, rest = body[:room], body[room:]
                self.window -= len(part)
                self.windows[stream] -= len(part)
                self.sock.sendall(self.frame(DATA, 0 if rest else END_STREAM, stream, part))
                if rest:
                    self.todo[stream] = rest
                else:
                    del self.todo[stream]

    # receiving

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.sock.recv(count - len(data))
            if not more:
                raise EOFError("the connection ended")
            data += more
        return data

    def receive(self):
        head = self.exactly(9)
        length, kind, flags, stream = int.from_bytes(head[:3], "big"), head[3], head[4], int.from_bytes(head[5:], "big")
        payload = self.exactly(length)
        if kind == HEADERS:
            self.on_headers(stream, flags, payload)
        elif kind == DATA:
            self.bodies[stream] += payload[1:len(payload) - payload[0]] if flags & PADDED else payload
        elif kind == SETTINGS and not flags & ACK:
            self.on_settings(payload)
        elif kind == PING and not flags & ACK:
            self.sock.sendall(self.frame(PING, ACK, 0, payload))
        elif kind == WINDOW_UPDATE:
            self.on_window(stream, int.from_bytes(payload, "big"))
        elif kind == GOAWAY and payload[4:8] != bytes(4):
            raise EOFError(f"GOAWAY {payload!r}")
        elif kind == RST_STREAM:
            self.todo.pop(stream, None)
            self.open.discard(stream)
            if payload != bytes(4):  # else: answered, and the rest of the body is not wanted
                self.heads[stream] = None
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            self.open.discard(stream)

    def on_headers(self, stream, flags, payload):
        if flags & PADDED:
            payload = payload[1:len(payload) - payload[0]]
        if flags & PRIORITY:
            payload = payload[5:]
        while not flags & END_HEADERS:
            head = self.exactly(9)
            assert head[3] == CONTINUATION
            flags |= head[4]
            payload += self.exactly(int.from_bytes(head[:3], "big"))
        fields = self.inflater.decode(payload)
        if fields and fields[0][0] == ":status" and int(fields[0][1]) >= 200:
            self.heads[stream] = fields

    def on_settings(self, payload):
        for at in range(0, len(payload), 6):
            name, value = struct.unpack_from(">HI", payload, at)
            if name == 4:
                for stream in self.windows:
                    self.windows[stream] += value - self.first_window
                self.first_window = value
        self.sock.sendall(self.frame(SETTINGS, ACK, 0))
        self.send_bodies()

    def on_window(self, stream, more):
        if stream:
            self.windows[stream] = self.windows.get(stream, 0) + more
        else:
            self.window += more
        self.send_bodies()

    def response(self, stream):
        fields = self.heads.get(stream)
        if not fields:
            raise EOFError("the stream was reset")
        return Response(int(fields[0][1]), fields[1:], self.bodies[stream])
