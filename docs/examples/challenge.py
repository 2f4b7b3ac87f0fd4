"""Calls an application by challenge, profile hmac-sha256: challenge.py BASE USER PASSWORD_FILE URL METHOD [REQUEST]"""
import hashlib, hmac, json, math, secrets, sys, time, urllib.error, urllib.request


def K(secret, *parts):
    return hmac.new(secret.encode(), "\0".join(map(str, parts)).encode(), "sha256").hexdigest()


def post(url, text):
    try:
        call = urllib.request.Request(url, text.encode(), {"Content-Type": "application/json"})
        return 200, urllib.request.urlopen(call, timeout=30).read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()


class Caller:
    def __init__(self, base, user, password):
        self.endpoint, self.user, self.password, self.token = base + "/challenge", user, password, None

    def ask(self, method, **request):
        status, body = post(self.endpoint, json.dumps({"method": method, "request": request}))
        if status != 200:
            raise PermissionError(f"{method}: {status} {body.decode()}")
        return json.loads(body)["response"]

    def window(self):  # a window is named by its end, which belongs to it
        return math.ceil(time.time() / self.lifetime) * self.lifetime

    def login(self):
        told = self.ask("auth.request", username=self.user, profile="hmac-sha256")
        self.lifetime, domain, challenge = told["lifetime"], told["domain"], told["challenge"]
        salt = hashlib.sha256(f"{self.user}|{domain}".encode()).digest()
        key = hashlib.scrypt(self.password, salt=salt, n=32768, r=8, p=3, maxmem=2**26, dklen=32).hex()
        self.secret, window = K(key, self.user, domain), self.window()
        self.token = K(self.secret, challenge, window)
        self.ask("auth.token", challenge=challenge, signature=K(self.secret, self.token, window))

    def call(self, url, method, request, attempts=2):
        if not self.token:
            self.login()
        text, nonce, now, window = json.dumps(request), secrets.token_hex(16), int(time.time()), self.window()
        signature = K(self.secret, self.token, window, method, nonce, now, text)
        status, body = post(url, f'{{"method":"{method}","token":"{self.token}","signature":"{signature}",'
                                 f'"nonce":"{nonce}","timestamp":{now},"request":{text}}}')
        head, _, end = body.rpartition(b'"signature":"')  # the answer was signed as it is without this member
        digest = hashlib.sha256(head.removesuffix(b",") + end[65:]).hexdigest()
        if hmac.compare_digest(end[:64], K(self.secret, self.token, window, "response", nonce, digest).encode()):
            return json.loads(body)
        self.token = None
        if status == 401 and attempts > 1:  # its time is over, or a newer login of this user ended it
            return self.call(url, method, request, attempts - 1)
        raise PermissionError(f"{method}: {status}, not signed by the server: {body[:200]}")


if __name__ == "__main__":
    base, user, path, url, method, request = (*sys.argv[1:], "{}")[:6]
    caller = Caller(base, user, open(path, "rb").read().removesuffix(b"\n"))
    print(json.dumps(caller.call(url, method, json.loads(request))))
