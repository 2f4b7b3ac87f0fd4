<?php
// Calls an application by challenge, profile hmac-sha256: challenge.php BASE USER PASSWORD_FILE URL METHOD [REQUEST]

function K($secret, ...$parts) { return hash_hmac('sha256', implode("\0", $parts), $secret); }

function post($url, $text) {
    $http = ['method' => 'POST', 'header' => 'Content-Type: application/json', 'content' => $text, 'timeout' => 30,
             'ignore_errors' => true, 'follow_location' => 0];
    $body = file_get_contents($url, false, stream_context_create(['http' => $http]));
    return [(int)substr($http_response_header[0] ?? '', 9, 3), (string)$body];
}

class Caller {
    private $token, $secret, $lifetime;

    function __construct(private string $base, private string $user, private string $password) {}

    private function ask($method, $request) {
        [$status, $body] = post("$this->base/challenge", json_encode(['method' => $method, 'request' => $request]));
        if ($status != 200) throw new Exception("$method: $status $body");
        return json_decode($body, true)['response'];
    }

    private function window() {  // a window is named by its end, which belongs to it
        return (int)ceil(microtime(true) / $this->lifetime) * $this->lifetime;
    }

    private function login() {
        $told = $this->ask('auth.request', ['username' => $this->user, 'profile' => 'hmac-sha256']);
        $this->lifetime = $told['lifetime'];
        $salt = hash('sha256', "$this->user|$told[domain]", true);  // and scrypt with N = 32768, r = 8, p = 3
        $key = bin2hex(sodium_crypto_pwhash_scryptsalsa208sha256(32, $this->password, $salt, 3145728, 33554432));
        $this->secret = K($key, $this->user, $told['domain']);
        $token = K($this->secret, $told['challenge'], $window = $this->window());
        $this->ask('auth.token', ['challenge' => $told['challenge'], 'signature' => K($this->secret, $token, $window)]);
        $this->token = $token;
    }

    function call($url, $method, $request, $attempts = 2) {
        if (!$this->token) $this->login();
        [$nonce, $now, $window] = [bin2hex(random_bytes(16)), time(), $this->window()];
        $signature = K($this->secret, $this->token, $window, $method, $nonce, $now, $request);
        [$status, $body] = post($url, '{"method":"' . $method . '","token":"' . $this->token . '","signature":"' . $signature .
            '","nonce":"' . $nonce . '","timestamp":' . $now . ',"request":' . $request . '}');
        $at = (int)strrpos($body, '"signature":"');  // the answer was signed as it is without this member
        $digest = hash('sha256', preg_replace('/,$/D', '', substr($body, 0, $at)) . substr($body, $at + 78));
        $expected = K($this->secret, $this->token, $window, 'response', $nonce, $digest);
        if (hash_equals($expected, substr($body, $at + 13, 64))) return $body;
        $this->token = null;
        if ($status == 401 && $attempts > 1)  // the token's time is over, or a newer login of this user ended it
            return $this->call($url, $method, $request, $attempts - 1);
        throw new Exception("$method: $status, not signed by the server: $body");
    }
}

[, $base, $user, $path, $url, $method] = $argv;
$caller = new Caller($base, $user, preg_replace('/\n$/D', '', file_get_contents($path)));
echo $caller->call($url, $method, $argv[6] ?? '{}'), "\n";
