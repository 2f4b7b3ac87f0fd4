"""Calls an application with the challenge protocol, hmac-sha256: challenge.py URL USER PASSWORD_FILE METHOD [REQUEST]
URL is that of the application; the client logs in there too. Exit status: 0 success, 1 refused, 2 usage, 3 fault."""
import hashlib, hmac, json, math, secrets, sys, time, urllib.error, urllib.request

class Refused(Exception): pass  # body, status, seconds to wait if the server has just started
def K(secret, *parts):
    return hmac.new(secret.encode(), "\0".join(map(str, parts)).encode(), "sha256").hexdigest()
def post(url, text):
    try:
        call = urllib.request.Request(url, text.encode(), {"Content-Type": "application/json"})
        return urllib.request.urlopen(call, timeout=30).read()
    except urllib.error.HTTPError as no:
        raise Refused(no.read(), no.code, int(no.headers.get("Retry-After", 0)) if no.code == 503 else 0)

class Client:
    def __init__(self, url, user, password):
        self.url, self.user, self.password, self.token = url, user, password, None

    def ask(self, method, **request):
        return json.loads(post(self.url, json.dumps({"method": method, "request": request})))["response"]
    def window(self):  # the Nonce of a window is its end, which is part of it
        return math.ceil(time.time() / self.lifetime) * self.lifetime

    def login(self):
        reply = self.ask("auth.request", username=self.user, profile="hmac-sha256")
        self.lifetime, domain, challenge = reply["lifetime"], reply["domain"], reply["challenge"]
        salt = hashlib.sha256(f"{self.user}|{domain}".encode()).digest()
        key = hashlib.scrypt(self.password, salt=salt, n=32768, r=8, p=3, maxmem=2**26, dklen=32).hex()
        self.secret, window = K(key, self.user, domain), self.window()
        token = K(self.secret, challenge, window)
        self.ask("auth.token", challenge=challenge, signature=K(self.secret, token, window))
        self.token = token

    def call(self, method, request, attempts=2):
        try:
            if not self.token: self.login()
            text, nonce, now, window = json.dumps(request), secrets.token_hex(16), int(time.time()), self.window()
            signature = K(self.secret, self.token, window, method, nonce, now, text)
            body = post(self.url, f'{{"method":"{method}","token":"{self.token}","signature":"{signature}",'
                                  f'"nonce":"{nonce}","timestamp":{now},"request":{text}}}')
        except Refused as no:  # 401: the token has expired, or a newer login of this user replaced it
            if attempts == 1 or not (no.args[1] == 401 and self.token or 0 < no.args[2] <= 60): raise
            if no.args[1] == 401: self.token = None
            time.sleep(no.args[2])
            return self.call(method, request, attempts - 1)
        head, _, end = body.rpartition(b'"signature":"')  # the signature covers the response without this member
        digest = hashlib.sha256(head.removesuffix(b",") + end[65:]).hexdigest()
        if hmac.compare_digest(end[:64], K(self.secret, self.token, window, "response", nonce, digest).encode()):
            return json.loads(body)
        raise ValueError(f"{method}: not signed by the server: {body[:200]}")

if __name__ == "__main__":
    if not 5 <= len(sys.argv) <= 6: sys.exit(print(__doc__, file=sys.stderr) or 2)
    url, user, path, method, request = (*sys.argv[1:], "{}")[:5]
    try:
        client = Client(url, user, open(path, "rb").read().removesuffix(b"\n"))
        print(json.dumps(client.call(method, json.loads(request))))
    except Refused as no: sys.exit(f"{method}: {no.args[1]} {no.args[0].decode(errors='replace')}")  # status 1
    except (OSError, ValueError) as fault: sys.exit(print(fault, file=sys.stderr) or 3)
