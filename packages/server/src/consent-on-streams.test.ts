import { afterEach, expect, it } from 'vitest';
import { HOUSE_MIGRATIONS, openConsent, openPropagation } from '../test/consent/propagation-house.ts';
import { createTestDatabase } from '../test/database.ts';
import { eventually } from '../test/eventually.ts';
import { startNats } from '../test/nats-server.ts';
import { requireProgram } from '../test/requirements.ts';
import { createLogger, newSecretKey, parseConfig } from './foundation/index.ts';
import { createStreams } from './requests/index.ts';

// What people agree to, on a stream of a real NATS, from what they say to what a consumer reads.
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

it.runIf(requireProgram('nats-server', '--version'))(
  'puts every change of what people agree to on a stream, once, also after the stream was gone',
  async () => {
    const database = await createTestDatabase(HOUSE_MIGRATIONS);
    const nats = await startNats();
    ends.push(
      () => database.close(),
      async () => nats[Symbol.asyncDispose](),
    );
    await nats.manager.streams.add({ name: 'CONSENT', subjects: ['consent.>'] });
    const streams = createStreams({
      config: parseConfig({
        text: JSON.stringify({ streams: { nats: { servers: [nats.url] } } }),
        file: 'habeas.yaml',
        environment: {},
      }),
      organizationId: 'acme',
      db: database.db,
      logger: createLogger({ level: 'silent' }),
      take: async () => undefined,
    });
    ends.push(() => streams.stop());
    const masterKey = newSecretKey();
    const consent = openConsent({ opened: database, masterKey });
    const say = async (user: string, choices: Readonly<Record<string, boolean>>, at: string) => {
      const [outcome] = await consent.record({ organizationId: 'acme', actor: 'key:back-end' }, [
        {
          event_id: `${user} at ${at}`,
          identity: { type: 'user_id', value: user },
          said_at: at,
          choices,
          source: 'api',
        },
      ]);
      expect(outcome?.state).toBe('stored');
    };
    const propagation = openPropagation({
      opened: database,
      masterKey,
      destinations: [
        {
          key: 'lake',
          stream: { name: 'CONSENT', subject: 'consent.changed' },
          purposes: { analytics: 'stats' },
        },
      ],
      with: { publishOnStream: streams.publish, schedule: Array.from({ length: 500 }, () => 20) },
    });
    await propagation.start();
    ends.push(() => propagation.stop());
    const isTold = async () => {
      const [lake] = await propagation.list();
      return lake?.waiting === 0 && lake.lag_seconds === 0;
    };

    await say('ada', { analytics: true }, '2026-01-01T10:00:00Z');
    await eventually('the stream has it', async () => (await stored()).length === 1);
    await eventually('that is noted', isTold);
    await nats.kill();
    await say('ada', { analytics: false }, '2026-01-02T10:00:00Z');
    await eventually('it was tried', async () => (await propagation.list())[0]?.error !== null);
    await nats.start();
    await eventually('the stream has the other, too', async () => (await stored()).length === 2);
    await eventually('that is noted, too', isTold);

    async function stored() {
      const { state } = await nats.manager.streams.info('CONSENT');
      const all = Array.from({ length: state.messages }, (_, index) =>
        nats.manager.streams.getMessage('CONSENT', { seq: index + 1 }),
      );
      return (await Promise.all(all)).flatMap((message) => (message === null ? [] : [message]));
    }
    const messages = await stored();
    const bodies = messages.map((message) => message.json<Record<string, unknown>>());
    expect(messages.map(({ subject }) => subject)).toEqual(['consent.changed', 'consent.changed']);
    expect(messages.map(({ header }) => header.get('Nats-Msg-Id'))).toEqual(bodies.map(({ id }) => id));
    expect(bodies).toMatchObject(
      [true, false].map((said) => ({
        specversion: '1.0',
        type: 'consent.changed',
        source: '/organizations/acme',
        data: {
          identities: [{ type: 'user_id', value: 'ada' }],
          purposes: { stats: { said, allowed: said } },
        },
      })),
    );
  },
);
