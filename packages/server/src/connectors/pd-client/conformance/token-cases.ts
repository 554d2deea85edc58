import { Code } from '@connectrpc/connect';
import { PDClient } from '@habeas/contract/pd';
import { generateKeyPair, SignJWT } from 'jose';
import { must, Skip } from '../../conformance/index.ts';
import { type ConformanceKit, nameOfCode } from './conformance-kit.ts';
import type { ServiceCase } from './service-case.ts';

const REFUSALS: ReadonlySet<Code | undefined> = new Set([Code.Unauthenticated, Code.PermissionDenied]);

/** Get about nobody changes nothing, whoever is let in. */
async function mustBeRefused(kit: ConformanceKit, authorization: string | null): Promise<void> {
  const code = await kit.refusal(
    kit.call(PDClient.method.get, kit.person(kit.unknownSubject), { authorization }),
  );
  must(REFUSALS.has(code), `Expected UNAUTHENTICATED, got ${nameOfCode(code)}.`);
}

function tokenCase(
  name: string,
  rule: string,
  authorization: (kit: ConformanceKit) => Promise<string | null>,
): ServiceCase {
  return {
    name,
    rule,
    erases: false,
    run: async (kit) => mustBeRefused(kit, await authorization(kit)),
  };
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function claims(kit: ConformanceKit): Record<string, string | number> {
  const now = Math.floor(Date.now() / 1_000);
  return { iss: 'habeas', aud: kit.service, iat: now, exp: now + 60 };
}

/** Only Habeas is answered. */
export const tokenCases: readonly ServiceCase[] = [
  {
    name: 'token-missing',
    rule: 'No rpc answers a call without a token.',
    erases: false,
    async run(kit) {
      const { get, delete: erase, verify, resolveIdentities, describe, getOperation } = PDClient.method;
      const person = kit.person(kit.unknownSubject, { dryRun: true });
      const none = { authorization: null };
      const calls = [
        [get, kit.call(get, person, none)],
        [erase, kit.call(erase, person, none)],
        [verify, kit.call(verify, person, none)],
        [resolveIdentities, kit.call(resolveIdentities, person, none)],
        [describe, kit.call(describe, {}, none)],
        [getOperation, kit.call(getOperation, { name: 'none' }, none)],
      ] as const;
      // All are awaited before the first is judged, so that none is left behind.
      const codes = await Promise.allSettled(calls.map(([, pending]) => kit.refusal(pending)));
      for (const [index, [method]] of calls.entries()) {
        const code = codes[index];
        if (code?.status !== 'fulfilled') throw code?.reason;
        const required = method === get || method === erase;
        const notOffered = !required && code.value === Code.Unimplemented;
        must(
          notOffered || REFUSALS.has(code.value),
          `${method.name} without a token: expected UNAUTHENTICATED, got ${nameOfCode(code.value)}.`,
        );
      }
    },
  },
  tokenCase('token-nonsense', 'A token that is no JWT is refused.', async () => 'Bearer nonsense'),
  tokenCase('token-expired', 'A token that has expired is refused.', async (kit) => {
    if (kit.signExpiredToken === undefined) throw new Skip('No expired token can be signed here.');
    return `Bearer ${await kit.signExpiredToken({ audience: kit.service })}`;
  }),
  tokenCase(
    'token-of-another-service',
    'A token whose audience is another service is refused.',
    async (kit) => `Bearer ${await kit.signToken({ audience: `${kit.service}-2` })}`,
  ),
  tokenCase('token-of-another-key', 'A token that another key signed is refused.', async (kit) => {
    const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
    return `Bearer ${await new SignJWT(claims(kit)).setProtectedHeader({ alg: 'EdDSA' }).sign(privateKey)}`;
  }),
  tokenCase(
    'token-unsigned',
    'A token that says it needs no signature is refused.',
    async (kit) => `Bearer ${part({ alg: 'none', typ: 'JWT' })}.${part(claims(kit))}.`,
  ),
  tokenCase('token-changed', 'A token that was changed after it was signed is refused.', async (kit) => {
    const [header, , signature] = (await kit.signToken({ audience: kit.service })).split('.');
    return `Bearer ${header}.${part({ ...claims(kit), exp: 4_102_444_800 })}.${signature}`;
  }),
];
