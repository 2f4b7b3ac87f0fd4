"""Keys and saved requests for tests of message signatures."""
import json

URL = "https://Orders.example:443/cgi-bin/orders?item=1&note=a%20b"
BODY = "amount=12"
ALGORITHMS = {
    "ed25519": "ed25519", "p256": "ecdsa-p256-sha256", "p384": "ecdsa-p384-sha384", "rsa": "rsa-pss-sha512",
    "rs256": "rsa-v1_5-sha256", "hmac": "hmac-sha256",
}


MADE = {}  # key pairs of one run, by kind and kid: RSA keys take a while


def pair(interauth, kind, kid, fresh):
    """The texts of a private and a public JWK."""
    if fresh or (kind, kid) not in MADE:
        path = interauth.home / "made"
        result = interauth("keygen", "--type", {"rs256": "rsa"}.get(kind, kind), "--kid", kid, path)
        assert result.returncode == 0, result.stderr
        jwks = json.loads(path.read_text()), json.loads(result.stdout)
        path.unlink()
        made = [json.dumps({**jwk, **({"alg": "RS256"} if kind == "rs256" else {})}) for jwk in jwks]
        if fresh:
            return made
        MADE[kind, kid] = made
    return MADE[kind, kid]


class Signer:
    """A key with its files; `give` and `check` are the options that name it for signing and verifying."""

    def __init__(self, interauth, kind, uid="http://www.example.org", kid="k1", fresh=False):
        self.interauth, self.kind, self.uid, self.kid = interauth, kind, uid, kid
        name = kind + ("-fresh" if fresh else "")
        self.private, self.public = interauth.home / (name + ".key"), interauth.home / (name + ".pub")
        self.secret = kind == "hmac"
        if self.secret:
            interauth("secret", self.private)
            interauth.canaries.add(self.private.read_text().strip())
            self.give = self.check = ["--secret-file", self.private]
            self.keyid = uid
            return
        private, public = pair(interauth, kind, kid, fresh)
        self.jwk = json.loads(public)
        interauth.canaries.add(json.loads(private)["d"])
        self.private.touch(mode=0o600)
        self.private.write_text(private)
        self.public.write_text(public)
        self.give, self.check = ["--key", self.private], ["--key", self.public]
        self.keyid = "%s#%s" % (uid, kid)

    def sign(self, *more, url=URL, expect=0):
        result = self.interauth("sign", *self.give, "--uid", self.uid, *more, url)
        assert result.returncode == expect, result.stderr
        return result

    def save(self, *more, name="request", url=URL):
        path = self.interauth.home / name
        path.unlink(missing_ok=True)
        self.sign("--save", path, *more, url=url)
        return path

    def verify(self, path, *more):
        return self.interauth("verify", *self.check, *more, path)

    def explain(self, path, *more):
        return self.interauth("explain", *self.check, *more, path)


def refusal(result):
    """The tag of a refusal, which is the only message on standard error."""
    assert result.returncode == 1, (result.returncode, result.stderr)
    assert result.stdout == "" and result.stderr.count("\n") == 1, result.stderr
    return result.stderr.split(": ")[2]
