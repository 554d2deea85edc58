import { Code } from '@connectrpc/connect';
import { PDClient } from '@habeas/contract/pd';
import { must, Skip } from '../../conformance/index.ts';
import type { ConformanceKit } from './conformance-kit.ts';
import type { ServiceCase } from './service-case.ts';

const { describe, resolveIdentities } = PDClient.method;

async function description(kit: ConformanceKit) {
  const asked = kit.call(describe, {});
  if ((await kit.refusal(asked)) === Code.Unimplemented)
    throw new Skip('The service does not offer Describe.');
  return asked;
}

/** Describe tells the truth. */
export const describeCases: readonly ServiceCase[] = [
  {
    name: 'describe-names-itself',
    rule: 'Describe names the service as its tokens do, its data categories, and at least one right and one identity.',
    erases: false,
    async run(kit) {
      const found = await description(kit);
      must(found.service === kit.service, 'Describe gives another name than the audience of the tokens.');
      must(found.dataCategories.length > 0, 'Describe names no data category.');
      const odd = found.dataCategories.some((category) => !/^[a-z0-9_]+(\.[a-z0-9_]+)*$/.test(category));
      must(
        !odd,
        'Describe names a data category that is no key of the taxonomy, such as user.contact.email.',
      );
      must(found.rights.includes('access'), 'Describe does not name access among its rights.');
      must(found.rights.includes('erasure'), 'Describe does not name erasure among its rights.');
      must(
        found.identityTypesNeeded.length > 0,
        'Describe names no type of identity by which it finds people.',
      );
    },
  },
  {
    name: 'describe-needs-what-it-says',
    rule: 'Each type of identity that Describe needs is enough to find a person by.',
    erases: false,
    async run(kit) {
      const found = await description(kit);
      const usable = kit.subject.filter(({ type }) => found.identityTypesNeeded.includes(type));
      if (usable.length === 0) {
        throw new Skip(
          `The test person has none of the identities that Describe needs (${found.identityTypesNeeded.join(', ')}).`,
        );
      }
      for (const identity of usable) {
        const got = await kit.get(kit.person([identity]));
        must(
          got.reading.matched,
          `Describe says that ${identity.type} is enough, but Get finds nobody by it alone.`,
        );
      }
    },
  },
  {
    name: 'describe-resolves-what-it-says',
    rule: 'ResolveIdentities gives the types that Describe says it resolves, and only those or the ones that were sent.',
    erases: false,
    async run(kit) {
      const { identityTypesResolved: told } = await description(kit);
      const asked = kit.call(resolveIdentities, kit.person(kit.subject));
      if ((await kit.refusal(asked)) === Code.Unimplemented) {
        must(
          told.length === 0,
          'Describe says that identities are resolved, but ResolveIdentities is not offered.',
        );
        return;
      }
      const { operation, polls } = await kit.end((await asked).operation);
      const { identities } =
        polls === 0 ? await asked : await kit.call(PDClient.method.getOperation, { name: operation.name });
      const sent = new Set(kit.subject.map(({ type }) => type));
      const surprising = identities.some(({ type }) => !told.includes(type) && !sent.has(type));
      must(!surprising, 'ResolveIdentities gives a type of identity that Describe does not name.');
      const missing = told.filter(
        (type) => !sent.has(type) && !identities.some((identity) => identity.type === type),
      );
      must(
        missing.length === 0,
        `ResolveIdentities gives no ${missing.join(', ')} for the test person, as Describe says.`,
      );
    },
  },
];
