"""sign and verify against another implementation of RFC 9421, which npm installs below the build directory."""
import json
import os
import shutil
import subprocess

import pytest

from signed import ALGORITHMS, Signer

INTEROP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../interop"))
FIELDS = ["@method", "@authority", "@path", "@query", "content-type", "content-digest", "x-list"]
KINDS = {kind: name for kind, name in ALGORITHMS.items() if kind != "rs256"}
KINDS["rsa-v1_5"] = "rsa-v1_5-sha256"
URL = "https://orders.example/cgi-bin/orders?item=1&note=a%20b"


@pytest.fixture(scope="session")
def node():
    """Runs messages.js."""
    if "INTERAUTH_BUILD" not in os.environ:
        pytest.skip("INTERAUTH_BUILD does not name a build directory")
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not installed")
    where = os.path.join(os.path.abspath(os.environ["INTERAUTH_BUILD"]), "interop")
    os.makedirs(where, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(os.path.join(INTEROP, name), os.path.join(where, name))
    if not os.path.exists(os.path.join(where, "node_modules/http-message-signatures")):
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=where,
                              capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            pytest.skip("npm could not install http-message-signatures: " + done.stderr.strip()[-200:])

    def run(action, job):
        done = subprocess.run(["node", os.path.join(INTEROP, "messages.js"), action], cwd=where,
                              input=json.dumps(job), capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)

    return run


class Pair:
    """A key in the forms that both sides read."""

    def __init__(self, interauth, kind):
        self.kind, self.algorithm, self.home = kind, KINDS[kind], interauth.home
        self.more = ["--algorithm", "rsa-v1_5-sha256"] if kind == "rsa-v1_5" else []
        if kind == "hmac":
            self.signer = Signer(interauth, "hmac", "them")
            self.private = self.public = self.signer.private.read_text().strip()
            self.give = self.check = self.signer.give
            return
        private, public = self.home / "k.pem", self.home / "k.pub"
        made = interauth("keygen", "--type", kind.split("-")[0], "--format", "pem", private)
        assert made.returncode == 0, made.stderr
        subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
        self.private, self.public = private.read_text(), public.read_text()
        self.give, self.check = ["--key", private], ["--key", public]


@pytest.fixture(params=sorted(KINDS))
def pair(request, interauth):
    return Pair(interauth, request.param)


def message(headers):
    return {"method": "POST", "url": URL, "headers": headers}


def test_they_verify_what_we_sign(interauth, node, pair):
    cover = [option for name in FIELDS for option in ("--cover", name)]
    done = interauth("sign", "--json", *pair.give, *pair.more, "--keyid", "them", *cover, "-d", "amount=12",
                     "-H", "X-List: a", "-H", "X-List: b", URL)
    assert done.returncode == 0, done.stderr
    headers = {**json.loads(done.stdout)["fields"], "X-List": ["a", "b"]}
    job = {"algorithm": pair.algorithm, "key": pair.public, "keyid": "them", "fields": FIELDS,
           "message": message(headers)}
    assert node("verify", job) == {"verified": True}
    job["message"]["headers"]["X-List"] = ["a", "c"]
    assert node("verify", job) == {"verified": False}


def test_we_verify_what_they_sign(interauth, node, pair):
    body = b"amount=12"
    made = interauth("sign", "--json", *pair.give, "--keyid", "x", "-d", body.decode(), URL)
    digest = json.loads(made.stdout)["fields"]["Content-Digest"]
    headers = {"Host": "orders.example", "Content-Type": "text/plain", "Content-Digest": digest, "X-List": ["a", " b "],
               "Content-Length": str(len(body))}
    theirs = node("sign", {"algorithm": pair.algorithm, "key": pair.private, "keyid": "them", "fields": FIELDS,
                           "message": message(headers)})["headers"]
    lines = ["%s: %s" % (name, one) for name, value in theirs.items()
             for one in (value if isinstance(value, list) else [value])]
    saved = interauth.home / "theirs"
    saved.write_bytes(("POST /cgi-bin/orders?item=1&note=a%20b HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n").encode() + body)
    done = interauth("verify", "--json", *pair.check, *pair.more, saved)
    if pair.kind == "rsa":
        # Node's default salt is as long as the key allows, where RFC 9421 says 64 bytes.
        assert done.returncode == 1 and json.loads(done.stdout)["error"]["tag"] == "sig_mismatch"
        return
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["keyid"] == "them" and told["algorithm"] == pair.algorithm and told["nonce"] == "a nonce of theirs"
    saved.write_bytes(saved.read_bytes().replace(b"X-List: a", b"X-List: c"))
    assert interauth("verify", *pair.check, *pair.more, saved).returncode == 1
