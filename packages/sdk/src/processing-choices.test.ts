import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Identity, type ProcessingChecksOptions, processingChecks } from './index.ts';

const FREE = { restricted: false, objections: [], opted_out_of_sale: false, sensitive_data_limited: false };
const person = (value: string): readonly Identity[] => [{ type: 'email', value }];
const ada = person('ada@example.org');

/** What Habeas answers, over HTTP: each person by the e-mail that is asked for. */
async function startHabeas(more: Partial<ProcessingChecksOptions> = {}) {
  const state = { answers: new Map<string, object>(), status: 200, calls: [] as number[] };
  const server = createServer(async (request, response) => {
    const { people } = JSON.parse(await text(request));
    state.calls.push(people.length);
    const isOurs =
      request.headers.authorization === 'Bearer key' && request.url === '/api/v1/processing-choices:check';
    response.writeHead(isOurs ? state.status : 401, { 'content-type': 'application/json' });
    const answer = ({ identities }: { identities: Identity[] }) =>
      state.answers.get(identities[0]?.value ?? '') ?? FREE;
    response.end(JSON.stringify({ people: people.map(answer) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  let time = 0;
  const checks = processingChecks({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    key: 'key',
    now: () => new Date(time),
    ...more,
  });
  const pass = (milliseconds: number): void => {
    time += milliseconds;
  };
  return { state, checks, pass };
}

describe('processing checks', () => {
  it('ask once for a person while the answer is fresh, and again after', async () => {
    const { state, checks, pass } = await startHabeas();
    for (let time = 0; time < 3; time += 1) expect(await checks.restricted(ada)).toBe(false);
    expect(state.calls).toEqual([1]);
    state.answers.set('ada@example.org', { ...FREE, restricted: true });
    pass(59_999);
    expect(await checks.restricted(ada)).toBe(false);
    pass(1);
    expect(await checks.restricted(ada)).toBe(true);
    expect(state.calls).toEqual([1, 1]);
    expect(checks.metrics()).toContain('{answer="free",source="cache"} 3');
    expect(checks.metrics()).toContain('{answer="restricted",source="habeas"} 1');
  });

  it('ask for many people of one moment together, and for the same one once', async () => {
    const { state, checks } = await startHabeas();
    state.answers.set('p3@example.org', { ...FREE, restricted: true });
    const asked = Array.from({ length: 700 }, (_, index) =>
      checks.restricted(person(`p${index % 600}@example.org`)),
    );
    const answers = await Promise.all(asked);
    expect(answers.flatMap((answer, index) => (answer ? [index] : []))).toEqual([3, 603]);
    expect(state.calls.toSorted((a, b) => a - b)).toEqual([100, 500]);
  });

  it('know that an objection covers what is below its purpose, and nothing else', async () => {
    const { state, checks } = await startHabeas();
    state.answers.set('ada@example.org', { ...FREE, objections: ['marketing'], opted_out_of_sale: true });
    const allowed = async (purpose: string) => checks.allows(ada, purpose);
    expect(
      await Promise.all(['marketing', 'marketing.email', 'marketing_research', 'billing'].map(allowed)),
    ).toEqual([false, false, true, true]);
    expect(await checks.check(ada)).toMatchObject({ optedOutOfSale: true, sensitiveDataLimited: false });
  });

  it('go on with an old answer while Habeas is down, and then say no', async () => {
    const { state, checks, pass } = await startHabeas();
    expect(await checks.allows(ada, 'billing')).toBe(true);
    state.status = 503;
    pass(599_999);
    expect(await checks.allows(ada, 'billing')).toBe(true);
    pass(1);
    expect(await checks.allows(ada, 'billing')).toBe(false);
    expect(await checks.restricted(person('bob@example.org'))).toBe(true);
    await expect(checks.check(ada)).rejects.toThrow('503');
    expect(checks.metrics()).toContain('{answer="unknown",source="none"} 3');
    state.status = 200;
    expect(await checks.allows(ada, 'billing')).toBe(true);
  });

  it('remember no more people than they may', async () => {
    const { state, checks } = await startHabeas({ most: 2 });
    for (const name of ['a', 'b', 'c', 'b', 'a']) await checks.restricted(person(name));
    expect(state.calls).toHaveLength(4);
  });

  it('take an answer that lacks a part for a no', async () => {
    const { state, checks } = await startHabeas();
    state.answers.set('ada@example.org', {});
    expect(await checks.check(ada)).toEqual({
      restricted: true,
      objections: [],
      optedOutOfSale: true,
      sensitiveDataLimited: true,
    });
  });
});
