import { expect, test } from 'vitest';
import { arrayOf } from '../../test/connector-contract.ts';
import { parseEventStream } from './event-client.ts';

const event = (id: string, name: string) => ({
  id,
  at: '2026-01-01T00:00:00.000Z',
  type: 'task.succeeded',
  request_id: 'req_1',
  data: { name, state: 'completed' },
});

const written = (id: string, name: string) =>
  `id: ${id}\nevent: task.succeeded\ndata: ${JSON.stringify(event(id, name))}\n\n`;

/** Names with all that other software takes for the end of a line or of an event. */
const NAMES = ['shop', 'a\u2028b', '\u2029data: {}', 'x\u0085id: 7', 'a\r\n\r\nb', 'ü 漢字'];

test.each([1, 3, 1_000])(
  'events come whole in chunks of %i bytes, whatever stands in their texts',
  async (size) => {
    const stream = Buffer.from(
      `: hello\n\n${NAMES.map((name, index) => written(`${index + 1}`, name)).join('')}`,
    );
    const chunks = Array.from({ length: Math.ceil(stream.length / size) }, (_, index) =>
      stream.subarray(index * size, (index + 1) * size),
    );
    expect(await arrayOf(parseEventStream(chunks))).toEqual(
      NAMES.map((name, index) => ({ id: `${index + 1}`, event: event(`${index + 1}`, name) })),
    );
  },
);

test('what is no event is passed over', async () => {
  const stream = `: a comment\n\nid: 1\n\ndata: {"id":"2"}\n\nid: 3\ndata: {"id":"3"}\n\n${written('4', 'shop')}`;
  expect((await arrayOf(parseEventStream([Buffer.from(stream)]))).map(({ id }) => id)).toEqual(['4']);
});
