"""Usage: --help and the parser come from one table, and errors suggest what was meant."""
import os
import re

import pytest

VERBS = ["keygen", "secret", "grant", "call", "invoke", "refresh", "grants", "forget", "sign", "verify", "explain",
         "participant", "check"]
MANUALS = os.path.join(os.path.dirname(__file__), "../../docs/man")


def test_without_a_verb(interauth):
    result = interauth()
    assert result.returncode == 2
    assert result.stdout == ""
    assert all(verb in result.stderr for verb in VERBS)


def test_help_and_version(interauth):
    assert interauth("--help").returncode == 0
    assert re.fullmatch(r"interauth \d+\.\d+\.\d+\n", interauth("--version").stdout)
    assert interauth("-V").stdout == interauth("version").stdout == interauth("--version").stdout
    assert interauth("-h").stdout == interauth("help").stdout == interauth("--help").stdout
    for ask in (["call", "--help"], ["call", "-h"], ["call", "-ih"], ["call", "--hel"], ["-h", "call"]):
        result = interauth(*ask)
        assert (result.returncode, result.stdout) == (0, interauth("help", "call").stdout)


def test_options_are_read_by_getopt_long(interauth, tmp_path):
    """Clusters, attached values, abbreviations, and operands in any place."""
    for arguments in (["--bytes", "16", "--show"], ["--byt=16", "--sh"], ["--show", "--bytes=16", "--"]):
        result = interauth("secret", *arguments)
        assert (result.returncode, len(result.stdout.strip())) == (0, 22), result.stderr
    result = interauth("keygen", "--type=p256", "--", "-odd", environment={"POSIXLY_CORRECT": "1"})
    assert result.returncode == 0 and (interauth.home / "-odd").exists(), result.stderr
    result = interauth("keygen", "later", "--ty", "p256", environment={"POSIXLY_CORRECT": "1"})
    assert result.returncode == 0, result.stderr


def test_an_unknown_verb_is_reported_with_the_most_similar(interauth):
    result = interauth("gran")
    assert (result.returncode, result.stderr) == (2, "interauth: unknown command gran; did you mean grant?\n")
    assert interauth("zzzzzz").returncode == 2


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_agrees_with_its_manual(interauth, verb):
    result = interauth(verb, "--help")
    assert result.returncode == 0 and result.stderr == ""
    output = set(re.findall(r"--([a-z][a-z-]*)", result.stdout))
    with open(os.path.join(MANUALS, "interauth-%s.1" % verb)) as manual:
        documented = set(re.findall(r"^\.It .*?Fl -([a-z][a-z-]*)", manual.read(), re.M))
    assert documented == output


@pytest.mark.parametrize("verb", VERBS)
def test_an_unknown_option_is_reported(interauth, verb):
    result = interauth(verb, "--nosuchthing=SECRETVALUE")
    assert result.returncode == 2 and result.stdout == ""
    assert "unknown option --nosuchthing" in result.stderr
    assert "SECRETVALUE" not in result.stderr
    assert interauth(verb, "-Z").returncode == 2


@pytest.mark.parametrize("arguments, message", [
    (["grant", "--capabilty", "read"], "did you mean --capability?"),
    (["grant", "--secret-flie", "x"], "did you mean --secret-file?"),
    (["grant", "--c", "x"], "--c is ambiguous: --capability, --cacert"),
    (["call", "-io"], "--output requires a value (FILE)"),
    (["call", "-iZ", "http://127.0.0.1:1/"], "unknown option -Z"),
    (["call", "-Xa b", "http://127.0.0.1:1/"], "--method takes an HTTP method"),
    (["call", "--challenge", "--method", "m", "http://127.0.0.1:1/"], "interauth invoke METHOD URL"),
    (["call", "--request", "PUT", "http://127.0.0.1:1/"], "--method"),
    (["invoke", "http://127.0.0.1:1/", "m"], "METHOD comes before URL: interauth invoke m http://127.0.0.1:1/"),
    (["invoke", "m"], "METHOD URL is required"),
    (["call", "--help=x"], "--help takes no value"),
    (["call", "--json", "-o", "-", "http://127.0.0.1:1/"], "--output FILE"),
    (["-x"], "unknown option -x before the command"),
    (["--nosuch=SECRET"], "unknown option --nosuch before the command"),
    (["versoin"], "did you mean version?"),
    (["grant", "--uid", "u", "--secret-file", "f", "--capability", "read"], "--url BASE is required"),
    (["grant", "--url"], "--url requires a value"),
    (["grant", "--id=1"], "--id takes no value"),
    (["grant", "--nonces", "33"], "from 1 to 32"),
    (["grant", "--nonces", "1x"], "from 1 to 32"),
    (["grant", "--nonces", "-1"], "from 1 to 32"),
    (["grant", "--hash", "md5"], "one of sha256|sha1"),
    (["grant", "--uid", "a", "--uid", "b"], "only once"),
    (["grant", "--url", "http://127.0.0.1:1/s", "--uid", "a b", "--capability", "r"], "--uid"),
    (["grant", "--url", "http://127.0.0.1:1/s", "--uid", "a", "--capability", "a,é b"], "--capability"),
    (["grant", "--url", "http://127.0.0.1:1/s", "--uid", "a", "--capability", "r,s r"], "--capability r is given twice"),
    (["grant", "--url", "http://127.0.0.1:1/s", "--uid", "a", "--capability", " , "], "--capability requires a value"),
    (["grant", "--url", "http://127.0.0.1:1/s", "--uid", "a", "--capability", ",".join(map(str, range(65)))], "at most 64"),
    (["call", "--capability", "r r", "http://127.0.0.1:1/"], "twice"),
    (["grant", "--url", "ftp://127.0.0.1/", "--uid", "a", "--capability", "r"], "https://"),
    (["grant", "--url", "http://u:p@127.0.0.1/", "--uid", "a", "--capability", "r"], "password"),
    (["grant", "--url", "http://127.0.0.1/?q", "--uid", "a", "--capability", "r"], "query"),
    (["grant", "--url", "http://127.0.0.1:1/s/request_access", "--uid", "a", "--capability", "r"],
     "/s/request_access is an endpoint; use the base URL: http://127.0.0.1:1/s\n"),
    (["grant", "--url", "http://127.0.0.1:1/generate_nonce//", "--uid", "a", "--capability", "r"],
     "use the base URL: http://127.0.0.1:1\n"),
    (["refresh", "--url", "http://127.0.0.1:1/s/refresh_access"], "use the base URL: http://127.0.0.1:1/s\n"),
    (["call", "--endpoint", "http://127.0.0.1:1/s/request_access", "http://127.0.0.1:1/"], "is an endpoint"),
    (["grant", "--url", "http://127.0.0.1:1/s", "--uid", "a", "--capability", "r"], "--secret-file"),
    (["grant", "--url", "http://127.0.0.1:1/s", "--uid", "a", "--capability", "r", "--capability", "r"], "twice"),
    (["call"], "URL is required"),
    (["call", "http://127.0.0.1:1/", "x"], "too many"),
    (["call", "-d", "x", "-T", "y", "http://127.0.0.1:1/"], "cannot be combined"),
    (["call", "--json", "http://127.0.0.1:1/"], "--output"),
    (["call", "-H", "Authorization: x", "http://127.0.0.1:1/"], "set by interauth"),
    (["call", "-H", "nonsense", "http://127.0.0.1:1/"], "Name: value"),
    (["call", "-H", "A: b\r\nC: d", "http://127.0.0.1:1/"], "control"),
    (["call", "-X", "GET /", "http://127.0.0.1:1/"], "method"),
    (["call", "--grant", "g", "--uid", "u", "http://127.0.0.1:1/"], "cannot be combined"),
    (["call", "--no-grant", "http://127.0.0.1:1/"], "--no-grant requires"),
    (["call", "--no-grant", "--sign", "k", "--grant", "g", "http://127.0.0.1:1/"], "cannot be combined"),
    (["call", "--cover", "@method", "http://127.0.0.1:1/"], "require --sign"),
    (["call", "--sign", "k", "--sign-secret", "s", "http://127.0.0.1:1/"], "either"),
    (["refresh", "--grant", "g", "--uid", "u"], "cannot be combined"),
    (["forget"], "name the grant to forget, or use --all"),
    (["forget", "--all", "g"], "name the grant to forget, or use --all"),
    (["grants", "g"], "too many"),
    (["secret"], "--show"),
    (["secret", "--bytes", "8", "--show"], "from 16 to 256"),
    (["keygen"], "FILE is required"),
    (["keygen", "--type", "dsa", "f"], "one of"),
    (["keygen", "--kid", "a b", "f"], "--kid"),
    (["participant", "--file", "f"], "list, show ID or make ID is required"),
    (["participant"], "list, show ID or make ID is required"),
    (["participant", "list"], "--file FILE is required"),
    (["participant", "lst", "--file", "f"], "did you mean list?"),
    (["participant", "show", "--file", "f"], "ID"),
    (["participant", "list", "x", "--file", "f"], "show?"),
    (["check"], "nothing to check"),
])
def test_a_usage_error_says_what_is_wrong(interauth, arguments, message):
    result = interauth(*arguments)
    assert result.returncode == 2, result.stderr
    assert result.stdout == "" or "--json" in arguments
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
