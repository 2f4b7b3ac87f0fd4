"""The locations that are compared, and their configuration."""
import os
from dataclasses import dataclass

from harness.httpd import USER
from harness.locate import static_modules, stock_dir

from . import tokens

STOCK = ("mpm_event", "unixd", "authn_core", "authz_core", "alias")
PAGE_BYTES = 100


@dataclass
class Variant:
    """A directory of the document root and its protection."""

    name: str
    title: str
    scheme: str = "none"
    config: str = ""     # in its Location section
    globals: str = ""    # outside of the section
    stock: tuple = ()    # modules of httpd
    peer: str = ""       # third-party module: "auth_openidc" or "oauth2"
    ours: tuple = ()
    token: str = ""      # file in the server root, for load -t
    base: str = "open0"  # what it is compared with

    @property
    def family(self):
        """The server of the variant. Third-party modules and ours have separate servers, without the hooks of others."""
        return self.peer or ("ours" if self.ours else "stock")

    @property
    def path(self):
        return f"/{self.name}/f"


@dataclass(frozen=True)
class Filled:
    """Additional records in our tables."""

    participants: int = 1
    grants: int = 0

    def directives(self):
        return [f"RegistryCapacity {max(self.participants, 1000)}", f"SAuthGrantCapacity {max(self.grants * 5 // 4, 10000)}",
                f"SAuthReplayCapacity {max(self.grants * 2, 10000)}"]


OIDC = 'OIDCOAuthVerifyCertFiles "rs256#@ROOT@/rs256.pem"\nOIDCCryptoPassphrase bench\n'  # EC keys are supported only by https
OAUTH2 = """AuthType oauth2
OAuth2TokenVerify jwk '@JWK_{}@' verify.iat=skip
Require oauth2_claim sub:bench
"""
SAUTH = 'AuthType SAuth\nAuthName "bench"\nRequire capability read\n'
ENDPOINT = ('<Location "/trust">\n    SetHandler sauth\n    Require all granted\n</Location>\n'
            'RegistryFile "@ROOT@/participants.json"\nSAuthClockSkew 1\n')
DIGEST = f'AuthType Digest\nAuthName "{tokens.REALM}"\nAuthUserFile "@ROOT@/digest.txt"\nRequire valid-user\n'

SHMEM = "AuthDigestShmemSize 4M\n"  # with the default, a client is removed after a dozen others
OURS = ("registry", "isign", "sauth")
VALID_USER = ("authn_file", "authz_user")

VARIANTS = [
    Variant("open0", "unprotected"),
    Variant("open1", "unprotected, again"),
    Variant("openi", "unprotected, interauth loaded", ours=OURS),
    Variant("sauth", "interauth: SAuth, Require capability", "sauth", SAUTH, ENDPOINT, ours=OURS, token="grants", base="openi"),
    Variant("basic", "auth_basic, file, SHA-1", "basic",
            f'AuthType Basic\nAuthName "{tokens.REALM}"\nAuthUserFile "@ROOT@/basic.txt"\nRequire valid-user\n',
            stock=("auth_basic", *VALID_USER)),
    Variant("diges", "auth_digest, MD5, nc counted", "digest", DIGEST + "AuthDigestNonceLifetime 3600\nAuthDigestNcCheck On\n",
            SHMEM, stock=("auth_digest", *VALID_USER)),
    Variant("dige1", "auth_digest, MD5, one-time nonces", "digest", DIGEST + "AuthDigestNonceLifetime 0\nAuthDigestNcCheck On\n",
            SHMEM, stock=("auth_digest", *VALID_USER)),
    Variant("openo", "unprotected, mod_auth_openidc loaded", peer="auth_openidc"),
    Variant("oidcr", "mod_auth_openidc, RS256", "bearer", "AuthType oauth20\nRequire claim sub:bench\n", OIDC,
            peer="auth_openidc", token="rs256", base="openo"),
    Variant("open2", "unprotected, mod_oauth2 loaded", peer="oauth2"),
    Variant("oaur2", "mod_oauth2, RS256, token seen before", "bearer", OAUTH2.format("rs256"), peer="oauth2",
            token="rs256", base="open2"),
    Variant("oaue2", "mod_oauth2, ES256, token seen before", "bearer", OAUTH2.format("es256"), peer="oauth2",
            token="es256", base="open2"),
]


def families(variants):
    """Returns {family: its variants}."""
    found = {}
    for variant in variants:
        found.setdefault(variant.family, []).append(variant)
    return found


PACKAGES = {"auth_openidc": "libapache2-mod-auth-openidc", "oauth2": "libapache2-mod-oauth2"}

BODY_VARIANTS = [
    Variant("bopen", "read and discarded", ours=("isign",)),
    Variant("bmem0", "ISign digest, spool in memory", config="ISign digest\nISignBody spool 64M 128M\n", ours=("isign",)),
    Variant("bfile", "ISign digest, spool in a file", config="ISign digest\nISignBody spool 0 128M\n", ours=("isign",)),
    Variant("bmixd", "ISign digest, 256 KiB in memory", config="ISign digest\nISignBody spool 256K 128M\n",
            ours=("isign",)),
    Variant("bstrm", "ISign digest, streamed", config="ISign digest\nISignBody stream\n", ours=("isign",)),
]


def peer_file(name):
    return stock_dir() / f"mod_{name}.so"


def missing_packages():
    return [package for name, package in PACKAGES.items() if not peer_file(name).is_file()]


def available(variant):
    return not variant.peer or peer_file(variant.peer).is_file()


def module_lines(variants, build):
    stock = dict.fromkeys(STOCK)
    for variant in variants:
        stock.update(dict.fromkeys(variant.stock))
    ours = dict.fromkeys(name for variant in variants for name in variant.ours)
    peers = dict.fromkeys(variant.peer for variant in variants if variant.peer)
    for name in stock:
        if name not in static_modules():
            yield f"LoadModule {name}_module {stock_dir()}/mod_{name}.so"
    for name in peers:
        yield f"LoadModule {name}_module {peer_file(name)}"
    for name in ours:
        yield f"LoadModule {name}_module {build}/modules/{name}/.libs/mod_{name}.so"


def configuration(root, port, variants, build, filled, connections, children=1):
    threads = 64 if connections < 64 else connections + 64  # httpd closes keep-alive connections if no thread is idle
    lines = list(module_lines(variants, build)) + [
        f'ServerRoot "{root}"', f'DefaultRuntimeDir "{root}/run"', f'PidFile "{root}/run/httpd.pid"',
        f"Listen 127.0.0.1:{port}", f"ServerName 127.0.0.1:{port}", "LogLevel warn", f'ErrorLog "{root}/logs/error.log"',
        f"ServerLimit {children}", f"ThreadLimit {threads}", f"StartServers {children}", f"ThreadsPerChild {threads}",
        f"MaxRequestWorkers {threads * children}", "MinSpareThreads 1", f"MaxSpareThreads {threads * children}",
        "KeepAlive On", "MaxKeepAliveRequests 0", "KeepAliveTimeout 300", "Timeout 300",
        f'DocumentRoot "{root}/htdocs"', '<Directory "/">\n    AllowOverride None\n    Options FollowSymLinks\n'
        "    Require all denied\n</Directory>",
        f'<Directory "{root}/htdocs">\n    Require all granted\n</Directory>']
    if os.getuid() == 0:
        lines += [f"User {USER}", f"Group {USER}"]
    lines += dict.fromkeys(variant.globals for variant in variants)
    if any(variant.scheme == "sauth" for variant in variants):
        lines += filled.directives()
    for variant in variants:
        config = variant.config or "Require all granted\n"
        lines += [f'<Location "/{variant.name}">\n{config}</Location>']
    text = "\n".join(lines).replace("@ROOT@", str(root)) + "\n"
    for name in ("rs256", "es256"):
        if f"@JWK_{name}@" in text:
            text = text.replace(f"@JWK_{name}@", tokens.jwk(root, name))
    return text


def install(root, variants, filled):
    """Creates the files to which the configuration refers."""
    for name in ("run", "htdocs"):
        (root / name).mkdir()
    for variant in variants:
        (root / "htdocs" / variant.name).mkdir()
        (root / "htdocs" / variant.name / "f").write_bytes(b"x" * PAGE_BYTES)
    (root / "basic.txt").write_text(tokens.basic_file())
    (root / "digest.txt").write_text(tokens.digest_file())
    (root / "participants.json").write_text(tokens.participants_file(filled.participants))
    (root / "participants.json").chmod(0o600)
    if any(variant.peer for variant in variants):
        tokens.make_keys(root)
        for name in ("rs256", "es256"):
            (root / name).write_text(tokens.jwt(root, name) + "\n")
