import { buffer } from 'node:stream/consumers';
import { afterEach, expect, it } from 'vitest';
import { type AskingHouse, asker, openAskingHouse } from '../../../test/asking-house.ts';
import { readZip } from '../../../test/read-zip.ts';

const PURPOSES = `
purposes:
  - { code: analytics, name: { en: Analytics }, legal_basis: consent }
  - { code: advertising, name: { en: Advertising }, legal_basis: opt_out }
`;
const AT = '2026-03-01T12:00:00.000Z';

let house: AskingHouse;
afterEach(() => house[Symbol.asyncDispose]());

async function say(
  eventId: string,
  identity: { readonly type: string; readonly value: string },
  granted: boolean,
) {
  const signal = {
    event_id: eventId,
    identity,
    said_at: AT,
    source: 'api' as const,
    choices: { analytics: granted },
  };
  const [outcome] = await house.consent.record(asker, [signal]);
  expect(outcome?.state).toBe('stored');
}

async function packageOf(email: string): Promise<ReadonlyMap<string, Buffer>> {
  const { request } = await house.requests.receive(asker, {
    right: 'access',
    identities: [{ type: 'email', value: email }],
    dryRun: false,
  });
  await house.inState(request.id, 'completed');
  const opened = await house.requests.openPackage(asker, request.id, 'zip');
  const bytes = await opened.read({ start: 0, end: opened.bytes }, new AbortController().signal);
  return readZip(await buffer(bytes));
}

it('gives whoever asks for their data what they said about purposes, by all identities that systems know of them', async () => {
  house = await openAskingHouse({ purposes: PURPOSES });
  await say('one', { type: 'email', value: 'ada@example.org' }, true);
  await say('two', { type: 'user_id', value: 'u1' }, false);
  await say('three', { type: 'email', value: 'ben@example.org' }, true);
  const files = await packageOf('ada@example.org');
  const rows = JSON.parse(files.get('data/habeas/consent.json')?.toString() ?? 'null');
  expect(rows).toMatchObject([
    {
      identity_type: 'email',
      identity: 'ada@example.org',
      said_at: AT,
      choices: { analytics: true },
      event_id: 'one',
    },
    { identity_type: 'user_id', identity: 'u1', choices: { analytics: false }, event_id: 'two' },
  ]);
  expect(files.get('data/habeas/consent.csv')?.toString()).toContain('ada@example.org');
  expect(files.get('index.html')?.toString()).toContain('habeas');
  expect(JSON.parse(files.get('manifest.json')?.toString() ?? '')).toMatchObject({
    collections: expect.arrayContaining([expect.objectContaining({ system: 'habeas', rows: 2 })]),
  });
});

it('adds nothing for who said nothing', async () => {
  house = await openAskingHouse({ purposes: PURPOSES });
  await say('three', { type: 'email', value: 'ben@example.org' }, true);
  const files = await packageOf('ada@example.org');
  expect([...files.keys()].filter((path) => path.includes('habeas'))).toEqual([]);
});
