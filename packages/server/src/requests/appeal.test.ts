import { afterEach, describe, expect, it } from 'vitest';
import { type AskingHouse, asker, openAskingHouse } from '../../test/asking-house.ts';
import { eventually } from '../../test/eventually.ts';
import { HabeasError } from '../foundation/index.ts';

const open: AskingHouse[] = [];
afterEach(async () => {
  for (const house of open.splice(0)) await house[Symbol.asyncDispose]();
});

const ADA = { type: 'email', value: 'ada@example.org' };
const WORDS = /appeal/i;

async function houseUnder(law: 'us-co' | 'gdpr', rest = ''): Promise<AskingHouse> {
  const policy = `deadlines: { law: ${law} }\n${rest}`;
  const house = await openAskingHouse({ policy, people: { tell: 'all' } });
  open.push(house);
  return house;
}

async function make(house: AskingHouse, language = 'en'): Promise<string> {
  const body = { right: 'access', identities: [ADA], language };
  const made = await house.post('/api/v1/requests', body, { key: true });
  expect(made.status).toBe(201);
  return made.body.id;
}

/** The mail that says how a request ended. */
async function lastMail(house: AskingHouse, subject: RegExp): Promise<string> {
  const found = () => house.mail.mails.find(({ parsed }) => subject.test(parsed.subject ?? ''));
  await eventually('the end is told', () => found() !== undefined);
  return found()?.parsed.text ?? '';
}

/** The day before the request is forgotten, in words. */
async function dayBeforeForgetting(house: AskingHouse, id: string, language: string): Promise<string> {
  const { rows } = await house.database.pool.query('select forget_at from habeas.requests where id = $1', [
    id,
  ]);
  const until = new Date(rows[0].forget_at.getTime() - 86_400_000);
  return new Intl.DateTimeFormat(language, { dateStyle: 'long', timeZone: 'UTC' }).format(until);
}

describe('who was refused', () => {
  const asking = 'rules: [{ when: { right: access }, approval: required }]\n';

  it('is told of the appeal, until when, in their language', async () => {
    const house = await houseUnder('us-co', asking);
    const id = await make(house, 'de');
    await house.post(`/api/v1/requests/${id}:reject`, { reason: 'unklar' }, { key: true });
    const text = await lastMail(house, /abgelehnt/);
    expect(text).toContain(`bis zum ${await dayBeforeForgetting(house, id, 'de')} Widerspruch`);
  });

  it('is told of none where the law knows none', async () => {
    const house = await houseUnder('gdpr', asking);
    const id = await make(house);
    await house.post(`/api/v1/requests/${id}:reject`, { reason: 'unclear' }, { key: true });
    const text = await lastMail(house, /refused/);
    expect(text).toContain('unclear');
    expect(text).not.toMatch(WORDS);
  });

  it('is told of none against the denial of an appeal', async () => {
    const house = await houseUnder('us-co', asking);
    const id = await make(house);
    await house.post(`/api/v1/requests/${id}:reject`, { reason: 'first' }, { key: true });
    const appeal = await house.post(`/api/v1/requests/${id}:appeal`, {}, { key: true });
    await house.post(`/api/v1/requests/${appeal.body.id}:reject`, { reason: 'second' }, { key: true });
    const refusals = () => house.mail.mails.filter(({ parsed }) => /refused/.test(parsed.subject ?? ''));
    await eventually('both are told', () => refusals().length === 2);
    const texts = refusals().map(({ parsed }) => parsed.text ?? '');
    expect(texts.map((text) => WORDS.test(text))).toEqual([true, false]);
  });
});

describe('who was refused a part', () => {
  async function completeWithoutShop(house: AskingHouse): Promise<string> {
    house.system.before = async (method) => {
      if (method === 'collect') throw new HabeasError('SYSTEM_REFUSED', 'no');
    };
    const id = await make(house);
    await house.inState(id, 'blocked');
    const blocked = (await house.requests.tasks(asker, id)).find(({ state }) => state === 'blocked');
    await house.requests.commandTask(asker, id, blocked?.id ?? '', { type: 'skip', reason: 'not now' });
    await house.inState(id, 'completed');
    return id;
  }

  it('is told of the appeal, which asks for the same once more', async () => {
    const house = await houseUnder('us-co');
    const id = await completeWithoutShop(house);
    const text = await lastMail(house, /completed/);
    expect(text).toContain(`until ${await dayBeforeForgetting(house, id, 'en')}`);
    expect(text).toMatch(WORDS);
    const appeal = await house.post(`/api/v1/requests/${id}:appeal`, {}, { key: true });
    expect([appeal.status, appeal.body]).toEqual([
      201,
      expect.objectContaining({ appeal_of: id, right: 'access', state: 'approving' }),
    ]);
  });

  it('has no appeal where the law knows none', async () => {
    const house = await houseUnder('gdpr');
    const id = await completeWithoutShop(house);
    expect(await lastMail(house, /completed/)).not.toMatch(WORDS);
    const appeal = await house.post(`/api/v1/requests/${id}:appeal`, {}, { key: true });
    expect([appeal.status, appeal.body.detail]).toEqual([409, expect.stringContaining('knows no appeal')]);
  });

  it('has none who got everything', async () => {
    const house = await houseUnder('us-co');
    const id = await make(house);
    await house.inState(id, 'completed');
    expect(await lastMail(house, /completed/)).not.toMatch(WORDS);
    const appeal = await house.post(`/api/v1/requests/${id}:appeal`, {}, { key: true });
    expect([appeal.status, appeal.body.detail]).toEqual([
      409,
      expect.stringContaining('nothing of it was denied'),
    ]);
  });
});

it('data that was kept is a part that was refused', async () => {
  const house = await houseUnder('us-co');
  const id = await make(house);
  await house.inState(id, 'completed');
  const retained = [{ collection: 'invoices', count: 2, reason: 'tax law', until: null }];
  await house.database.pool.query(
    "update habeas.tasks set evidence = jsonb_set(evidence::jsonb, '{retained}', $2::jsonb) where request_id = $1 and kind = 'collect'",
    [id, JSON.stringify(retained)],
  );
  const appeal = await house.post(`/api/v1/requests/${id}:appeal`, {}, { key: true });
  expect([appeal.status, appeal.body.appeal_of]).toEqual([201, id]);
});
