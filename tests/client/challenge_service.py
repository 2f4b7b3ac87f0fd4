"""A small service on 127.0.0.1 that implements the challenge protocol from its description, and can misbehave.

It is not under test itself. It simulates faults that httpd does not have: a response without a signature, a wrong token,
a domain that changes.
"""
import hashlib
import hmac
import json
import math
import re
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import unescape

PROFILES = {"md5": 32, "hmac-sha256": 64}


def K(profile, secret, first, *more, separator=""):
    if profile == "md5":
        return hashlib.md5(separator.join([first, secret, *map(str, more)]).encode()).hexdigest()
    return hmac.new(secret.encode(), "\0".join(map(str, (first, *more))).encode(), "sha256").hexdigest()


def secret_of(profile, username, password, domain, separator=""):
    if profile == "md5":
        return K("md5", hashlib.md5(password).hexdigest(), username, domain, separator=separator)
    salt = hashlib.sha256(f"{username}|{domain}".encode()).digest()
    key = hashlib.scrypt(password, salt=salt, n=32768, r=8, p=3, maxmem=64 << 20, dklen=32).hex()
    return K(profile, key, username, domain)


class ChallengeService(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, password, username="guest", domain="example.org", separator=""):
        super().__init__(("127.0.0.1", 0), Handler)
        self.username, self.domain, self.separator, self.lifetime = username, domain, separator, 600
        self.secrets = {profile: secret_of(profile, username, password, domain, separator) for profile in PROFILES}
        self.challenges = {}  # unused ones: challenge -> profile
        self.tokens = {}      # token -> profile
        self.calls = []       # (method, path, body) of every request
        self.nonces = set()
        self.overrides = {}   # members that replace those of an auth.* response
        self.refuse = []      # (status, code) of the next requests, by path
        self.retry_after = "1"
        self.spoil = None     # a function that replaces a signed response of the application
        self.response = b'{"status":"valid","response":{"title":"a photo"}}'
        self.media_type = "application/json"
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def origin(self):
        return "http://127.0.0.1:%d" % self.server_address[1]

    base = property(lambda self: self.origin + "/sauth")
    app = property(lambda self: self.origin + "/app")

    def K(self, profile, first, *more):
        return K(profile, self.secrets[profile], first, *more, separator=self.separator)

    def window(self):
        return math.ceil(time.time() / self.lifetime) * self.lifetime

    def methods(self):
        return [call[0] for call in self.calls]

    def close(self):
        self.shutdown()
        self.thread.join()
        self.server_close()


class Refused(Exception):
    pass


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def send(self, status, body, media_type="application/json", headers=()):
        self.send_response(status)
        for name, value in (*headers, ("Content-Type", media_type), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        service, body = self.server, self.rfile.read(int(self.headers["Content-Length"]))
        is_xml = self.headers["Content-Type"] == "text/xml"
        call = dict(re.findall(rb"<(\w+)>(.*?)</\1>", body[5:], re.S)) if is_xml else json.loads(body)
        if is_xml:
            call = {name.decode(): unescape(value.decode()) for name, value in call.items()}
        service.calls.append((call["method"], self.path, body))
        try:
            if service.refuse:
                raise Refused(*service.refuse.pop(0))
            if self.path == "/sauth/challenge" or call["method"].startswith("auth."):
                response = {**self.auth(call["method"], call["request"]), **service.overrides.get(call["method"], {})}
                return self.send(200, json.dumps({"status": "valid", "response": response}).encode())
            return self.application(call, body, is_xml)
        except Refused as refused:
            status, code = refused.args
            error = json.dumps({"status": "error", "error": {"code": code, "message": "Not this \x1b[31mway"}})
            headers = [("Retry-After", service.retry_after)] if status == 503 else []
            return self.send(status, error.encode(), headers=headers)

    def auth(self, method, request):
        service = self.server
        if method == "auth.request":
            challenge = secrets.token_hex(16)
            service.challenges[challenge] = request.get("profile", "md5")
            return {"lifetime": service.lifetime, "challenge": challenge, "profile": service.challenges[challenge],
                    "domain": service.domain}
        window = service.window()
        if method == "auth.token":
            profile = service.challenges.pop(request["challenge"], None)
            token = service.K(profile, request["challenge"], window)
            if service.K(profile, token, window) != request["signature"]:
                raise Refused(401, "invalid_credentials")
            service.tokens[token] = profile
            return {"token": token}
        assert method == "auth.refresh"
        profile = service.tokens.get(request["token"])
        stamp = ["auth.refresh", request["nonce"], request["timestamp"], ""] if profile == "hmac-sha256" else []
        if not profile or service.K(profile, request["token"], window, *stamp) != request["signature"]:
            raise Refused(401, "invalid_credentials")
        token = secrets.token_hex(PROFILES[profile] // 2)
        service.tokens[token] = profile
        return {"token": token, "signature": service.K(profile, token, window)}

    def application(self, call, body, is_xml):
        service, window = self.server, self.server.window()
        profile = service.tokens.get(call["token"])
        if is_xml:
            request = body[body.index(b"<request>") + 9:body.rindex(b"</request>")]
        else:
            request = body[body.index(b'"request":') + 10:-1]
        stamp = [call["method"], call["nonce"], call["timestamp"], request.decode()] if profile == "hmac-sha256" else []
        if not profile or service.K(profile, call["token"], window, *stamp) != call["signature"]:
            raise Refused(401, "invalid_credentials")
        response = service.response
        if profile == "hmac-sha256":
            assert call["nonce"] not in service.nonces and abs(int(call["timestamp"]) - time.time()) < 30
            service.nonces.add(call["nonce"])
            digest = hashlib.sha256(response).hexdigest()
            signature = service.K(profile, call["token"], window, "response", call["nonce"], digest).encode()
            end = b"</xml>" if service.media_type == "text/xml" else b"}"
            member = b"<signature>%s</signature>" if service.media_type == "text/xml" else b',"signature":"%s"'
            head, _, tail = response.rpartition(end)
            response = head + member % signature + end + tail
        if service.spoil:
            response = service.spoil(response)
        return self.send(200, response, service.media_type)
