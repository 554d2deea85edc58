import { expect, it } from 'vitest';
import { startNats } from '../../../test/nats-server.ts';
import { requireProgram } from '../../../test/requirements.ts';
import { createLogger, parseConfig } from '../../foundation/index.ts';
import { createStreams } from '../index.ts';

const program = requireProgram('nats-server', '--version');

function openStreams(streams: object) {
  const config = parseConfig({ text: JSON.stringify({ streams }), file: 'habeas.yaml', environment: {} });
  return createStreams({
    config,
    organizationId: 'acme',
    db: {} as never,
    logger: createLogger({ level: 'silent' }),
    take: async () => undefined,
  });
}

it.runIf(program)('puts a message on a stream once, however often it is sent', async () => {
  await using nats = await startNats();
  await nats.manager.streams.add({ name: 'CONSENT', subjects: ['consent.>'] });
  const streams = openStreams({ nats: { servers: [nats.url] } });
  const message = { stream: 'CONSENT', subject: 'consent.crm', id: 'm-1', body: '{"n":1}' };
  await streams.publish(message);
  await streams.publish(message);
  await streams.publish({ ...message, id: 'm-2', body: '{"n":2}' });
  const { state } = await nats.manager.streams.info('CONSENT');
  expect(state.messages).toBe(2);
  const stored = await nats.manager.streams.getMessage('CONSENT', { seq: 1 });
  expect([stored?.subject, stored?.string()]).toEqual(['consent.crm', '{"n":1}']);
  // What nobody stores is not sent.
  await expect(streams.publish({ ...message, id: 'm-3', subject: 'other' })).rejects.toMatchObject({
    code: 'SYSTEM_UNREACHABLE',
  });
  await expect(streams.publish({ ...message, id: 'm-4', stream: 'OTHER' })).rejects.toMatchObject({
    code: 'SYSTEM_UNREACHABLE',
  });
  await streams.stop();
});

it('says that there is no NATS where the configuration names none', async () => {
  const sent = openStreams({}).publish({ stream: 'A', subject: 'a', id: '1', body: '' });
  await expect(sent).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});
