"""Asserts complete responses: status, code, challenge and log line."""
import re

# httpd's own line about a request that its rules denied, beside ours.
HTTPD_DENIES = r"\[authz_core:error\] .*AH0163[01]:"

STALE_CODES = {"stale_nonce", "replayed_nonce"}


def refused(server, response, status, code, reason, level="warn", module="sauth"):
    """Asserts a refusal: status, problem+json code, challenge or Retry-After, and the log line that says why."""
    assert response.status == status, repr(response)
    problem = response.problem
    assert problem["code"] == code, repr(response)
    assert problem["status"] == status, repr(response)
    assert problem["title"] and reason not in problem.values() or reason == code, repr(response)
    if status == 401:
        assert response.challenge is not None, repr(response)
        assert response.challenge["stale"] == (code in STALE_CODES), repr(response)
    else:
        assert response.header("WWW-Authenticate") is None, repr(response)
    if status in (429, 503):
        assert re.fullmatch(r"[1-9][0-9]*", response.header("Retry-After") or ""), repr(response)
    else:
        assert response.header("Retry-After") is None, repr(response)
    line = rf"\[{module}:{level}\] .*{module}: refused reason=(?:{reason})( |$)"
    server.log.expect(line)
    if status == 403:
        server.log.allow(HTTPD_DENIES)
    return server.log.next(line)


def passed(response, status=200):
    """Asserts that the request reached the app as an authenticated one."""
    assert response.status == status, repr(response)
    assert response.header("WWW-Authenticate") is None, repr(response)
    assert response.nextnonce is not None, repr(response)
    return response
