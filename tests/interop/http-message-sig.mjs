// Signs, verifies or sends one request with http-message-sig: node http-message-sig.mjs sign|verify|send <job.json >answer
// A job: {algorithm, key (a PEM, or a secret in base64url), keyid, components, method, url, fields: [[name, value]]}, to
// sign and send also parameters, to send a body.
import { createRequire } from "node:module";
import { constants, createHmac, createPrivateKey, createPublicKey, sign, timingSafeEqual, verify,
         webcrypto as nodeCrypto } from "node:crypto";
import { readFileSync } from "node:fs";

const theirs = createRequire(process.cwd() + "/")("http-message-sig");
const job = JSON.parse(readFileSync(0));

// The algorithms for which the package brings WebCrypto providers; for others it wants the client's own.
const web = {
    "ed25519": { name: "Ed25519" },
    "rsa-pss-sha512": { name: "RSA-PSS", hash: "SHA-512" },
};
const own = {
    "ecdsa-p256-sha256": ["sha256", { dsaEncoding: "ieee-p1363" }],
    "ecdsa-p384-sha384": ["sha384", { dsaEncoding: "ieee-p1363" }],
    "rsa-v1_5-sha256": ["sha256", { padding: constants.RSA_PKCS1_PADDING }],
};

async function imported(isPrivate) {
    const key = isPrivate ? createPrivateKey(job.key) : createPublicKey(job.key);
    const form = isPrivate ? "pkcs8" : "spki";
    return nodeCrypto.subtle.importKey(form, key.export({ type: form, format: "der" }), web[job.algorithm], false,
                                       [isPrivate ? "sign" : "verify"]);
}

const hmac = (data) => createHmac("sha256", Buffer.from(job.key, "base64url")).update(data).digest();

async function signer() {
    const algorithm = job.algorithm;
    if (web[algorithm])
        return theirs.webcrypto.signer(await imported(true));
    if (algorithm === "hmac-sha256")
        return { algorithm, sign: hmac };
    const [hash, how] = own[algorithm];
    return { algorithm, sign: (data) => sign(hash, data, { key: job.key, ...how }) };
}

async function verifier() {
    const algorithm = job.algorithm;
    if (web[algorithm])
        return theirs.webcrypto.verifier(await imported(false));
    if (algorithm === "hmac-sha256")
        return { algorithm, verify: (data, made) => made.length === 32 && timingSafeEqual(hmac(data), made) };
    const [hash, how] = own[algorithm];
    return { algorithm, verify: (data, made) => verify(hash, data, { key: job.key, ...how }, made) };
}

const options = async () => ({ label: "sig1", components: job.components, parameters: { ...job.parameters, keyid: job.keyid },
                               signer: await signer() });
const descriptor = () => ({ kind: "request", method: job.method, targetUri: job.url,
                            fields: job.fields.map(([name, value]) => ({ name, value })) });

const actions = {
    async sign() {
        return theirs.createSignature(descriptor(), await options());
    },
    async verify() {
        const policy = { algorithms: [job.algorithm], requiredComponents: job.components,
                         requiredParameters: ["created", "keyid", "nonce"], maxAge: 300, clockSkew: 30 };
        const found = await theirs.verifySignature(descriptor(), {
            policy, resolveVerifier: ({ parameters }) => {
                if (parameters.keyid !== job.keyid)
                    throw new Error("another keyid");
                return verifier();
            },
        });
        return { verified: found.algorithm, keyid: found.parameters.keyid };
    },
    async send() {
        const request = new Request(job.url, { method: job.method, headers: job.fields, body: job.body });
        const fields = await theirs.createSignature(request, await options());
        const answer = await fetch(request, { headers: theirs.appendSignature(request.headers, fields) });
        return { status: answer.status, text: await answer.text() };
    },
};

actions[process.argv[2]]().then((answer) => console.log(JSON.stringify(answer)),
                                (error) => console.log(JSON.stringify({ error: error.code || String(error) })));
