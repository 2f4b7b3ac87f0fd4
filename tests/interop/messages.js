// Signs or verifies one request with http-message-signatures: node messages.js sign|verify <job.json >answer.json
// A job: {algorithm, key (a PEM, or a secret in base64url), keyid, fields, message: {method, url, headers}}.
"use strict";
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");
const { httpbis, createSigner, createVerifier } =
    createRequire(process.cwd() + "/")("http-message-signatures");

const job = JSON.parse(readFileSync(0));
const key = job.algorithm === "hmac-sha256" ? Buffer.from(job.key, "base64url") : job.key;

async function sign() {
    const signer = createSigner(key, job.algorithm, job.keyid);
    return httpbis.signMessage({
        key: signer, name: "sig1", fields: job.fields, params: ["created", "nonce", "keyid", "alg"],
        paramValues: { nonce: "a nonce of theirs" },
    }, job.message);
}

async function verify() {
    const verifier = createVerifier(key, job.algorithm);
    const keyLookup = async ({ keyid }) =>
        keyid === job.keyid ? { id: keyid, algs: [job.algorithm], verify: verifier } : null;
    return { verified: await httpbis.verifyMessage({ keyLookup, requiredFields: job.fields }, job.message) };
}

(process.argv[2] === "sign" ? sign() : verify()).then(
    (answer) => console.log(JSON.stringify(answer)),
    (error) => console.log(JSON.stringify({ error: String(error) })));
