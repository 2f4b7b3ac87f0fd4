"""A backend that switches to another protocol with 101, and a client that requests it."""
import socket
import time

SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")


def head_of(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(4096)
        assert more, data
        data += more
    return data.split(b"\r\n\r\n", 1)


def echo(listener, heads):
    """Takes connections, switches each to another protocol, and sends back what comes."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            heads.append(head_of(connection)[0].decode())
            connection.sendall(SWITCH)
            while data := connection.recv(4096):
                connection.sendall(data)


def upgrade(server, authorization=None):
    """Asks for an upgrade; returns the head of the response and the connection."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
    lines = ["GET /socket HTTP/1.1", f"Host: 127.0.0.1:{server.port}", "Connection: Upgrade", "Upgrade: websocket",
             "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    if authorization:
        lines.append(f"Authorization: {authorization}")
    connection.sendall("\r\n".join(lines + ["", ""]).encode())
    return head_of(connection)[0].decode(), connection


def wait_for_tunnels(server, count):
    """A tunnel is in the access log once it has ended; httpd that is stopped before may wait for its timeout."""
    path = server.root / "logs" / "access.log"
    deadline = time.monotonic() + 20
    while path.read_text().count(" 101 ") < count:
        assert time.monotonic() < deadline, path.read_text()
        time.sleep(0.01)
