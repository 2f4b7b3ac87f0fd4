"""keygen and secret: private files, public output."""
import base64
import hashlib
import json
import stat

import pytest


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


PRIVATE = {"ed25519": {"d"}, "p256": {"d"}, "p384": {"d"}, "rsa": {"d", "p", "q", "dp", "dq", "qi"}}
REQUIRED = {"ed25519": ["crv", "kty", "x"], "p256": ["crv", "kty", "x", "y"], "p384": ["crv", "kty", "x", "y"],
            "rsa": ["e", "kty", "n"]}


@pytest.mark.parametrize("kind", ["ed25519", "p256", "p384", "rsa"])
def test_keygen_writes_a_private_jwk_and_prints_the_public(interauth, kind):
    path = interauth.home / "key"
    result = interauth("keygen", "--type", kind, path)
    assert (result.returncode, result.stderr) == (0, "")
    public, private = json.loads(result.stdout), json.loads(path.read_text())
    assert mode(path) == 0o600
    assert set(private) - set(public) == PRIVATE[kind]
    assert all(private[name] == value for name, value in public.items())
    required = json.dumps({name: public[name] for name in REQUIRED[kind]}, separators=(",", ":"))
    digest = hashlib.sha256(required.encode()).digest()
    assert public["kid"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    sizes = {"ed25519": 32, "p256": 32, "p384": 48, "rsa": 384}
    assert len(unb64(public["n" if kind == "rsa" else "x"])) == sizes[kind]
    assert kind == "rsa" or len(unb64(private["d"])) == sizes[kind]


def test_the_numbers_of_an_rsa_key_belong_together(interauth):
    path = interauth.home / "key"
    interauth("keygen", "--type", "rsa", path)
    key = {name: int.from_bytes(unb64(value), "big") for name, value in json.loads(path.read_text()).items()
           if name not in ("kid", "kty")}
    assert key["p"] * key["q"] == key["n"]
    for exponent, prime in (("dp", "p"), ("dq", "q")):
        assert key["d"] * key["e"] % (key[prime] - 1) == 1
        assert key[exponent] == key["d"] % (key[prime] - 1)
    assert key["qi"] * key["q"] % key["p"] == 1


@pytest.mark.parametrize("kind", ["ed25519", "p256", "p384"])
def test_a_pem_key_is_read_by_openssl(interauth, kind):
    import subprocess

    path = interauth.home / "key.pem"
    result = interauth("keygen", "--type", kind, "--format", "pem", "--kid", "k1", path)
    assert result.returncode == 0 and json.loads(result.stdout)["kid"] == "k1"
    assert mode(path) == 0o600
    der = subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"], capture_output=True, check=True)
    x = unb64(json.loads(result.stdout)["x"])
    assert x in der.stdout


@pytest.mark.parametrize("verb", ["keygen", "secret"])
def test_a_file_that_exists_is_not_overwritten(interauth, verb):
    path = interauth.home / "file"
    path.write_text("precious")
    result = interauth(verb, path)
    assert result.returncode == 1 and result.stdout == ""
    assert "already exists" in result.stderr
    assert path.read_text() == "precious"
    link = interauth.home / "link"
    link.symlink_to(interauth.home / "elsewhere")
    assert interauth(verb, link).returncode == 1
    assert not (interauth.home / "elsewhere").exists()


@pytest.mark.parametrize("verb", ["keygen", "secret"])
def test_a_file_that_cannot_be_made_is_a_fault(interauth, verb):
    assert interauth(verb, interauth.home / "missing/file").returncode == 3


def test_secret_goes_to_a_private_file_and_nowhere_else(interauth):
    path = interauth.home / "secret"
    result = interauth("secret", path)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert mode(path) == 0o600
    assert len(unb64(path.read_text().strip())) == 32
    shown = interauth("secret", "--json", "--bytes", "64", interauth.home / "another")
    assert json.loads(shown.stdout) == {"bytes": 64, "file": str(interauth.home / "another")}


def test_secret_is_shown_only_when_asked_for(interauth):
    first, second = interauth("secret", "--show"), interauth("secret", "--show", "--json", "--bytes", "16")
    assert len(unb64(first.stdout.strip())) == 32
    assert len(unb64(json.loads(second.stdout)["secret"])) == 16
    assert first.stdout != interauth("secret", "--show").stdout


def test_output_that_cannot_be_written_is_a_fault(interauth):
    import subprocess

    with open("/dev/full", "w") as full:
        status = subprocess.run([interauth.path, "secret", "--show"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert status.returncode == 3
