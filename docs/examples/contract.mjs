// What a service has to do by the contract, in plain Node, without the SDK and without packages: a pattern for any language.
import { createHmac, createPublicKey, randomBytes, randomUUID, verify } from 'node:crypto';

const SERVICE = 'accounts';
const jwk = { kty: 'OKP', crv: 'Ed25519', x: process.env.HABEAS_PUBLIC_KEY };
const publicKey = createPublicKey({ format: 'jwk', key: jwk });

let users = [{ email: 'ada@example.org', name: 'Ada' }]; // stands for your store
const operations = new Map(); // idempotency key → what was done; keep this in your store, for 90 days
const secret = randomBytes(32); // and this, beside it

export class Refusal extends Error {
  constructor(status, code) {
    super(code);
    Object.assign(this, { status, code });
  }
}

/** Lets only Habeas in: a JWT, signed by its key, made out to this service and call, good for at most five minutes. */
export function checkToken(authorization, rpc, requestId) {
  const token = /^Bearer ([\w-]+)\.([\w-]+)\.([\w-]+)$/i.exec(authorization);
  if (token === null) throw new Refusal(401, 'unauthenticated');
  const [, header, payload, signature] = token;
  const text = Buffer.from(`${header}.${payload}`);
  const signed = verify(null, text, publicKey, Buffer.from(signature, 'base64url'));
  if (!signed) throw new Refusal(401, 'unauthenticated');
  const { iss, aud, iat, exp, method, request_id } = JSON.parse(Buffer.from(payload, 'base64url'));
  const now = Date.now() / 1_000;
  const current = exp > now && iat < now + 10 && exp - iat <= 300;
  if (iss !== 'habeas' || aud !== SERVICE || !current) throw new Refusal(401, 'unauthenticated');
  const ofRequest = !request_id || !requestId || request_id === requestId;
  if ((method ?? rpc) !== rpc || !ofRequest) throw new Refusal(403, 'permission_denied');
}

const usersOf = ({ identities }) =>
  users.filter(({ email }) => identities.some(({ type, value }) => type === 'email' && value === email));

/** Same key, same operation: `work` runs once for a key and gives a count; the key of another call is refused. */
function once(rpc, call, work) {
  const { requestId, idempotencyKey, identities = [], dryRun = false } = call;
  if (!requestId || !idempotencyKey || identities.length === 0) throw new Refusal(400, 'invalid_argument');
  // A keyed hash: whom it was about must not stay here.
  const asked = JSON.stringify([rpc, requestId, identities, dryRun]);
  const question = createHmac('sha256', secret).update(asked).digest('base64');
  const known = operations.get(idempotencyKey);
  if (known !== undefined && known.question !== question) throw new Refusal(400, 'invalid_argument');
  if (known !== undefined) return known.operation;
  const count = work();
  const state = count === 0 ? 'NO_MATCH' : 'SUCCEEDED';
  const operation = { name: randomUUID(), state, counts: { users: count } };
  operations.set(idempotencyKey, { question, operation });
  return operation;
}

export const rpcs = {
  Describe: () => ({
    service: SERVICE,
    dataCategories: ['user.contact.email', 'user.name'],
    identityTypesNeeded: ['email'],
    rights: ['access', 'erasure'],
  }),
  Get: (call) => {
    const operation = once('Get', call, () => usersOf(call).length);
    const found = call.dryRun ? [] : usersOf(call);
    const start = Number(call.pageToken || 0);
    const end = start + (call.pageSize || 500);
    const records = found.slice(start, end).map((row) => ({ collection: 'users', row }));
    return { operation, records, nextPageToken: end < found.length ? String(end) : '' };
  },
  Delete: (call) => {
    const operation = once('Delete', call, () => {
      const found = usersOf(call);
      if (!call.dryRun) users = users.filter((user) => !found.includes(user));
      return found.length;
    });
    return { operation };
  },
};
