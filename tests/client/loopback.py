"""A small service on 127.0.0.1 that implements SAuth from its description, and can misbehave.

It is not under test itself: for the client it is a server like any other. It simulates faults that are hard to get from
httpd: a server that has just started, a broken response, a wrong clock.
"""
import base64
import hmac
import json
import os
import ssl
import threading
import time
import urllib.parse
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Service(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, uid, secret, certificate=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.uid, self.secret = uid, secret
        self.scheme = "https" if certificate else "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.lock = threading.Lock()
        self.capabilities = ["read", "update"]
        self.refusal = "invalid_credentials"  # of an unknown token
        self.access_refusal = None  # the code with which every access request is refused
        self.replays = None         # a set of used HMACs; access requests are then valid only once
        self.lifespan = 3600
        self.grants = {}            # token -> time of expiry
        self.nonces = set()         # issued and unused
        self.spent = set()
        self.seen = []              # (method, path, headers, body), in order of arrival
        self.starting = 0           # number of access requests that get "starting"
        self.retry_after = "1"
        self.nonce_endpoint = True
        self.give_nonces = True     # nonces in grants and in Authentication-Info
        self.clock_offset = 0
        self.trace = False
        self.response = None          # raw (status, headers, body) for every call of /open and below /app
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def origin(self):
        return "%s://127.0.0.1:%d" % (self.scheme, self.server_address[1])

    @property
    def base(self):
        return self.origin + "/sauth"

    def close(self):
        self.shutdown()
        self.thread.join()
        self.server_close()

    def handle_error(self, request, client_address):
        """Ignores clients that abort the handshake."""

    def nonce(self):
        text = b64(os.urandom(16))
        with self.lock:
            self.nonces.add(text)
        return text

    def requests(self, path):
        return [seen for seen in self.seen if seen[1] == path]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def date_time_string(self, timestamp=None):
        return formatdate(time.time() + self.server.clock_offset, usegmt=True)

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except (ConnectionError, BrokenPipeError):
            self.close_connection = True

    def send(self, status, body=b"", headers=(), media_type="text/plain"):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name == "Content-Type" for name, _ in headers):
            self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def problem(self, status, code, title, headers=()):
        body = json.dumps({"title": title, "status": status, "code": code}).encode()
        self.send(status, body, headers, "application/problem+json")

    def challenge(self, code, title, stale=False):
        value = 'Basic realm="x, SAuth", SAuth realm="orders", nonce="%s"%s' % (
            self.server.nonce(), ", stale=true" if stale else "")
        self.problem(401, code, title, [("WWW-Authenticate", value)])

    def any_method(self):
        service = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = self.path.split("?")[0]
        service.seen.append((self.command, path, self.headers, body))
        if self.command == "TRACE":
            return self.send(200 if service.trace else 405)
        if path in ("/sauth/request_access", "/sauth/refresh_access"):
            return self.access(path.endswith("refresh_access"), body)
        if path.endswith("/request_access"):
            return self.send(404, b"no such page", media_type="text/html")
        if path == "/sauth/generate_nonce":
            return self.send(200, service.nonce().encode()) if service.nonce_endpoint else self.send(404)
        if path == "/open":
            status, more, content = service.response or (200, [], b"open\n")
            return self.send(status, content, more)
        return self.application(body)

    do_GET = do_POST = do_PUT = do_HEAD = do_TRACE = do_PATCH = any_method

    def access(self, refresh, body):
        service = self.server
        if service.starting > 0:
            service.starting -= 1
            return self.problem(503, "starting", "Just started: send a newer access request",
                                [("Retry-After", service.retry_after)])
        form = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True))
        algorithm = "sha1" if len(form["hmac"]) == 40 else "sha256"
        text = (form["timestamp"] + " " + form["body"]).encode()
        request = json.loads(form["body"])
        if form["uid"] != service.uid or request["uid"] != service.uid or \
                not hmac.compare_digest(hmac.new(service.secret, text, algorithm).hexdigest(), form["hmac"]):
            return self.challenge("invalid_credentials", "Invalid credentials")
        if abs(int(form["timestamp"]) - time.time()) > 30:
            return self.challenge("stale_timestamp", "The timestamp is too old")
        if service.access_refusal:
            return self.challenge(service.access_refusal, "Not today")
        if service.replays is not None:
            if form["hmac"] in service.replays:
                return self.challenge("replayed_request", "The access request has already been used")
            service.replays.add(form["hmac"])
        lifespan = min(request.get("token_lifespan", service.lifespan), service.lifespan)
        if refresh:
            token = request["token"]
            if token not in service.grants:
                return self.problem(403, "token_unknown", "No such token")
        else:
            if not set(request["access_for"]) <= set(service.capabilities):
                return self.problem(403, "capability_not_held", "The participant does not hold that \x1b[31mcapability")
            token = b64(os.urandom(24))
        expires = time.time() + lifespan
        service.grants[token] = expires
        response = {"access_to": request.get("access_for", service.capabilities), "can_refresh": True, "token": token,
                  "timeout": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expires)), "uid": service.uid}
        headers = [("Cache-Control", "no-store")]
        if service.give_nonces:
            nonces = [service.nonce() for _ in range(request.get("nonces", 1))]
            if "nonces" in request:
                response["nonce"], response["nonces"] = nonces[0], nonces
            else:
                headers.append(("Authentication-Info", f'nextnonce="{nonces[0]}"'))
        self.send(200, json.dumps(response).encode(), headers, "application/json")

    def application(self, body):
        service = self.server
        value = self.headers.get("Authorization")
        if not value:
            return self.challenge("credentials_required", "Credentials required")
        parameters = dict(part.split("=", 1) for part in value[len("SAuth "):].split(","))
        token, mac = unb64(parameters["response"].strip('"')).decode().rsplit(":", 1)
        nonce = unb64(parameters["nonce"].strip('"')).decode()
        algorithm = "sha1" if len(mac) == 40 else "sha256"
        wanted = hmac.new(service.secret, (token + " " + nonce).encode(), algorithm).hexdigest()
        if token not in service.grants or not hmac.compare_digest(mac, wanted):
            return self.challenge(service.refusal, "Not this token")
        if service.grants[token] <= time.time():
            return self.challenge("token_expired", "The token has expired")
        with service.lock:
            replayed, known = nonce in service.spent, nonce in service.nonces
            service.spent.add(nonce)
            service.nonces.discard(nonce)
        if replayed or not known:
            code = "replayed_nonce" if replayed else "stale_nonce"
            return self.challenge(code, "Stale nonce", stale=True)
        headers = [("Authentication-Info", 'nextnonce="%s", qop=auth' % service.nonce())] \
            if service.give_nonces else []
        if service.response:
            status, more, content = service.response
            return self.send(status, content, headers + more)
        if self.path == "/app/denied":
            body = json.dumps({"title": "The grant does not contain the required capability", "code": "insufficient_capability"}).encode()
            return self.send(403, body, headers, "application/problem+json")
        echo = json.dumps({"method": self.command, "path": self.path, "body": body.decode("latin-1"),
                           "headers": {k.lower(): v for k, v in self.headers.items()
                                       if k.lower() != "authorization"}})
        self.send(200, echo.encode(), headers, "application/json")
