"""What a refusal looks like: one place that knows how status, code, challenge and log line belong together."""
import re

# httpd's own line about a request that its rules denied, beside ours.
HTTPD_DENIES = r"\[authz_core:error\] .*AH0163[01]:"

STALE_CODES = {"stale_nonce", "replayed_nonce"}


def refused(server, answer, status, code, reason, level="warn", module="sauth"):
    """Asserts a refusal: status, problem+json code, challenge or Retry-After, and the log line that says why."""
    assert answer.status == status, repr(answer)
    problem = answer.problem
    assert problem["code"] == code, repr(answer)
    assert problem["status"] == status, repr(answer)
    assert problem["title"] and reason not in problem.values() or reason == code, repr(answer)
    if status == 401:
        assert answer.challenge is not None, repr(answer)
        assert answer.challenge["stale"] == (code in STALE_CODES), repr(answer)
    else:
        assert answer.header("WWW-Authenticate") is None, repr(answer)
    if status in (429, 503):
        assert re.fullmatch(r"[1-9][0-9]*", answer.header("Retry-After") or ""), repr(answer)
    else:
        assert answer.header("Retry-After") is None, repr(answer)
    line = rf"\[{module}:{level}\] .*{module}: refused reason=(?:{reason})( |$)"
    server.log.expect(line)
    if status == 403:
        server.log.allow(HTTPD_DENIES)
    return server.log.next(line)


def passed(answer, status=200):
    """Asserts that the request reached the app as an authenticated one."""
    assert answer.status == status, repr(answer)
    assert answer.header("WWW-Authenticate") is None, repr(answer)
    assert answer.nextnonce is not None, repr(answer)
    return answer
