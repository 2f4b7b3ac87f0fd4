"""Shared by the tests of signed requests: keys, participants, and assertions about refusals."""
from .signer import Key
from .site import OTHER, OTHER_SECRET, UID, participant
from .verdict import HTTPD_DENIES

BODY = b'{"order": 17}'
JSON = {"Content-Type": "application/json"}
KEYS = {alg: Key(alg) for alg in ("ed25519", "ecdsa-p256-sha256", "ecdsa-p384-sha384", "rsa-pss-sha512",
                                  "rsa-v1_5-sha256")}
ED = KEYS["ed25519"]
STRANGER, OLD = Key("ed25519"), Key("ed25519")

# UID has a key of each algorithm; the algorithm is its kid.
PEOPLE = [participant(UID, ["read", "update"], keys=[key.jwk(alg) for alg, key in KEYS.items()]),
          participant(OTHER, ["read"], OTHER_SECRET, keys=[STRANGER.jwk("theirs")])]


def opened(name, *lines):
    """A location with a CGI program that requires only a signature."""
    text = "\n".join(lines or ("ISign digest", "Require signed"))
    return f'ScriptAlias "/{name}" "@ROOT@/cgi-bin/show"\n<Location "/{name}">\n{text}\n</Location>\n'


def turned_away(server, response, status, code, reason, level="warn", module="isign"):
    """Asserts a refusal: status, code, header fields, the line in the log."""
    assert response.status == status, repr(response)
    assert response.problem["code"] == code and response.problem["status"] == status, repr(response)
    assert (response.header("WWW-Authenticate") is not None) == (status == 401), repr(response)
    assert (response.header("Retry-After") is not None) == (status in (429, 503)), repr(response)
    line = rf"\[{module}:{level}\] .*{module}: refused reason={reason}( |$)"
    server.log.expect(line)
    if status == 403:
        server.log.allow(HTTPD_DENIES)
    return server.log.next(line)


def untouched(server, call, *refusal, **more):
    """Asserts a refusal, and that no application has run."""
    before = server.journal()
    response = call()
    turned_away(server, response, *refusal, **more)
    assert server.journal() == before, "the app ran"
    return response
