import { Code } from '@connectrpc/connect';
import { PDClient } from '@habeas/contract/pd';
import { must, Skip } from '../../conformance/index.ts';
import { type ConformanceKit, nameOfCode } from './conformance-kit.ts';
import type { ServiceCase } from './service-case.ts';

const { delete: erase, verify } = PDClient.method;

/** Values that have a meaning to some parser. Taken literally they are nobody. */
const LITERAL_VALUES: readonly (readonly [string, string])[] = [
  ['a Unicode address', 'жанна@пример.рф'],
  ['a decomposed accent', 'jose\u0301@example.org'],
  ['an emoji', '🦉@example.org'],
  ['a right-to-left mark', '\u202Eada@example.org'],
  ['a quote', "o'brien@example.org"],
  ['double quotes', '"ada lovelace"@example.org'],
  ['SQL that is always true', "' or '1'='1"],
  ['SQL that is always true, in double quotes', '" or ""="'],
  ['an SQL comment', "ada'--@example.org"],
  ['an SQL wildcard', '%'],
  ['a backslash', 'ada\\@example.org'],
  ['a line break', 'ada@example.org\r\nbcc: eve@example.org'],
  ['a document query', '{"$ne": null}'],
  ['a path', '../../etc/passwd'],
  ['a format', '%s%n{{7*7}}'],
];

async function mustMatchNobody(
  kit: ConformanceKit,
  value: readonly { type: string; value: string }[],
  what: string,
) {
  const got = await kit.get(kit.person(value));
  must(!got.reading.matched, `Get for ${what}: expected NO_MATCH, got a match.`);
  must(got.records.length === 0, `Get for ${what} gives records.`);
}

/** Who is found, and how. */
export const personCases: readonly ServiceCase[] = [
  {
    name: 'unknown-person',
    rule: 'A person whom the service does not know is NO_MATCH, and not an error.',
    erases: false,
    async run(kit) {
      await mustMatchNobody(kit, [...kit.unknownSubject], 'an unknown person');
      const erased = await kit.end((await kit.call(erase, kit.person(kit.unknownSubject))).operation);
      must(!erased.reading.matched, 'Delete of an unknown person: expected NO_MATCH.');
      const asked = kit.call(verify, kit.person(kit.unknownSubject));
      if ((await kit.refusal(asked)) === Code.Unimplemented) return;
      const { reading } = await kit.end((await asked).operation);
      const held = Object.values(reading.counts).some((count) => count > 0);
      must(!held, 'Verify counts something of an unknown person.');
    },
  },
  {
    name: 'known-person',
    rule: 'Get gives everything of the test person, in records with a collection and a row, and counts what it gives.',
    erases: false,
    async run(kit) {
      const { reading, records } = await kit.get(kit.person(kit.subject));
      must(
        reading.matched && records.length > 0,
        'Get finds nothing of the test person. Is there such a person at the service?',
      );
      const bare = records.some(({ collection, row }) => collection === '' || row === undefined);
      must(!bare, 'A record has no collection or no row.');
      const counted = Object.values(reading.counts).reduce((sum, count) => sum + count, 0);
      must(
        counted === 0 || counted === records.length,
        `Get counts ${counted} records and gives ${records.length}.`,
      );
    },
  },
  {
    name: 'pages',
    rule: 'Get in pages of one record gives the same records, no page larger than asked.',
    erases: false,
    async run(kit) {
      const whole = await kit.get(kit.person(kit.subject));
      if (whole.records.length < 2) throw new Skip('The test person has fewer than two records.');
      const paged = await kit.get(kit.person(kit.subject), 1);
      must(Math.max(...paged.pages) === 1, 'A page has more records than page_size.');
      const text = (records: typeof whole.records) =>
        records.map(({ collection, row }) => JSON.stringify([collection, row])).sort();
      const same = JSON.stringify(text(paged.records)) === JSON.stringify(text(whole.records));
      must(
        same,
        `In pages Get gives ${paged.records.length} records, at once ${whole.records.length}, or others.`,
      );
    },
  },
  {
    name: 'identities-are-literal',
    rule: 'Values of identities are taken literally: Unicode, quotes, SQL and line breaks have no meaning.',
    erases: false,
    async run(kit) {
      const type = kit.subject[0]?.type ?? 'email';
      for (const [what, value] of LITERAL_VALUES) {
        const identities = [{ type, value }];
        await mustMatchNobody(kit, identities, what);
        const dry = await kit.end(
          (await kit.call(erase, kit.person(identities, { dryRun: true }))).operation,
        );
        must(!dry.reading.matched, `Delete (dry run) for ${what}: expected NO_MATCH.`);
      }
    },
  },
  {
    name: 'incomplete-calls',
    rule: 'A call without a person or without an idempotency_key is INVALID_ARGUMENT.',
    erases: false,
    async run(kit) {
      const incomplete = [
        ['identities', kit.person([], { dryRun: true })],
        ['an idempotency_key', kit.person(kit.unknownSubject, { idempotencyKey: '', dryRun: true })],
      ] as const;
      for (const [what, call] of incomplete) {
        const code = await kit.refusal(kit.call(erase, call));
        must(
          code === Code.InvalidArgument,
          `Delete without ${what}: expected INVALID_ARGUMENT, got ${nameOfCode(code)}.`,
        );
      }
    },
  },
];
