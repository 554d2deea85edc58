import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { open as openGuestBook } from '../../../../../examples/connector/guest-book.fixture.ts';
import { open as openSealedNotes } from '../../../../../examples/connector/sealed-notes.fixture.ts';
import { erase, located, testConnectorContract } from '../../../test/connector-contract.ts';
import type { Connector, LocatedScope, Scope } from '../connector.ts';
import { runContract } from './run-contract.ts';

/** A store of files has no columns to look at. */
testConnectorContract('The template for one of your own', openGuestBook, {
  skipped: { discover: /does not offer/, sample: /does not offer/, evidence: /counts alone/ },
});

testConnectorContract('A module that erases by destroying a key', openSealedNotes, {
  skipped: { discover: /does not offer/, sample: /does not offer/, resolve: /no identities/ },
});

describe('a module that erases by destroying a key', () => {
  it('leaves the bytes as they were, and says that only the destroyed key could read them', async () => {
    const { connector, folder, person = [], close } = await openSealedNotes();
    const archive = () => readFile(join(folder, 'notes.json'), 'utf8');
    const before = await archive();
    const scope = await located({ connector }, person);
    const { effects } = await erase({ connector }, scope);
    expect(effects).toEqual({
      notes: { found: 2, erased: 2, masked: 0, kept: 0, level: 'key-destroyed' },
    });
    expect(await archive()).toBe(before);
    expect(await connector.verify(scope)).toEqual({ remaining: { notes: 0 }, retained: [] });
    await close();
  });

  it('is found out where a key of the person is still there', async () => {
    const { connector, folder, person = [], close } = await openSealedNotes();
    const ring = await readFile(join(folder, 'keys.json'));
    const scope = await located({ connector }, person);
    await erase({ connector }, scope);
    // A copy of the ring is put back under another owner's name.
    const copy = JSON.parse(ring.toString()).map((owner: object) => ({
      ...owner,
      id: 'x',
      email: 'x@example.com',
    }));
    await writeFile(join(folder, 'keys.json'), JSON.stringify(copy));
    expect(await connector.verify(scope)).toMatchObject({ remaining: { notes: 2 } });
    await close();
  });
});

const withoutZero = <Asked extends Scope>(scope: Asked): Asked => ({
  ...scope,
  identities: scope.identities.filter(({ value }) => Number(value) !== 0),
});
const withoutAbort = <Asked extends Scope>(scope: Asked): Asked => ({
  ...scope,
  signal: new AbortController().signal,
});

/** Mistakes that people make, and a rule that sees each. */
const MISTAKES: Readonly<
  Record<string, readonly [rule: string, make: (right: Connector) => Partial<Connector>]>
> = {
  'says that it cannot be reached': [
    'check',
    () => ({ check: async () => ({ ok: false, message: 'Gone.', problems: [] }) }),
  ],
  'erases in a dry run': ['dry-run', ({ erase }) => ({ erase: (scope) => erase(scope, 'erase') })],
  'counts what it does not give': [
    'collect',
    ({ collect }) => ({
      async *collect(scope) {
        for await (const step of collect(scope)) if (step.state !== 'item') yield step;
      },
    }),
  ],
  'takes a falsy id for none': [
    'falsy-ids',
    ({ collect }) => ({ collect: (scope) => collect(withoutZero(scope)) }),
  ],
  'believes its own erasure': ['dry-run', () => ({ verify: async () => ({ remaining: {}, retained: [] }) })],
  'forgets the stored keys and searches again': [
    'keys-first',
    ({ erase, locate }) => ({
      erase: (scope, mode) => erase(searching(scope, locate), mode),
    }),
  ],
  'does not look at the signal': [
    'aborted-before',
    ({ erase }) => ({ erase: (scope, mode) => erase(withoutAbort(scope), mode) }),
  ],
  'says that it erased and keeps the data': [
    'erase',
    ({ erase }) => ({ erase: (scope) => erase(scope, 'dry-run') }),
  ],
  'tells an identity that it was given': [
    'resolve',
    () => ({ resolve: async (scope) => scope.identities.slice(0, 1) }),
  ],
};

function searching(scope: LocatedScope, locate: Connector['locate']): LocatedScope {
  return { ...scope, keys: () => locate?.(scope) ?? scope.keys() };
}

describe('the rules of connectors', () => {
  it.each(Object.entries(MISTAKES))('see one that %s', async (_, [rule, make]) => {
    const results = await runContract({
      store: {
        async open() {
          const subject = await openGuestBook();
          return { ...subject, connector: { ...subject.connector, ...make(subject.connector) } };
        },
      },
    });
    const failed = results.filter(({ outcome }) => outcome === 'failed');
    expect(failed.map(({ name }) => name)).toContain(rule);
    expect(JSON.stringify(results)).not.toMatch(/ann@example|bob@example/i);
  });

  it('leave the test people alone when asked to', async () => {
    const subject = await openGuestBook();
    const before = await subject.snapshot?.();
    const results = await runContract({
      store: { open: async () => ({ ...subject, close: async () => undefined }) },
      erase: false,
    });
    expect(results.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    expect(await subject.snapshot?.()).toBe(before);
    await subject.close();
  });
});
