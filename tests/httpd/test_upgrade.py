"""A WebSocket behind a protected location: its handshake is judged as any request, and uses up a nonce."""
import re
import socket
import threading
import time

from harness import Caller, ENDPOINT, Site, location

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


def test_websocket(make_server):
    heads = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=echo, args=(listener, heads), daemon=True).start()
        server = make_server(Site(modules=("proxy", "proxy_http"), config=ENDPOINT + f"""
ProxyPass "/socket" "http://127.0.0.1:{listener.getsockname()[1]}/" upgrade=websocket
""" + location("/socket", "Require capability read")))
        server.log.expect("sauth: refused reason=credentials_missing")
        head, connection = upgrade(server)
        connection.close()
        assert head.startswith("HTTP/1.1 401 ") and heads == []

        caller = Caller(server).granted()
        value = caller.header()
        head, connection = upgrade(server, value)
        with connection:
            assert head.startswith("HTTP/1.1 101 "), head
            connection.sendall(b"through the tunnel")
            assert connection.recv(100) == b"through the tunnel"
        assert "Authorization" not in heads[0]
        assert "Authentication-Info" not in head, "docs/protocols/sauth.md says that a 101 has none"

        server.log.expect("sauth: refused reason=nonce_replayed")
        head, connection = upgrade(server, value)
        connection.close()
        assert head.startswith("HTTP/1.1 401 ") and len(heads) == 1, head
        fresh = re.search(r'nonce="([^"]+)", stale=true', head).group(1)
        head, connection = upgrade(server, caller.header(nonce=fresh))
        connection.close()
        assert head.startswith("HTTP/1.1 101 "), head
        wait_for_tunnels(server, 2)
        listener.shutdown(socket.SHUT_RDWR)
