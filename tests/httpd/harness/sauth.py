"""A SAuth client, independent of lib/."""
import base64
import hashlib
import hmac
import json
import math
import os
from urllib.parse import urlencode

from .site import SECRET, UID, b64url

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def hexmac(secret, text, hash="sha256"):
    data = text if isinstance(text, bytes) else text.encode()
    return hmac.new(secret, data, getattr(hashlib, hash)).hexdigest()


def from_b64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def response(secret, token, n, hash="sha256"):
    """b64url(token:hexhmac) with hexhmac = HMAC(secret, token + " " + N)."""
    n = n if isinstance(n, bytes) else n.encode()
    return b64url(f"{token}:{hexmac(secret, token.encode() + b' ' + n, hash)}".encode())


def authorization(secret, token, nonce, hash="sha256", raw=False):
    """The header value for a nonce as received (22 characters); `raw` sends its 16 bytes instead of its text."""
    n = from_b64url(nonce) if raw else nonce.encode()
    return f'SAuth response="{response(secret, token, n, hash)}",nonce="{b64url(n)}"'


class Client:
    """A client that requests a grant and uses it, with its oldest nonce first."""

    def __init__(self, server, uid=UID, secret=SECRET, hash="sha256", raw=False, at="/sauth"):
        self.server, self.uid, self.secret, self.hash, self.raw, self.at = server, uid, secret, hash, raw, at
        self.token = None
        self.nonces = []
        server.guard(secret, b64url(secret), base64.b64encode(secret), secret.hex())

    # access requests

    def stamp(self):
        """
        A timestamp that the server accepts. It does not know access requests from before its start, and therefore refuses
        proofs with timestamps up to start + skew. The first second after that is within its skew about a second
        after the start, so the clock is set ahead by at most that.
        """
        skew = self.server.site.skew
        first = math.floor(self.server.listening_at) + 1
        self.server.clock.reach(first + 0.01)
        return max(first + skew, int(self.server.clock.time()))

    def body(self, **members):
        """The access-request JSON; None removes a member."""
        whole = {"access_for": ["read"], "token_lifespan": 3600, "uid": self.uid, "id": os.urandom(9).hex()}
        whole.update(members)
        return json.dumps({name: value for name, value in whole.items() if value is not None}, separators=(",", ":"))

    def form(self, body, timestamp=None, hash=None, fields=()):
        """The four fields, signed; `fields` replaces some of them after signing, None removes one."""
        stamp = str(self.stamp() if timestamp is None else timestamp)
        mac = hexmac(self.secret, f"{stamp} {body}", hash or self.hash)
        self.server.guard(mac)
        whole = {"uid": self.uid, "timestamp": stamp, "hmac": mac, "body": body}
        whole.update(fields)
        self.server.guard(whole["hmac"] or "")
        return {name: value for name, value in whole.items() if value is not None}

    def submit(self, endpoint, form, **options):
        """Posts a form, given as a dict, pairs or bytes."""
        data = form if isinstance(form, bytes) else urlencode(form).encode()
        return self.server.post(f"{self.at}/{endpoint}", data, FORM, **options)

    def ask(self, timestamp=None, hash=None, fields=(), **members):
        """request_access; returns the response, and keeps the grant if there is one."""
        response = self.submit("request_access", self.form(self.body(**members), timestamp, hash, fields))
        if response.status == 200:
            self.keep(response)
        return response

    def keep(self, response):
        grant = response.json
        self.token = grant["token"]
        self.nonces = list(grant.get("nonces") or [response.nextnonce])
        assert self.nonces[0] == response.nextnonce
        self.server.guard(self.token)

    def granted(self, *capabilities, **members):
        """request_access that must succeed; returns the client."""
        if capabilities:
            members["access_for"] = list(capabilities)
        response = self.ask(**members)
        assert response.status == 200, repr(response)
        return self

    def refresh(self, token=None, **members):
        body = self.body(access_for=None, token=self.token if token is None else token, **members)
        response = self.submit("refresh_access", self.form(body))
        if response.status == 200:
            self.keep(response)
        return response

    def generate(self, method="GET"):
        """A fresh nonce."""
        response = self.server.request(method, f"{self.at}/generate_nonce", body=b"" if method == "POST" else None)
        assert response.status == 200, repr(response)
        return response.text

    # calls

    def header(self, nonce=None, token=None, secret=None, hash=None, raw=None):
        """An Authorization value; without a nonce it spends the oldest one held."""
        nonce = self.nonces.pop(0) if nonce is None else nonce
        token = self.token if token is None else token
        secret = self.secret if secret is None else secret
        value = authorization(secret, token, nonce, hash or self.hash, self.raw if raw is None else raw)
        self.watch(value)
        return value

    def bare(self, nonce, token=None, secret=None):
        """The bare form, over a next nonce in the encoding of this client."""
        n = from_b64url(nonce) if self.raw else nonce.encode()
        value = "SAuth " + response(secret or self.secret, token or self.token, n, self.hash)
        self.watch(value)
        return value

    def watch(self, value):
        """Guards the value of the header and its MAC, which must not be in a log."""
        inner = value.split('"')[1] if '"' in value else value.split(" ", 1)[1]
        self.server.guard(inner, from_b64url(inner).rsplit(b":", 1)[-1])

    def send(self, method, target, headers=(), body=None, authorization=None, nonce=None, **options):
        """A call with credentials; keeps the next nonce that the response brings."""
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
        pairs.append(("Authorization", authorization or self.header(nonce)))
        response = self.server.request(method, target, pairs, body, **options)
        self.take(response)
        return response

    def take(self, response):
        if response.nextnonce:
            self.nonces.append(response.nextnonce)
        elif response.status == 401 and response.challenge:
            self.nonces.append(response.challenge["nonce"])

    def get(self, target, headers=(), **options):
        return self.send("GET", target, headers, **options)

    def post(self, target, body, headers=(), **options):
        return self.send("POST", target, headers, body, **options)
