"""Lines of the log as programs read them: no value looks like another field, and a line fits into JSON."""
import json
import re
from urllib.parse import quote

import pytest

from harness import BASIC, Caller, Site
from harness.signed import ED, PEOPLE, opened
from harness.signer import Signer

HOSTILE = ['x" participant="admin', "x participant=admin reason=none", "back\\slash", "it's", "100%", "caf\u00e9", "a=b"]


def fields(line):
    """A strict logfmt reader: every word with a '=' is a field, and none comes twice."""
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
        Caller(server).granted("read", "update")
        assert fields(server.log.next("sauth: granted "))["capabilities"] == "read,update"


JSON = r'''ErrorLogFormat "{\"time\":\"%{cu}t\",\"module\":\"%m\",\"level\":\"%l\",\"client\":\"%a\",\"message\":\"%M\"}"'''


def test_json(make_server):
    """The format of docs/guides/troubleshooting.md: each line is an object."""
    server = make_server(Site(participants=PEOPLE, config=JSON + "\n" + BASIC + opened("in")))
    server.log.allow(".")  # it is no log that httpd's own form is known of
    for text in HOSTILE:
        server.get("/files/" + quote(text))
        Signer(server, ED, 'no" one#k').get("/in")
    lines = [line for line in server.log.lines() if '"module":"sauth"' in line or '"module":"isign"' in line]
    messages = [json.loads(line)["message"] for line in lines]
    assert len(messages) >= 2 * len(HOSTILE) and any("keyid=no%22%20one#k" in message for message in messages)
