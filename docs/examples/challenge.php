<?php
const USAGE = 'Calls an application with the challenge protocol, hmac-sha256: challenge.php URL USER PASSWORD_FILE METHOD [REQUEST]
URL is that of the application; the client logs in there too. Exit status: 0 success, 1 refused, 2 usage, 3 fault.';
class Refused extends Exception { public $wait = 0; }  // seconds to wait if the server has just started
function K($secret, ...$parts) { return hash_hmac('sha256', implode("\0", $parts), $secret); }

function post($url, $text) {
    $http = ['http' => ['method' => 'POST', 'header' => 'Content-Type: application/json', 'content' => $text, 'timeout' => 30,
                        'ignore_errors' => true, 'follow_location' => 0]];
    $body = file_get_contents($url, false, stream_context_create($http));
    if (($status = (int)substr($http_response_header[0], 9, 3)) == 200) return $body;
    $refused = new Refused("$status $body", $status);
    if ($status == 503) $refused->wait = (int)implode(preg_filter('/^Retry-After: /i', '', $http_response_header));
    throw $refused;
}
class Client {
    private $token, $secret, $lifetime;
    function __construct(private string $url, private string $user, private string $password) {}
    private function ask($method, $request) {
        return json_decode(post($this->url, json_encode(compact('method', 'request'))), true)['response'];
    }
    private function window() { return (int)ceil(microtime(true) / $this->lifetime) * $this->lifetime; }  // its end
    private function login() {
        ['lifetime' => $this->lifetime, 'domain' => $domain, 'challenge' => $challenge] =
            $this->ask('auth.request', ['username' => $this->user, 'profile' => 'hmac-sha256']);
        $salt = hash('sha256', "$this->user|$domain", true);  // and scrypt with N = 32768, r = 8, p = 3
        $key = bin2hex(sodium_crypto_pwhash_scryptsalsa208sha256(32, $this->password, $salt, 3145728, 33554432));
        $this->secret = K($key, $this->user, $domain);
        $token = K($this->secret, $challenge, $window = $this->window());
        $this->ask('auth.token', ['challenge' => $challenge, 'signature' => K($this->secret, $token, $window)]);
        $this->token = $token;
    }
    function call($method, $request, $attempts = 2) {
        try {
            if (!$this->token) $this->login();
            [$nonce, $now, $window] = [bin2hex(random_bytes(16)), time(), $this->window()];
            $signature = K($this->secret, $this->token, $window, $method, $nonce, $now, $request);
            $body = post($this->url, '{"method":"' . $method . '","token":"' . $this->token . '","signature":"' . $signature .
                '","nonce":"' . $nonce . '","timestamp":' . $now . ',"request":' . $request . '}');
        } catch (Refused $no) {  // 401: the token has expired, or a newer login of this user replaced it
            if ($attempts == 1 || !($no->getCode() == 401 && $this->token) && !in_array($no->wait, range(1, 60))) throw $no;
            if ($no->getCode() == 401) $this->token = null;
            sleep($no->wait);
            return $this->call($method, $request, $attempts - 1);
        }
        $at = (int)strrpos($body, '"signature":"');  // the signature covers the response without this member
        $digest = hash('sha256', preg_replace('/,$/D', '', substr($body, 0, $at)) . substr($body, $at + 78));
        $expected = K($this->secret, $this->token, $window, 'response', $nonce, $digest);
        if (hash_equals($expected, substr($body, $at + 13, 64))) return $body;
        throw new Exception("$method: not signed by the server: $body");
    }
}
set_error_handler(fn($level, $text) => throw new ErrorException($text));  // a warning is a fault too
if ($argc < 5 || $argc > 6) { fwrite(STDERR, USAGE . "\n"); exit(2); }
[, $url, $user, $path, $method] = $argv;
try {
    $client = new Client($url, $user, preg_replace('/\n$/D', '', file_get_contents($path)));
    echo $client->call($method, $argv[5] ?? '{}'), "\n";
} catch (Exception $no) { fwrite(STDERR, "$method: {$no->getMessage()}\n"); exit($no instanceof Refused ? 1 : 3); }
