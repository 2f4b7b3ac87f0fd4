"""sign and verify against other implementations of RFC 9421, which npm installs below the build directory."""
import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from conftest import UID
from signed import ALGORITHMS, Signer

sys.path.insert(0, os.path.realpath(os.path.join(os.path.dirname(__file__), "../httpd")))

from harness import Server, Site, digest, participant
from harness.signed import opened

INTEROP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../interop"))
PACKAGES = "http-message-sig", "http-message-signatures"
FIELDS = ["@method", "@authority", "@path", "@query", "content-type", "content-digest", "x-list"]
KINDS = {kind: name for kind, name in ALGORITHMS.items() if kind != "rs256"}
KINDS["rsa-v1_5"] = "rsa-v1_5-sha256"
URL = "https://orders.example/cgi-bin/orders?item=1&note=a%20b"


@pytest.fixture(scope="session")
def installed():
    """The directory in which node finds the packages."""
    if "INTERAUTH_BUILD" not in os.environ:
        pytest.skip("INTERAUTH_BUILD does not name a build directory")
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not installed")
    where = os.path.join(os.path.abspath(os.environ["INTERAUTH_BUILD"]), "interop")
    os.makedirs(where, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(os.path.join(INTEROP, name), os.path.join(where, name))
    if not all(os.path.exists(os.path.join(where, "node_modules", name)) for name in PACKAGES):
        done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=where,
                              capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            pytest.skip(f"npm could not install {' and '.join(PACKAGES)}: {done.stderr.strip()[-200:]}")
    return where


def runner(where, script):
    def run(action, job):
        done = subprocess.run(["node", os.path.join(INTEROP, script), action], cwd=where, input=json.dumps(job),
                              capture_output=True, text=True, timeout=60, check=True)
        return json.loads(done.stdout)

    return run


@pytest.fixture(scope="session")
def node(installed):
    """http-message-signatures."""
    return runner(installed, "messages.js")


@pytest.fixture(scope="session")
def sig(installed):
    """http-message-sig."""
    return runner(installed, "http-message-sig.mjs")


class Pair:
    """A key in the formats of both sides."""

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
        # Node's default salt is as long as the key allows, but RFC 9421 requires 64 bytes.
        assert done.returncode == 1 and json.loads(done.stdout)["error"]["code"] == "sig_mismatch"
        return
    assert done.returncode == 0, done.stderr
    output = json.loads(done.stdout)
    assert output["keyid"] == "them" and output["algorithm"] == pair.algorithm and output["nonce"] == "a nonce of theirs"
    saved.write_bytes(saved.read_bytes().replace(b"X-List: a", b"X-List: c"))
    assert interauth("verify", *pair.check, *pair.more, saved).returncode == 1


class TestSig:
    """http-message-sig."""

    def job(self, pair, fields, **more):
        return {"algorithm": pair.algorithm, "key": pair.public, "keyid": "them", "components": FIELDS, "method": "POST",
                "url": URL, "fields": fields, **more}

    def test_they_verify_what_we_sign(self, interauth, sig, pair):
        cover = [option for name in FIELDS for option in ("--cover", name)]
        done = interauth("sign", "--json", *pair.give, *pair.more, "--keyid", "them", *cover, "-d", "amount=12",
                         "-H", "X-List: a", "-H", "X-List: b", URL)
        assert done.returncode == 0, done.stderr
        fields = [[name, value] for name, value in json.loads(done.stdout)["fields"].items() if name != "X-List"]
        good = self.job(pair, fields + [["X-List", "a"], ["X-List", "b"]])
        assert sig("verify", good) == {"verified": pair.algorithm, "keyid": "them"}
        for bad in (self.job(pair, fields + [["X-List", "a"], ["X-List", "c"]]), {**good, "url": URL + "c"},
                    {**good, "method": "PUT"}):
            assert sig("verify", bad) == {"error": "VerificationFailed"}
        assert sig("verify", {**good, "keyid": "others"}) == {"error": "ResolverFailed"}

    def test_we_verify_what_they_sign(self, interauth, sig, pair):
        body = b"amount=12"
        fields = [["Host", "orders.example"], ["Content-Type", "text/plain"], ["Content-Digest", digest(body)],
                  ["X-List", "a"], ["X-List", " b "], ["Content-Length", str(len(body))]]
        made = sig("sign", self.job(pair, fields, key=pair.private, parameters={"created": int(time.time()), "nonce": "theirs"}))
        fields += [["Signature-Input", made["signatureInput"]], ["Signature", made["signature"]]]
        saved = interauth.home / "theirs"
        text = "POST /cgi-bin/orders?item=1&note=a%20b HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in fields) + "\r\n"
        saved.write_bytes(text.encode() + body)
        done = interauth("verify", "--json", *pair.check, *pair.more, saved)
        assert done.returncode == 0, done.stderr
        output = json.loads(done.stdout)
        assert output["keyid"] == "them" and output["algorithm"] == pair.algorithm and output["nonce"] == "theirs"
        saved.write_bytes(saved.read_bytes().replace(b"X-List: a", b"X-List: c"))
        assert interauth("verify", *pair.check, *pair.more, saved).returncode == 1


@pytest.fixture(scope="module")
def httpd(tmp_path_factory):
    """A server with a key of each kind, and the pairs, by kind."""
    import command

    path = command.find()
    if path is None:
        pytest.skip("INTERAUTH_BUILD does not name a build directory")
    pairs, keys = {}, []
    for kind in ("ed25519", "p256", "p384", "rsa", "rsa-v1_5"):
        pairs[kind] = pair = Pair(command.Command(path, tmp_path_factory.mktemp(kind)), kind)
        keys.append({"kid": kind, "file": f"{kind}.pem", **({"alg": "rsa-v1_5-sha256"} if pair.more else {})})
    running = Server(Site(opened("in"), skew=1, participants=[participant(UID, keys=keys)]))
    for kind, pair in pairs.items():
        (running.root / "conf" / f"{kind}.pem").write_text(pair.public)
    try:
        running.start()
        yield running, pairs
    finally:
        wrong = running.close()
    assert wrong == []


class TestSigAtTheServer:
    """Requests of node's own fetch, signed by http-message-sig."""

    def send(self, sig, httpd, kind, more=(), url=None, **how):
        server, pairs = httpd
        at = int(server.listening_at) + 1
        time.sleep(max(0, at - time.time() + 0.01))
        parameters = {"created": max(at + 30, int(time.time())), "nonce": os.urandom(12).hex(), **how}
        job = {"algorithm": pairs[kind].algorithm, "key": pairs[kind].private, "keyid": f"{UID}#{kind}",
               "components": ["@method", "@authority", "@path", "@query", *more], "method": "POST" if more else "GET",
               "url": url or f"http://127.0.0.1:{server.port}/in?a=b&c=%20d", "fields": [],
               "parameters": {name: value for name, value in parameters.items() if value is not None}}
        if more:
            job["body"] = "amount=12"
            job["fields"] = [["Content-Type", "text/plain"], ["Content-Digest", digest(b"amount=12")]]
        return sig("send", job)

    @pytest.mark.parametrize("kind", ["ed25519", "p256", "p384", "rsa", "rsa-v1_5"])
    def test_accepted(self, sig, httpd, kind):
        for more in ([], ["content-type", "content-digest"]):
            for how in ({}, {"alg": httpd[1][kind].algorithm}):
                response = self.send(sig, httpd, kind, more, **how)
                assert response["status"] == 200 and f"ISIGN_KEYID={UID}#{kind}" in response["text"], response

    def test_url_without_a_path(self, sig, httpd):
        """The URL is sent and signed as a URL object normalizes it."""
        server = httpd[0]
        for url in (f"http://127.0.0.1:{server.port}/in", f"http://127.0.0.1:{server.port}/x/../in?",
                    f"http://127.0.0.1:{server.port}/in?a=\u00e4 b"):
            assert self.send(sig, httpd, "ed25519", url=url)["status"] == 200, url

    def test_parameters_that_they_do_not_add(self, sig, httpd):
        """The client must add created and nonce."""
        for name, reason in (("created", "sig_created_missing"), ("nonce", "sig_nonce_missing")):
            httpd[0].log.expect("reason=" + reason)
            response = self.send(sig, httpd, "ed25519", **{name: None})
            assert response["status"] in (400, 401), response
