// node check-receipt.mjs receipt.json PUBLIC_KEY: whether that key signed exactly this receipt. Needs no server and no package.
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Canonical JSON (RFC 8785): keys sorted, no spaces. */
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical)}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)}}`;
}
const [file, x] = process.argv.slice(2);
const { receipt, signature } = JSON.parse(readFileSync(file, 'utf8'));
const [header, , signed] = signature.split('.');
const text = Buffer.from(`${header}.${Buffer.from(canonical(receipt)).toString('base64url')}`);
const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
const genuine = verify(null, text, key, Buffer.from(signed, 'base64url'));
console.log(genuine ? 'genuine' : 'NOT genuine: changed, or signed by another key');
process.exitCode = genuine ? 0 : 1;
