"""Log lines in troubleshooting.md have the form in which a real server logs them."""
import re

from harness import BASIC, OTHER_SECRET, PAGE, Client, Site, location
from harness.challenge import DOMAIN, HMAC, ChallengeClient, person
from harness.signed import ED, PEOPLE, opened
from harness.signer import Signer
from harness.site import UID
from pages import read

PAGE_OF = "docs/guides/troubleshooting.md"
LINE = re.compile(r"\[(sauth|isign|registry):(\w+)\] (?:\[(?:pid|client) [^]]*\] )*(.*)")


def form(line):
    """
    Module, level and message, without what depends on the request: values but the reason, the hint and the call, words
    for people, numbers, paths.
    """
    module, level, message = LINE.search(line).groups()
    message = re.sub(r"(?<= )(?!(?:reason|hint|call|profile)=)(\w+)=\S+", r"\1=", message)
    message = re.sub(r"(hint=\S+) \(.*\)$", r"\1 (..)", message)
    return module, level, re.sub(r"RegistryFile \S+:", "RegistryFile:", re.sub(r"\b\d+\b", "0", message))


def shown(text):
    """The lines of a page that are to be as in the log."""
    return [line.strip() for line in text.splitlines() if re.match(r" {4}\[\w+:\w+\] ", line)]


CONFIG = (location("/capability", "Require capability refund") + f"SAuthChallengeDomain {DOMAIN}\nSAuthChallenge hmac-sha256\n" + BASIC + opened("in", "ISign digest", "Require signed")
          + '<Location "/observed">\nAuthType SAuth\nAuthName o\nSAuthMode observe\nRequire capability read\n</Location>\n')


def test_lines(make_server):
    server = make_server(Site(participants=[*PEOPLE, person("guest", profiles=(HMAC,))], config=CONFIG, files={"capability": "", "observed": ""}))
    server.log.allow(r"\[(sauth|isign|authz_core|registry):")
    server.get(PAGE)
    server.get(PAGE, {"Via": "1.1 proxy"})
    client = Client(server).granted("read", nonces=4)
    used = client.header()
    for _ in range(2):
        server.get(PAGE, {"Authorization": used})
    server.get(PAGE, {"Authorization": client.header(secret=OTHER_SECRET)})
    client.get("/capability")
    server.get("/observed")
    signer = Signer(server, ED, UID + "#ed25519")
    server.get("/in", signer.headers("GET", "/in"))
    server.get("/in", signer.headers("GET", "/in?other"))
    server.get("/in", signer.headers("GET", "/in", created=1))
    guest = ChallengeClient(server, "guest")
    guest.login()
    ChallengeClient(server, "guest", "another").redeem(guest.challenge())
    server.participants("{")
    server.graceful()
    server.log.wait("stay in effect")
    logged = {form(line) for line in server.log.lines() if LINE.search(line)}
    lines = shown(read(PAGE_OF))
    assert len(lines) > 10
    for line in lines:
        assert form(line) in logged, f"{line}\n" + "\n".join(map(str, sorted(logged)))


def test_no_value_is_quoted():
    """Fields that the text names are written as in the log: without quotes."""
    assert not re.search(r'`\w+="', read(PAGE_OF))


def test_no_field_is_missing():
    """Lines of different kinds differ: by a field, the order of fields, the level, the reason."""
    line = "[sauth:warn] sauth: refused reason=mac_mismatch location=/x claimed=a"
    assert form(line) == form("[now] [sauth:warn] [pid 1:tid 2] [client 127.0.0.1:3] sauth: refused reason=mac_mismatch "
                              "location=/other claimed=b")
    for other in (line.replace("warn", "info"), line.replace("mac_", "sig_"), line.removesuffix(" claimed=a"),
                  line.replace("claimed", "participant"), line.replace("refused", "would refuse"),
                  "[sauth:warn] sauth: refused reason=mac_mismatch claimed=a location=/x"):
        assert form(other) != form(line)
