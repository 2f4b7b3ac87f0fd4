"""explain FILE without a key: saved requests and responses of every scheme, and broken ones."""
import base64
import hashlib
import json
import random
import urllib.parse

import pytest

UID = "http://www.example.org"
TOKEN = "2E82CF26-E5EE-11F1-8470-78AEB6B8DC6E"
NONCE = "JY55RaYo5GfMD6r8fxNr7A"
MAC = "4601352554fe93f4321fa9edf5e461b105eaf901"
LONG_MAC = "5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592"
SECRETS = [TOKEN, NONCE, MAC, LONG_MAC]


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def request(body=b"", kind=None, target="/sauth/x", fields=()):
    lines = ["POST %s HTTP/1.1" % target, "Host: orders.example", *fields]
    if kind:
        lines.append("Content-Type: " + kind)
    return "\r\n".join([*lines, "Content-Length: %d" % len(body), "", ""]).encode() + body


def response(status, body=b"", kind=None, fields=()):
    lines = ["HTTP/1.1 %d Whatever" % status, *fields]
    if kind:
        lines.append("Content-Type: " + kind)
    return "\r\n".join([*lines, "", ""]).encode() + body


def form(body, mac=LONG_MAC):
    return urllib.parse.urlencode({"uid": UID, "timestamp": "1300000000", "hmac": mac, "body": json.dumps(body)}).encode()


def sauth(nonce=True, mac=MAC):
    pair = b64((TOKEN + ":" + mac).encode())
    return 'Authorization: SAuth response="%s",nonce="%s"' % (pair, b64(NONCE.encode())) if nonce else \
        "Authorization: SAuth " + pair


FORM = "application/x-www-form-urlencoded"
ACCESS = {"uid": UID, "access_for": ["read", "update"], "token_lifespan": 72000, "aud": "https://orders.example/sauth"}
CALL = {"method": "orders.list", "token": LONG_MAC, "signature": LONG_MAC, "nonce": NONCE, "timestamp": 1300000000,
        "request": {"page": 1}}
XML_CALL = ("<xml><method>orders.list</method><token>%s</token><signature>%s</signature><nonce>%s</nonce>"
            "<timestamp>1300000000</timestamp><request><page>1</page></request></xml>" % (LONG_MAC, LONG_MAC, NONCE))
SIGNED = ['Signature-Input: sig1=("@method" "@path");created=1300000000;expires=1300000060;keyid="k1";nonce="%s"' % NONCE,
          "Signature: sig1=:%s:" % base64.b64encode(b"s" * 64).decode()]
DIGEST = "Content-Digest: sha-256=:%s:" % base64.b64encode(hashlib.sha256(b"{}").digest()).decode()
TIME = "2011-03-13T07:06:40Z"

# name: message, and some of its parts as (where, name, value); a value that ends in ".." is a prefix.
SAMPLES = {
    "sauth": (request(fields=[sauth()]), [("Authorization", "scheme", "SAuth"), ("Authorization", "token", "2E82.."),
                                          ("Authorization", "hmac", "4601.."), ("Authorization", "nonce", "JY55..")]),
    "sauth-bare": (request(fields=[sauth(False, LONG_MAC)]), [("Authorization", "token", "2E82..")]),
    "basic": (request(fields=["Authorization: Basic " + NONCE]), [("Authorization", "scheme", "Basic")]),
    "access": (request(form(ACCESS), FORM), [("form", "uid", UID), ("form", "timestamp", TIME), ("form", "hmac", "5d41.."),
                                             ("form, body", "access_for", "read,update"),
                                             ("form, body", "token_lifespan", "72000"),
                                             ("form, body", "aud", "https://orders.example/sauth")]),
    "refresh": (request(form({"uid": UID, "token": TOKEN}, MAC), FORM), [("form, body", "token", "2E82..")]),
    "form-alone": (form(ACCESS) + b"\n", [("form", "timestamp", TIME)]),
    "access-json": (json.dumps(ACCESS).encode(), [("access request", "access_for", "read,update")]),
    "grant": (response(200, json.dumps({"access_to": ["read"], "can_refresh": True, "timeout": "2011-03-13T08:06:40+01:00",
                                        "token": TOKEN, "uid": UID}).encode(), "application/json",
                       ['Authentication-Info: nextnonce="%s"' % NONCE, "Date: Sun, 13 Mar 2011 07:06:40 GMT"]),
              [("grant", "timeout", TIME), ("grant", "token", "2E82.."), ("grant", "can_refresh", "true"),
               ("Authentication-Info", "nextnonce", "JY55.."), ("Date", "time", TIME)]),
    "nonce": (response(200, NONCE.encode(), "text/plain"), [("body", "nonce", "JY55..")]),
    "refused": (response(401, json.dumps({"type": "about:blank", "title": "Stale", "status": 401,
                                          "code": "invalid_credentials"}).encode(), "application/problem+json",
                         ['WWW-Authenticate: SAuth realm="a, \\"b\\"", nonce="%s", stale=true, Challenge realm=c' % NONCE,
                          "Retry-After: 7"]),
                [("WWW-Authenticate", "scheme", "SAuth"), ("WWW-Authenticate", "realm", 'a, "b"'),
                 ("WWW-Authenticate", "nonce", "JY55.."), ("WWW-Authenticate", "stale", "true"),
                 ("WWW-Authenticate", "scheme", "Challenge"), ("WWW-Authenticate", "realm", "c"),
                 ("Retry-After", "seconds", "7"), ("problem", "code", "invalid_credentials"), ("problem", "status", "401")]),
    "call": (request(json.dumps(CALL).encode(), "application/json"),
             [("call", "method", "orders.list"), ("call", "token", "5d41.."), ("call", "timestamp", TIME)]),
    "call-xml": (request(XML_CALL.encode(), "text/xml"),
                 [("call", "method", "orders.list"), ("call", "nonce", "JY55.."), ("call", "timestamp", TIME)]),
    "auth.request": (b'{"method":"auth.request","request":{"username":"guest"}}', [("request", "username", "guest")]),
    "auth.token": (json.dumps({"method": "auth.token", "request": {"challenge": LONG_MAC[:32],
                                                                   "signature": LONG_MAC}}).encode(),
                   [("request", "challenge", "5d41.."), ("request", "signature", "5d41..")]),
    "auth.refresh": (("<xml><method>auth.refresh</method><request><token>%s</token><signature>%s</signature><nonce>%s</nonce>"
                      "<timestamp>1300000000</timestamp></request></xml>" % (LONG_MAC, LONG_MAC, NONCE)).encode(),
                     [("request", "token", "5d41.."), ("request", "timestamp", TIME)]),
    "response": (response(200, json.dumps({"status": "valid", "response": {"lifetime": 600, "challenge": LONG_MAC[:32],
                                                                         "profile": "md5", "domain": "d"}}).encode(),
                        "application/json"),
               [("response", "lifetime", "600"), ("response", "challenge", "5d41.."), ("response", "domain", "d")]),
    "response-xml": (response(401, b"<xml><status>error</status><error><code>token_expired</code><message>Old</message></error>"
                                 b"</xml>", "text/xml"), [("response", "code", "token_expired"), ("response", "message", "Old")]),
    "signed": (request(b"{}", "application/json", fields=[*SIGNED, DIGEST]),
               [("Signature-Input, Signature", "covered", '"@method" "@path"'),
                ("Signature-Input, Signature", "created", TIME), ("Signature-Input, Signature", "nonce", "JY55.."),
                ("Signature-Input, Signature", "keyid", "k1"), ("Content-Digest", "algorithm", "sha-256")]),
    "header": ("\n".join(SIGNED).encode() + b"\n", [("Signature-Input, Signature", "label", "sig1")]),
    "interim": (b"HTTP/1.1 100 Continue\r\n\r\n" + response(401, fields=["WWW-Authenticate: SAuth realm=a"]),
                [("WWW-Authenticate", "realm", "a")]),
}


@pytest.fixture
def explain(interauth):
    interauth.canaries.update(SECRETS)

    def explain_text(message, *more):
        path = interauth.home / "message"
        path.write_bytes(message)
        return interauth("explain", *more, path)

    return explain_text


@pytest.mark.parametrize("name", SAMPLES)
def test_parts(explain, name):
    message, expected = SAMPLES[name]
    result = explain(message, "--json")
    assert (result.returncode, result.stderr) == (0, ""), result.stdout
    output = json.loads(result.stdout)
    assert "error" not in output
    parts = [(part["where"], part["name"], part["value"]) for part in output["parts"]]
    assert all(part["meaning"] for part in output["parts"])
    for where, part, value in expected:
        found = [shown for at, called, shown in parts if (at, called) == (where, part)]
        begin = value[:-2] if value.endswith("..") else None
        assert value in found or begin and any(shown.startswith(begin + ".. (") for shown in found), (where, part, found)
    text = explain(message)
    assert (text.returncode, text.stderr) == (0, "")
    for where, part, value in parts:
        assert "%s:\n" % where in text.stdout and "  %s: %s (" % (part, value) in text.stdout


def test_kinds(explain):
    output = json.loads(explain(request(fields=[sauth()], target="/a?key=" + NONCE), "--json").stdout)
    assert (output["kind"], output["method"], output["target"]) == ("request", "POST", "/a?..")
    output = json.loads(explain(SAMPLES["refused"][0], "--json").stdout)
    assert (output["kind"], output["status"]) == ("response", 401)
    assert "mac_mismatch" in [part["value"] for part in output["parts"] if part["name"] == "tags"][0]
    assert json.loads(explain(SAMPLES["header"][0], "--json").stdout)["kind"] == "header"
    assert json.loads(explain(SAMPLES["auth.request"][0], "--json").stdout)["kind"] == "body"


@pytest.mark.parametrize("message, code", [
    (request(fields=["Authorization: SAuth response=x"]), "authorization_malformed"),
    (request(b"uid=a&hmac=00&timestamp=1&body=x", FORM), "hmac_malformed"),
    (request(b"uid=a&hmac=00&timestamp=1&body=x&uid=b", FORM), "field_repeated"),
    (request(form({"uid": "other", "access_for": ["read"]}), FORM), "uid_mismatch"),
    (request(b'{"method":"x","request":{},"more":1}', "application/json"), "envelope_malformed"),
    (request(b'{"a":', "application/json"), "json_malformed"),
    (request(b"<xml><method>", "text/xml"), "xml_malformed"),
    (request(b"[" * 10 + b'{}', fields=SIGNED[:1]), "sig_label_unpaired"),
    (request(b"{1}", fields=[DIGEST]), "digest_mismatch"),
    (response(401, fields=['WWW-Authenticate: SAuth nonce="open']), "malformed"),
    (response(503, fields=["Date: never"]), "malformed"),
    (response(200, b"{}", "application/json", ["Content-Encoding: gzip"]), "encoded"),
])
def test_malformed_parts(explain, message, code):
    result = explain(message, "--json")
    output = json.loads(result.stdout)
    assert result.returncode == 1 and output["error"]["code"] == code and output["error"]["message"]
    assert output["error"] in [part.get("error") for part in output["parts"]]
    assert "[%s]\n" % code in explain(message).stdout


def test_nothing_known(explain):
    for message in (b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"hello", b"\0\1\2", b'{"a":1}'):
        result = explain(message, "--json")
        assert result.returncode == 1 and json.loads(result.stdout)["error"]["code"] == "refused", message


def test_bounds(explain, interauth):
    assert explain(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 257 + b"\r\n").returncode == 1
    assert explain(b"A: b\r\n" * 100 + b"no field\r\n").returncode == 1
    assert explain(b"{" + b" " * (4 << 20)).returncode != 0
    assert explain(b'{"method":' * 40).returncode == 1
    assert len(explain(request(fields=["Accept-Signature: " + "a" * 100000])).stdout) < 2000
    assert "--base" in explain(SAMPLES["sauth"][0], "--base", interauth.home / "b").stderr


def test_broken_files(interauth):
    """Changed, removed and duplicated bytes: there is always an exit status and one JSON object."""
    chance = random.Random(9421)
    messages = [message for message, _ in SAMPLES.values()]
    path = interauth.home / "message"
    for _ in range(400):
        data = bytearray(chance.choice(messages))
        for _ in range(chance.randint(1, 4)):
            at, kind = chance.randrange(len(data) + 1), chance.randrange(5)
            if kind == 0:
                data[at:at + 1] = bytes([chance.randrange(256)])
            elif kind == 1:
                del data[at:at + chance.randrange(40)]
            elif kind == 2:
                data[at:at] = data[at:at + chance.randrange(200)]
            elif kind == 3:
                data[at:at] = chance.choice([b'"', b"\\", b"\0", b"\r\n", b"=", b",", b"<", b"%", b"\xff", b"9" * 30])
            else:
                data[at:at] = chance.choice(messages)[chance.randrange(50):]
        path.write_bytes(data)
        result = interauth("explain", "--json", path)
        assert result.returncode in (0, 1), (bytes(data), result.stderr)
        output = json.loads(result.stdout)
        assert ("error" in output) == (result.returncode == 1), bytes(data)
