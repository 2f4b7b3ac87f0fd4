"""Creates keys, signed tokens for third-party modules, and SAuth grants, with the openssl command."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import subprocess
import time
from urllib.parse import urlencode

USER, PASSWORD, REALM = "bench", "a password of the bench", "bench"
UID, SECRET = "http://bench.example.org", "a shared secret of the bench, 37 bytes"
LIFESPAN = 6 * 3600


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def basic_file():
    return f"{USER}:{{SHA}}{base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()}\n"


def digest_file():
    return f"{USER}:{REALM}:{hashlib.md5(f'{USER}:{REALM}:{PASSWORD}'.encode()).hexdigest()}\n"


def participant_id(number):
    return f"{UID}/{number}" if number else UID


def participants_file(count=1):
    """All participants have the same secret, so that the load generator needs only one key."""
    rest = json.dumps({"status": "approved", "roles": ["consumer"], "capabilities": ["read", "update"], "allow_refresh": True,
                       "token_max_lifespan": LIFESPAN, "shared_secret": b64url(SECRET.encode())})[1:]
    return '{"participants": [' + ",\n".join(f'{{"id": "{participant_id(i)}", {rest}' for i in range(count)) + "]}\n"


# --- JSON Web Tokens


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, check=True).stdout


def make_keys(root):
    """Creates private and public keys: rs256.key, rs256.pem etc."""
    openssl("genrsa", "-out", root / "rs256.key", "2048")
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", root / "es256.key")
    for name in ("rs256", "es256"):
        openssl("pkey", "-in", root / f"{name}.key", "-pubout", "-out", root / f"{name}.pem")


def jwk(root, name):
    """Returns a public key as JWK."""
    if name == "rs256":
        modulus = openssl("rsa", "-pubin", "-in", root / "rs256.pem", "-modulus", "-noout").decode().strip().split("=")[1]
        key = {"kty": "RSA", "n": b64url(bytes.fromhex(modulus)), "e": "AQAB"}
    else:
        point = openssl("pkey", "-pubin", "-in", root / "es256.pem", "-outform", "DER")[-64:]
        key = {"kty": "EC", "crv": "P-256", "x": b64url(point[:32]), "y": b64url(point[32:])}
    return json.dumps({"kid": name, **key}, separators=(",", ":"))


def raw_ecdsa(der):
    """Converts a DER signature to two numbers of 32 bytes each."""
    numbers, at = [], 2
    for _ in range(2):
        length = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2:at + 2 + length], "big").to_bytes(32, "big"))
        at += 2 + length
    return b"".join(numbers)


def jwt(root, name, number=0):
    now = int(time.time())
    header = {"typ": "JWT", "alg": name.upper(), "kid": name}
    claims = {"iss": "http://bench.example.org", "sub": USER, "iat": now, "exp": now + LIFESPAN, "jti": f"{name}-{number}"}
    text = ".".join(b64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    signature = openssl("dgst", "-sha256", "-sign", root / f"{name}.key", data=text.encode())
    return f"{text}.{b64url(raw_ecdsa(signature) if name == 'es256' else signature)}"


# --- SAuth


def ask(connection, uid, stamp):
    body = json.dumps({"access_for": ["read"], "token_lifespan": LIFESPAN, "uid": uid, "id": os.urandom(9).hex()})
    mac = hmac.new(SECRET.encode(), f"{stamp} {body}".encode(), hashlib.sha256).hexdigest()
    form = urlencode({"uid": uid, "timestamp": str(stamp), "hmac": mac, "body": body})
    connection.request("POST", "/trust/request_access", form, {"Content-Type": "application/x-www-form-urlencoded"})
    response = connection.getresponse()
    return response.status, response.read()


def grants(port, count, participants=1):
    """Returns the tokens of this number of grants of all participants. Retries while the server has just started."""
    tokens, deadline = [], time.monotonic() + 15
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    while len(tokens) < count:
        uid = participant_id(len(tokens) * (participants // count or 1) % participants)
        status, text = ask(connection, uid, int(time.time()))
        if status == 200:
            tokens.append(json.loads(text)["token"])
        elif status == 503 and time.monotonic() < deadline:
            time.sleep(0.3)
        else:
            raise RuntimeError(f"no grant: {status} {text!r}")
    connection.close()
    return tokens
