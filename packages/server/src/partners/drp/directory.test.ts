import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DrpAgent, newAgentKey } from '../../../test/drp-agent.ts';
import { eventually } from '../../../test/eventually.ts';
import { BUSINESS, type PartnerWorld, startPartnerWorld } from '../../../test/partner-world.ts';
import { receiveWebhooks } from '../../../test/webhook-receiver.ts';
import { parseDirectory } from './directory.ts';

const entryOf = (agent: DrpAgent, more: object = {}) => ({
  id: agent.id,
  name: `Agent ${agent.id}`,
  verify_key: agent.key.verifyKey,
  web_url: 'https://agent.example/about',
  identity_assurance_url: 'https://agent.example/assurance',
  ...more,
});

interface DirectoryWorld extends AsyncDisposable {
  readonly world: PartnerWorld;
  /** The directory's server is gone from now on. */
  stopServer(): Promise<void>;
  readonly one: DrpAgent;
  readonly two: DrpAgent;
  /** What the directory answers from now on; back when it was asked for that and Habeas has taken it up. */
  serve(answer: unknown | ((response: ServerResponse) => unknown)): Promise<void>;
}

/** A directory of two agents on a real HTTP server, read again and again, and a server that follows it; at its start it is away. */
async function open(): Promise<DirectoryWorld> {
  const server = await receiveWebhooks();
  server.answer = (response) => response.writeHead(503).end();
  const world = await startPartnerWorld({
    drp: { directory: `http://127.0.0.1:${server.port}/agents.json`, directory_interval: '100ms' },
  });
  let stopped: Promise<void> | undefined;
  const stopServer = () => {
    stopped ??= Promise.resolve(server[Symbol.asyncDispose]());
    return stopped;
  };
  const agentOf = (id: string) => new DrpAgent(id, { url: world.url, business: BUSINESS });
  return {
    world,
    stopServer,
    one: agentOf('ONE'),
    two: agentOf('TWO'),
    async serve(answer) {
      server.answer = (response) =>
        typeof answer === 'function'
          ? answer(response)
          : response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      // The reading that was under way may have the answer of before; that of the second one is taken up when the third one begins.
      const asked = server.messages.length;
      await eventually('the directory is read', () => server.messages.length >= asked + 3);
    },
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await stopServer();
    },
  };
}

const valid = async (agent: DrpAgent) => (await agent.send('GET', `/v1/agent/${agent.id}`)).status;
const directoryFinding = async ({ world }: DirectoryWorld) =>
  (await world.examine()).find(({ what }) => what === 'service directory')?.finding;
async function partnerOf({ world }: DirectoryWorld, agent: DrpAgent) {
  const { items } = (await (await world.api('GET', '/api/v1/partners')).json()) as {
    items: { id: string; partner_id: string; name: string; callback_origins: string[] }[];
  };
  const found = items.find(({ partner_id }) => partner_id === agent.id);
  if (found === undefined) throw new Error(`There is no partner ${agent.id}.`);
  return found;
}

describe('the agents of a service directory', () => {
  let directory: DirectoryWorld;
  beforeAll(async () => {
    directory = await open();
  });
  afterAll(() => directory[Symbol.asyncDispose]());
  beforeEach(async () => {
    const { one, two, serve } = directory;
    await serve([entryOf(one), entryOf(two)]);
    expect([await one.setUp(), await two.setUp()]).toEqual([200, 200]);
  });

  it('are taken from a server that was away at the start, and may be told at the origin of their home page', async () => {
    expect([await valid(directory.one), await valid(directory.two)]).toEqual([200, 200]);
    expect(await partnerOf(directory, directory.one)).toMatchObject({
      name: 'Agent ONE',
      callback_origins: ['https://agent.example'],
    });
    expect(await directoryFinding(directory)).toBe(undefined);
    const answer = await directory.one.exercise({ email: 'cid@example.com', email_verified: true });
    expect(answer.status).toBe(200);
  });

  it('lose their tokens with their key, and set up anew with the next one', async () => {
    const { one, two, serve } = directory;
    const next = newAgentKey();
    await serve([{ ...entryOf(one), verify_key: next.verifyKey }, entryOf(two)]);
    expect([await valid(one), await valid(two)]).toEqual([403, 200]);
    expect(await one.setUp()).toBe(403);
    expect(await one.setUp(next)).toBe(200);
    expect(await valid(one)).toBe(200);
  });

  it('are revoked when they are taken out, and taken back when they return', async () => {
    const { one, two, serve } = directory;
    await serve({ agents: [entryOf(two)] });
    expect([await valid(one), await one.setUp(), await valid(two)]).toEqual([403, 403, 200]);
    await serve({ agents: [entryOf(one), entryOf(two)] });
    // Its old token stays void.
    expect([await valid(one), await one.setUp(), await valid(one)]).toEqual([403, 200, 200]);
  });

  it.each([
    ['answers with an error', (response: ServerResponse) => response.writeHead(500).end(), 'HTTP 500'],
    [
      'sends elsewhere',
      (response: ServerResponse) => response.writeHead(302, { location: 'https://elsewhere.example' }).end(),
      'HTTP 302',
    ],
    ['cuts the connection', (response: ServerResponse) => response.destroy(), '127.0.0.1'],
    [
      'answers with half a text',
      (response: ServerResponse) => response.writeHead(200).end('[{"id": "O'),
      'it is not JSON',
    ],
    ['answers with something else', { businesses: [] }, 'it is not a list of agents'],
    ['has become empty', [], 'it holds no agent that can be used'],
    ['has no entry that can be used', [{ id: 'ONE' }, null, 7], 'it holds no agent that can be used'],
  ])('stay as they were while it %s, and doctor says so until it is well again', async (_, answer, said) => {
    const { one, two, serve } = directory;
    await serve(answer);
    expect([await valid(one), await valid(two)]).toEqual([200, 200]);
    expect(await directoryFinding(directory)).toContain(said);
    await serve([entryOf(one)]);
    expect([await valid(one), await valid(two)]).toEqual([200, 403]);
    expect(await directoryFinding(directory)).toBe(undefined);
  });

  it.each([
    ['cannot be read', (one: DrpAgent) => [{ ...entryOf(one), verify_key: 'AAAA' }]],
    [
      'is there twice',
      (one: DrpAgent) => [entryOf(one), { ...entryOf(one), verify_key: newAgentKey().verifyKey }],
    ],
    [
      'has a key with which anybody has signed everything',
      (one: DrpAgent) => [{ ...entryOf(one), verify_key: `${'A'.repeat(43)}=` }],
    ],
  ])('stay as they were one by one, where an entry %s', async (_, entries) => {
    const { one, two, serve } = directory;
    await serve([...entries(one), entryOf(two, { name: 'Another name' })]);
    expect([await valid(one), await one.setUp(), await valid(two)]).toEqual([200, 200, 200]);
    expect((await partnerOf(directory, two)).name).toBe('Another name');
    expect(await directoryFinding(directory)).toMatch(
      /^[12] entries of the service directory cannot be used/,
    );
  });

  // Last, because what a person said stays.
  it('stay revoked that a person revoked, and keep the addresses that a person approved; all stay while the server is gone', async () => {
    const { world, one, two, serve } = directory;
    const [first, second] = [await partnerOf(directory, one), await partnerOf(directory, two)];
    expect((await world.api('DELETE', `/api/v1/partners/${first.id}`)).status).toBe(200);
    const origins = ['https://callbacks.agent.example'];
    const allowed = await world.api('POST', `/api/v1/partners/${second.id}:allow-callbacks`, {
      callback_origins: origins,
    });
    expect(allowed.status).toBe(200);
    await serve([entryOf(one), entryOf(two)]);
    expect([await valid(one), await one.setUp(), await valid(two)]).toEqual([403, 403, 200]);
    expect((await partnerOf(directory, two)).callback_origins).toEqual(origins);
    await directory.stopServer();
    await eventually('doctor says so', async () => (await directoryFinding(directory)) !== undefined);
    expect(world.log.join('')).toContain('The service directory cannot be read; the agents of before stay');
    expect(await valid(two)).toBe(200);
  });
});

describe('a service directory', () => {
  it('tells of which agents it is unclear', () => {
    const good = { id: 'ONE', name: 'One', verify_key: newAgentKey().verifyKey };
    const twice = { ...good, id: 'TWO' };
    const text = JSON.stringify([good, twice, twice, { id: 'THREE' }, null, { id: 4 }]);
    expect(parseDirectory(text)).toMatchObject({
      agents: [{ id: 'ONE', homeOrigins: [] }],
      refused: 5,
      unclear: ['TWO', 'THREE'],
    });
  });
});
