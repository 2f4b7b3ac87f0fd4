"""Content-Digest, as RFC 9530 describes it."""
import base64
import hashlib


def digest(body, *algorithms):
    """A Content-Digest value."""
    parts = []
    for name in algorithms or ("sha-256",):
        value = getattr(hashlib, name.replace("-", ""))(body).digest()
        parts.append(f"{name}=:{base64.b64encode(value).decode()}:")
    return ", ".join(parts)
