"""A WebSocket at a protected location: its handshake is checked like any request, and uses a nonce."""
import re
import socket
import threading

from harness import Client, ENDPOINT, Site, location
from harness.upgrade import echo, upgrade, wait_for_tunnels


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

        client = Client(server).granted()
        value = client.header()
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
        head, connection = upgrade(server, client.header(nonce=fresh))
        connection.close()
        assert head.startswith("HTTP/1.1 101 "), head
        wait_for_tunnels(server, 2)
        listener.shutdown(socket.SHUT_RDWR)
