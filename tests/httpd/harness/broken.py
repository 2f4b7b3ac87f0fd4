"""Authorization values that are not of the grammar."""
from .sauth import hexmac, response
from .site import SECRET, b64url


def broken_headers(client):
    """Authorization values that are not of the grammar."""
    token, nonce = client.token, client.nonces[0]
    good = response(SECRET, token, nonce)
    n = b64url(nonce.encode())
    mac = hexmac(SECRET, f"{token} {nonce}")
    return {
        "nothing": "SAuth",
        "a space": "SAuth  ",
        "not base64url": f'SAuth response="{good[:-1]}!",nonce="{n}"',
        "standard base64": f'SAuth response="+/+/{good[4:]}",nonce="{n}"',
        "padding": f'SAuth response="{good}===",nonce="{n}"',
        "response empty": f'SAuth response="",nonce="{n}"',
        "nonce empty": f'SAuth response="{good}",nonce=""',
        "nonce missing": f'SAuth response="{good}"',
        "response missing": f'SAuth nonce="{n}"',
        "nonce twice": f'SAuth response="{good}",nonce="{n}",nonce="{n}"',
        "response twice": f'SAuth response="{good}",response="{good}",nonce="{n}"',
        "unknown parameter": f'SAuth response="{good}",nonce="{n}",realm="x"',
        "unquoted": f"SAuth response={good},nonce={n}",
        "no comma": f'SAuth response="{good}" nonce="{n}"',
        "comma at the end": f'SAuth response="{good}",nonce="{n}",',
        "comma at the start": f'SAuth ,response="{good}",nonce="{n}"',
        "quote left open": f'SAuth response="{good}",nonce="{n}',
        "text behind": f'SAuth response="{good}",nonce="{n}" x',
        "nonce of 15 bytes": f'SAuth response="{good}",nonce="{b64url(b"x" * 15)}"',
        "nonce of 21 characters": f'SAuth response="{good}",nonce="{b64url(nonce[:21].encode())}"',
        "nonce not decoded once": f'SAuth response="{good}",nonce="{b64url(n.encode())}"',
        "no colon": f'SAuth response="{b64url((token + mac).encode())}",nonce="{n}"',
        "no token": f'SAuth response="{b64url((":" + mac).encode())}",nonce="{n}"',
        "no mac": f'SAuth response="{b64url((token + ":").encode())}",nonce="{n}"',
        "short mac": f'SAuth response="{b64url((token + ":" + mac[:-1]).encode())}",nonce="{n}"',
        "mac not hexadecimal": f'SAuth response="{b64url((token + ":" + "x" * 64).encode())}",nonce="{n}"',
        "token with a NUL": f'SAuth response="{b64url((token + chr(0) + ":" + mac).encode())}",nonce="{n}"',
        "token too long": f'SAuth response="{b64url(("t" * 256 + ":" + mac).encode())}",nonce="{n}"',
        "bare, not base64url": "SAuth " + good[:-1] + "!",
        "bare, two": f"SAuth {good} {good}",
        "huge": f'SAuth response="{"A" * 5000}",nonce="{n}"',
    }
