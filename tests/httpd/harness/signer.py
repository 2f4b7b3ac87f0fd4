"""HTTP message signatures, written from RFC 9421 alone, with the cryptography of Python and python3-cryptography."""
import base64
import datetime
import hashlib
import hmac
import json
import math
import os
import re

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from .digest import digest
from .site import b64url

COVER = ("@method", "@authority", "@path", "@query")
CURVES = {"ecdsa-p256-sha256": (ec.SECP256R1, hashes.SHA256, 32, "P-256"),
          "ecdsa-p384-sha384": (ec.SECP384R1, hashes.SHA384, 48, "P-384")}


def number(value, length=None):
    return b64url(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


class Secret:
    """hmac-sha256."""

    alg = "hmac-sha256"

    def __init__(self, secret):
        self.secret = secret

    def sign(self, base):
        return hmac.new(self.secret, base, hashlib.sha256).digest()


class Key:
    """A key pair of one algorithm."""

    def __init__(self, alg):
        self.alg = alg
        if alg == "ed25519":
            self.private = ed25519.Ed25519PrivateKey.generate()
        elif alg in CURVES:
            self.private = ec.generate_private_key(CURVES[alg][0]())
        else:
            self.private = rsa.generate_private_key(65537, 2048)

    def sign(self, base):
        if self.alg == "ed25519":
            return self.private.sign(base)
        if self.alg in CURVES:
            _, hash, length, _ = CURVES[self.alg]
            r, s = utils.decode_dss_signature(self.private.sign(base, ec.ECDSA(hash())))
            return r.to_bytes(length, "big") + s.to_bytes(length, "big")
        if self.alg == "rsa-pss-sha512":
            return self.private.sign(base, padding.PSS(padding.MGF1(hashes.SHA512()), 64), hashes.SHA512())
        return self.private.sign(base, padding.PKCS1v15(), hashes.SHA256())

    def jwk(self, kid, **members):
        """The public key as an entry of a participant's `keys`."""
        public = self.private.public_key()
        if self.alg == "ed25519":
            raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            said = {"kty": "OKP", "crv": "Ed25519", "x": b64url(raw)}
        elif self.alg in CURVES:
            n, length = public.public_numbers(), CURVES[self.alg][2]
            said = {"kty": "EC", "crv": CURVES[self.alg][3], "x": number(n.x, length), "y": number(n.y, length)}
        else:
            n = public.public_numbers()
            said = {"kty": "RSA", "n": number(n.n), "e": number(n.e)}
            if self.alg == "rsa-v1_5-sha256":
                said["alg"] = "RS256"
        return {"kid": kid, **said, **members}

    def thumbprint(self):
        """RFC 7638."""
        wanted = {name: value for name, value in self.jwk("").items() if name in ("crv", "e", "kty", "n", "x", "y")}
        return b64url(hashlib.sha256(json.dumps(wanted, sort_keys=True, separators=(",", ":")).encode()).digest())

    def pem(self):
        return self.private.public_key().public_bytes(serialization.Encoding.PEM,
                                                      serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    def certificate(self):
        """A self-signed certificate that has expired: only its key matters."""
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop")])
        day = datetime.datetime(2001, 1, 1)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self.private.public_key())
        made = builder.serial_number(1).not_valid_before(day).not_valid_after(day + datetime.timedelta(1)).sign(
            self.private, None if self.alg == "ed25519" else hashes.SHA256())
        return made.public_bytes(serialization.Encoding.PEM).decode()


def component_value(identifier, method, scheme, authority, target, headers, target_authority=None):
    """The value of a component of a request; `identifier` as it stands in Signature-Input."""
    name = re.match(r'"([^"]*)"', identifier).group(1)
    path, mark, query = target.partition("?")
    if name == "@query-param":
        wanted = re.search(r';name="([^"]*)"', identifier).group(1)
        return next(part.split("=", 1)[1] for part in query.split("&") if part.split("=", 1)[0] == wanted)
    derived = {"@method": method, "@scheme": scheme, "@authority": authority.lower(), "@path": path or "/",
               "@query": "?" + query, "@request-target": target, "@target-uri": f"{scheme}://{target_authority or authority}{target}"}
    if name in derived:
        return derived[name]
    lines = [value.strip() for field, value in headers if field.lower() == name.lower()]
    if ";bs" in identifier:
        lines = [f":{base64.b64encode(line.encode('latin-1')).decode()}:" for line in lines]
    return ", ".join(lines)


def text_of(value):
    if isinstance(value, int):
        return str(value)
    return value if value.startswith(":") else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def signature_fields(key, components, parameters, method, scheme, authority, target, headers, label="sig1",
                     target_authority=None):
    """
    The two fields of one signature. A component is a name, or an identifier with its quotes and parameters; a parameter
    that is None is left out.
    """
    identifiers = [one if '"' in one else f'"{one}"' for one in components]
    said = "".join(f";{name}={text_of(value)}" for name, value in parameters.items() if value is not None)
    inner = f"({' '.join(identifiers)}){said}"
    lines = [f"{one}: {component_value(one, method, scheme, authority, target, headers, target_authority)}" for one in identifiers]
    base = "\n".join(lines + [f'"@signature-params": {inner}'])
    value = base64.b64encode(key.sign(base.encode("latin-1"))).decode()
    return [("Signature-Input", f"{label}={inner}"), ("Signature", f"{label}=:{value}:")]


class Signer:
    """A client that signs its requests."""

    def __init__(self, server, key, keyid, **parameters):
        self.server, self.key, self.keyid, self.parameters = server, key, keyid, parameters
        if isinstance(key, Secret):
            server.guard(key.secret, b64url(key.secret), base64.b64encode(key.secret), key.secret.hex())

    def stamp(self):
        """A `created` that the server accepts: 30 seconds (ISignClockSkew) after its memory of nonces began."""
        first = math.floor(self.server.listening_at) + 1
        self.server.clock.reach(first + 0.01)
        return max(first + 30, int(self.server.clock.time()))

    def fields(self, method, target, headers=(), cover=None, authority=None, scheme="http", label="sig1", key=None,
               target_authority=None, **parameters):
        """The header fields to add. `cover` replaces the components; parameters that are None are left out."""
        names = {name.lower() for name, _ in headers}
        if cover is None:
            cover = COVER + tuple(name for name in ("authorization", "content-digest", "content-type", "content-encoding") if name in names)
        said = {"created": None, "keyid": self.keyid, "nonce": b64url(os.urandom(12)), **self.parameters, **parameters}
        if "created" not in parameters:
            said["created"] = self.stamp()
        return signature_fields(key or self.key, cover, said, method, scheme,
                                authority or f"127.0.0.1:{self.server.port}", target, headers, label, target_authority)

    def headers(self, method, target, headers=(), body=None, **how):
        """All headers of a signed request, the digest of its body included."""
        pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
        if body is not None and not any(name.lower() == "content-digest" for name, _ in pairs):
            pairs.append(("Content-Digest", digest(body)))
        return pairs + self.fields(method, target, pairs, **how)

    def send(self, method, target, headers=(), body=None, chunked=False, host=None, **how):
        pairs = self.headers(method, target, headers, body, **how)
        return self.server.request(method, target, pairs, body, chunked=chunked, host=host)

    def get(self, target, headers=(), **how):
        return self.send("GET", target, headers, **how)

    def post(self, target, body, headers=(), **how):
        return self.send("POST", target, headers, body, **how)
