"""Log lines as programs parse them: values cannot imitate fields, and lines fit into JSON."""
import json
import os
import pathlib
import re
import subprocess
import sys
from urllib.parse import quote

import pytest

from harness import BASIC, Client, Site
from harness.signed import ED, PEOPLE, opened
from harness.signer import Signer

HOSTILE = ['x" participant="admin', "x participant=admin reason=none", "back\\slash", "it's", "100%", "caf\u00e9", "a=b"]


def fields(line):
    """A strict logfmt parser: every word with a '=' is a field, and no field is repeated."""
    text = re.search(r"(?:sauth|isign): (.*)", line).group(1)
    text = re.sub(r" \([^()]*\)$", "", text)
    assert not re.search(r"[\"'\\\x00-\x1f\x7f-\uffff]", text), text
    found = [word.split("=", 1) for word in text.split(" ") if "=" in word]
    assert len({name for name, _ in found}) == len(found), text
    return dict(found)


class TestFields:
    site = Site(participants=PEOPLE, config=BASIC + opened("in"))

    @pytest.mark.parametrize("text", HOSTILE)
    def test_location(self, server, text):
        server.log.expect("sauth: refused reason=credentials_missing")
        assert server.get("/files/" + quote(text)).status == 401
        said = fields(server.log.next("sauth: refused reason=credentials_missing"))
        assert said == {"reason": "credentials_missing", "location": "/files/" + quote(text, safe="=")}

    @pytest.mark.parametrize("text", HOSTILE[:5])
    def test_keyid(self, server, text):
        server.log.expect("isign: refused reason=sig_key_unknown")
        assert Signer(server, ED, text + "#k").get("/in").status == 401
        said = fields(server.log.next("isign: refused reason=sig_key_unknown"))
        assert said["claimed"] == quote(text, safe="=") and set(said) == {"reason", "location", "claimed", "keyid"}

    def test_lists_and_rules(self, server):
        Client(server).granted("read", "update")
        assert fields(server.log.next("sauth: granted "))["capabilities"] == "read,update"


JSON = r'''ErrorLogFormat "{\"time\":\"%{cu}t\",\"module\":\"%-m\",\"level\":\"%-l\",\"client\":\"%-a\",\"message\":\"%M\"}"'''


# What a start warns of, with an administrator's quotes and backslashes.
WARNED = r"""
<FilesMatch "\.ht">
    Require all denied
</FilesMatch>
<LocationMatch "^/un\.guarded">
    AuthType SAuth
    AuthName x
</LocationMatch>
<Location "/quoted">
    Require call "f"
    Require signed
    <If "%{QUERY_STRING} == 'x'">
        Require all granted
    </If>
</Location>
"""


def test_json(make_server):
    """The format of docs/guides/troubleshooting.md: each line is an object, with or without a client."""
    state = r'SAuthStateFile "@ROOT@/state/a\"b"' + "\n" + r'ISignStateFile "@ROOT@/state/c\"d"' + "\n"
    config = JSON + "\n" + state + BASIC + WARNED + opened("in")
    server = make_server(Site(participants=PEOPLE, config=config, expect=(".",)), start=False)
    (server.root / "state").mkdir(mode=0o700)
    for name in ('a"b', 'c"d'):
        (server.root / "state" / name).write_bytes(b"no state")
        (server.root / "state" / name).chmod(0o600)
    server.start()
    server.log.allow(".")  # it is no log that httpd's own form is known of
    for text in HOSTILE:
        server.get("/files/" + quote(text))
        Signer(server, ED, 'no" one#k').get("/in")
    record = {"id": "x", "capabilities": [], 'un"kno\\wn': 1}
    server.participants({"participants": [record]} if isinstance(PEOPLE, dict) else [record])
    server.graceful()
    lines = [line for line in server.log.lines() if re.match(r'\{|.*\b(sauth|isign|registry)\b', line)]
    found = [json.loads(line) for line in lines]
    assert {"sauth", "isign", "registry"} <= {line["module"] for line in found}
    messages = [line["message"] for line in found if line["module"] != "core"]
    assert any("unknown member" in message for message in messages), messages
    for text in ("state/a'b", "state/c'd", "un%5C.guarded", "Require call 'f'", "Require signed"):
        assert any(text in message for message in messages), (text, messages)
    assert len(messages) >= 2 * len(HOSTILE) and any("keyid=no%22%20one#k" in message for message in messages)


FAIL2BAN = pathlib.Path(os.environ.get("INTERAUTH_FAIL2BAN", "/usr"))
SOURCE = pathlib.Path(__file__).resolve().parents[2]
FILTER = SOURCE / "conf/fail2ban/filter.d/interauth.conf"


def fail2ban(line):
    """The address that the shipped filter finds in one line of the log, or None."""
    tool = FAIL2BAN / "bin/fail2ban-regex"
    if not tool.exists():
        pytest.skip("fail2ban is not installed")
    done = subprocess.run(
        [sys.executable, tool, "--raw", "--config", FILTER.parents[1], "--out", "ip", line, "interauth"], text=True,
        env={**os.environ, "PYTHONPATH": str(FAIL2BAN / "lib/python3/dist-packages")},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.returncode in (0, 1) and "rror" not in done.stderr, done.stderr
    return done.stdout.strip() or None


class TestFail2ban:
    """The shipped filter counts failed proofs by client address, and nothing else."""
    site = Site(participants=PEOPLE, config=BASIC + opened("in"))

    def line(self, server, reason):
        return next(line for line in server.log.lines()[::-1] if f"refused reason={reason}" in line)

    def test_failed_proofs(self, server):
        server.log.expect("sauth: refused reason=participant_unknown")
        server.log.expect("isign: refused reason=sig_key_unknown")
        assert Client(server, uid="http://nobody.example").ask().status == 401
        assert Signer(server, ED, "nobody#k").get("/in").status == 401
        for reason in ("participant_unknown", "sig_key_unknown"):
            line = self.line(server, reason)
            assert fail2ban(line) == "127.0.0.1", line
            assert fail2ban(line.replace("[client 127.0.0.1:", "[client 2001:db8::1:")) == "2001:db8::1"
            assert fail2ban(line.replace("refused", "would refuse")) is None

    def test_not_by_a_value(self, server):
        server.log.expect("sauth: refused reason=credentials_missing")
        forged = "] [client 192.0.2.1:1] sauth: refused reason=mac_mismatch "
        assert server.get("/files/" + quote(forged)).status == 401
        assert fail2ban(self.line(server, "credentials_missing")) is None

    def test_tags(self):
        """Each tag of the filter is a row of the table of outcomes."""
        known = set(re.findall(r"^\| `(\w+)`", (SOURCE / "docs/outcomes.md").read_text(), re.M))
        tags = re.search(r"^_unproven = (.*)$", FILTER.read_text(), re.M).group(1).split("|")
        assert tags and set(tags) <= known
