"""A client of the challenge protocol, in JSON and in XML, independent of lib/."""
import functools
import hashlib
import hmac
import json
import os
import re
import time
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from .site import UID, participant
from .verdict import HTTPD_DENIES

ENDPOINT = "/sauth/challenge"
DOMAIN = "example.org"
PASSWORD = "correct horse battery staple"
MD5, HMAC = "md5", "hmac-sha256"
TYPES = {"json": "application/json", "xml": "text/xml"}


def md5(*parts):
    return hashlib.md5("".join(parts).encode()).hexdigest()


def mac(key, *parts):
    """HMAC over the parts, joined by NUL; the key is text."""
    data = b"\0".join(part if isinstance(part, bytes) else part.encode() for part in parts)
    return hmac.new(key.encode(), data, hashlib.sha256).hexdigest()


@functools.lru_cache(maxsize=None)
def stretched(username, password, domain):
    salt = hashlib.sha256(f"{username}|{domain}".encode()).digest()
    return hashlib.scrypt(password.encode(), salt=salt, n=32768, r=8, p=3, maxmem=1 << 26, dklen=32).hex()


def secret_of(profile, username=UID, password=PASSWORD, domain=DOMAIN, separator=""):
    if profile == MD5:
        return md5(username, separator, md5(password), separator, domain)
    return mac(stretched(username, password, domain), username, domain)


def person(uid=UID, capabilities=("read", "update"), password=PASSWORD, profiles=(MD5, HMAC), separator="", **members):
    """A record with challenge secrets, and no shared secret unless it is given."""
    secrets = {profile: secret_of(profile, uid, password, separator=separator) for profile in profiles}
    members.setdefault("secret", None)
    return participant(uid, capabilities, challenge_secret=secrets or None, **members)


def window(at=None, lifetime=600):
    return -(-int(time.time() if at is None else at) // lifetime) * lifetime


class Reply:
    """A response in either format."""

    def __init__(self, response, format):
        self.http, self.status = response, response.status
        kind = (response.header("Content-Type") or "").split(";")[0]
        assert kind == TYPES[format], repr(response)
        if format == "json":
            whole = response.json
        else:
            root = ElementTree.fromstring(response.body)
            assert root.tag == "xml", repr(response)
            whole = {child.tag: {leaf.tag: leaf.text for leaf in child} or (child.text or "") for child in root}
        self.whole = whole
        self.state = whole["status"]
        self.response = whole.get("response")
        self.error = whole.get("error")
        self.signature = whole.get("signature")
        assert self.state == ("valid" if response.status == 200 else "error"), repr(response)


class ChallengeClient:
    """A user: asks for a challenge, turns it into a token, and calls."""

    def __init__(self, server, username=UID, password=PASSWORD, profile=HMAC, format="json", separator="", lifetime=600,
                 at=ENDPOINT, domain=DOMAIN):
        self.server, self.username, self.profile, self.format, self.at = server, username, profile, format, at
        self.separator, self.lifetime = separator, lifetime
        self.secret = secret_of(profile, username, password, domain, separator)
        self.token = None
        server.guard(self.secret, password)

    # arithmetic

    def k(self, first, *more):
        if self.profile == MD5:
            return md5(first, self.separator, self.secret, self.separator, more[0])
        return mac(self.secret, first, *more)

    def window(self):
        return str(window(self.server.clock.time(), self.lifetime))

    def stamp(self):
        """A timestamp that the server accepts; see harness.sauth.Client.stamp."""
        first = int(self.server.listening_at) + 1
        self.server.clock.reach(first + 0.01)
        return max(first + self.server.site.skew, int(self.server.clock.time()))

    # the wire

    def text(self, method, request, **members):
        """A call. `request` is a dict of texts, or the bytes of the app's own."""
        members = {name: value for name, value in members.items() if value is not None}
        if self.format == "json":
            inner = request if isinstance(request, str) else json.dumps(request)
            head = "".join(f'"{name}":{json.dumps(value)},' for name, value in {"method": method, **members}.items())
            return f'{{{head}"request":{inner}}}'
        if not isinstance(request, str):
            request = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in request.items())
        head = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in {"method": method, **members}.items())
        return f"<xml>{head}<request>{request}</request></xml>"

    def post(self, target, text, headers=(), **options):
        pairs = [("Content-Type", TYPES[self.format])]
        pairs += list(headers.items()) if isinstance(headers, dict) else list(headers)
        return self.server.post(target, text.encode() if isinstance(text, str) else text, pairs, **options)

    def exchange(self, method, request):
        return Reply(self.post(self.at, self.text(method, request)), self.format)

    # auth.*

    def request(self, **members):
        whole = {"username": self.username, "profile": self.profile, **members}
        return self.exchange("auth.request", {name: value for name, value in whole.items() if value is not None})

    def challenge(self):
        reply = self.request()
        assert reply.status == 200, repr(reply.http)
        return reply.response["challenge"]

    def make(self, challenge, nonce=None):
        """(token, signature) that this user makes of a challenge."""
        nonce = self.window() if nonce is None else nonce
        token = self.k(challenge, nonce)
        signature = self.k(token, nonce)
        self.server.guard(token, signature)
        return token, signature

    def redeem(self, challenge, nonce=None, signature=None):
        token, right = self.make(challenge, nonce)
        return token, self.exchange("auth.token", {"challenge": challenge, "signature": signature or right})

    def login(self):
        """Gets a token, and retries if other logins of the same user interfere."""
        for _ in range(100):
            token, reply = self.redeem(self.challenge())
            if reply.status == 200:
                assert reply.response == {"token": token}
                self.token = token
                return self
            assert reply.error["code"] == "replayed_challenge", repr(reply.http)
        raise AssertionError("no token in 100 attempts")

    def refresh_members(self, token=None, nonce=None, timestamp=None, **members):
        token = token or self.token
        if self.profile == MD5:
            whole = {"token": token, "signature": self.k(token, self.window())}
        else:
            nonce, timestamp = nonce or os.urandom(12).hex(), str(timestamp or self.stamp())
            signature = self.k(token, self.window(), "auth.refresh", nonce, timestamp, "")
            whole = {"token": token, "signature": signature, "nonce": nonce, "timestamp": timestamp}
        self.server.guard(whole["signature"])
        whole.update(members)
        return {name: value for name, value in whole.items() if value is not None}

    def refresh(self, members=None, keep=True):
        reply = self.exchange("auth.refresh", members or self.refresh_members())
        if reply.status == 200:
            self.server.guard(reply.response["token"], reply.response["signature"])
            now, token = window(self.server.clock.time(), self.lifetime), reply.response["token"]
            assert reply.response["signature"] in [self.k(token, str(now - back)) for back in (0, self.lifetime)]
            if keep:
                self.token = reply.response["token"]
        return reply

    # calls of the app

    def call_members(self, method, request, token=None, nonce=None, timestamp=None, **replaced):
        """The members of a signed call by this user; `replaced` are put in after signing, None removes one."""
        token = token or self.token
        if self.profile == MD5:
            whole = {"token": token, "signature": self.k(token, self.window())}
        else:
            inner = request if isinstance(request, str) else self.inner(request)
            nonce = nonce or os.urandom(12).hex()
            timestamp = self.stamp() if timestamp is None else timestamp
            self.signed_in = self.window()
            signature = self.k(token, self.signed_in, method, nonce, str(timestamp), inner)
            whole = {"token": token, "signature": signature, "nonce": nonce, "timestamp": timestamp}
        self.server.guard(whole["signature"])
        whole.update(replaced)
        return whole

    def inner(self, request):
        if self.format == "json":
            return json.dumps(request)
        return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in request.items())

    def call(self, target, method="orders.list", request=None, headers=(), options=None, **members):
        """A signed call of the app."""
        request = {"page": "1"} if request is None else request
        self.sent = self.call_members(method, request, **members)
        self.body = self.text(self.sent.pop("method", method), self.sent.pop("request", request), **self.sent).encode()
        return self.post(target, self.body, headers, **(options or {}))

    def verify(self, response):
        """The response without its signature, which must be valid."""
        pattern = rb'(.*?),?"signature":"([0-9a-f]{64})"(\s*\}\s*)' if self.format == "json" else \
            rb'(.*)<signature>([0-9a-f]{64})</signature>(</xml>\s*)'
        match = re.fullmatch(pattern, response.body, re.DOTALL)
        assert match, f"not signed: {response!r}"
        plain = match.group(1) + match.group(3)
        digest = hashlib.sha256(plain).hexdigest()
        right = self.k(self.sent["token"], self.signed_in, "response", self.sent["nonce"], digest)
        assert right == match.group(2).decode(), repr(response)
        return plain


def rejected(server, response, status, code, reason, format="json", level="warn", ways="Challenge"):
    """Asserts a refusal in the protocol's format, and its log line."""
    reply = Reply(response, format)
    assert response.status == status, repr(response)
    assert reply.error["code"] == code and reply.error["message"], repr(response)
    assert set(reply.error) == {"code", "message"} and set(reply.whole) <= {"status", "error", "signature"}, repr(response)
    asked = [value.split()[0] for value in response.all("WWW-Authenticate")]
    assert asked == (ways.split() if status == 401 else []), repr(response)
    assert bool(response.header("Retry-After")) == (status in (429, 503)), repr(response)
    line = rf"\[sauth:{level}\] .*sauth: refused reason=(?:{reason})( |$)"
    server.log.expect(line)
    if status == 403:
        server.log.allow(HTTPD_DENIES)
    return server.log.next(line)
