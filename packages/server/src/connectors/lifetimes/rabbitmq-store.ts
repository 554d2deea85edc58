import * as z from 'zod';
import {
  createHttpClient,
  createOutbound,
  HabeasError,
  parseOutboundAddress,
} from '../../foundation/index.ts';
import { authoritiesOf } from '../authorities.ts';
import type { ConnectionSettings } from '../connection-kind.ts';
import type { LifetimeStore } from './lifetime-store.ts';

const PAGE = 'connect-lifetimes.md';
const TIMEOUT_MILLISECONDS = 30_000;
const ANSWER_BYTES = 4 << 20;

const optionsSchema = z.strictObject({ ca: z.string().optional() });

/** What the management API says of a queue, as far as it decides how long messages live. */
const queueSchema = z.object({
  arguments: z
    .object({
      'x-message-ttl': z.number().optional(),
      'x-dead-letter-exchange': z.string().optional(),
    })
    .default({}),
  effective_policy_definition: z
    .union([
      z.object({ 'message-ttl': z.number().optional(), 'dead-letter-exchange': z.string().optional() }),
      // Where there is none, it is an empty list.
      z.array(z.never()).transform(() => ({})),
    ])
    .nullish()
    .transform(
      (definition): { 'message-ttl'?: number | undefined; 'dead-letter-exchange'?: string | undefined } =>
        definition ?? {},
    ),
});

/** A RabbitMQ, asked through its management API. */
export function openRabbitmq({ key, url, folder, options }: ConnectionSettings): LifetimeStore {
  const invalid = (what: string) =>
    new HabeasError('CONFIG_INVALID', `The connection ${key} cannot be used. ${what}. See docs/${PAGE}.`);
  const parsed = optionsSchema.safeParse(options);
  if (!parsed.success) throw invalid('`options` of a RabbitMQ has only `ca`');
  const address = URL.parse(url);
  if (address === null || !/^https?:$/.test(address.protocol) || /\/.+\//.test(address.pathname))
    throw invalid(
      '`url` is the address of the management API and the virtual host, as https://user:password@rabbit.internal:15671/shop',
    );
  const isSecure = address.protocol === 'https:';
  const port = address.port === '' ? (isSecure ? '443' : '80') : address.port;
  const http = createHttpClient({
    // The address stands in the configuration, like those of databases: nobody outside can name another one.
    outbound: createOutbound({ policy: () => true }),
    address: parseOutboundAddress(`${address.hostname}:${port}`),
    ...(isSecure ? { tls: { ca: authoritiesOf({ key, folder, ca: parsed.data.ca, page: PAGE }) } } : {}),
  });
  const user = `${decodeURIComponent(address.username)}:${decodeURIComponent(address.password)}`;
  const virtualHost = address.pathname === '/' ? '%2F' : address.pathname.slice(1);
  const headers = {
    host: address.host,
    authorization: `Basic ${Buffer.from(user).toString('base64')}`,
  };

  return {
    things: 'messages',
    async lifetimeOf({ place }, signal) {
      const { status, body } = await http.call({
        method: 'GET',
        path: `/api/queues/${virtualHost}/${encodeURIComponent(place)}`,
        headers,
        timeout: TIMEOUT_MILLISECONDS,
        maxBytes: ANSWER_BYTES,
        signal,
      });
      if (status === 404)
        throw new HabeasError(
          'SCHEMA_MISMATCH',
          `RabbitMQ of ${key} has no queue "${place}" in this virtual host. Correct the dataset or the \`url\`.`,
        );
      if (status === 401 || status === 403)
        throw new HabeasError(
          'SYSTEM_REFUSED',
          `RabbitMQ of ${key} does not let Habeas read the queue "${place}" (${status}): the user needs the tag \`management\` and access to the virtual host.`,
          { retryable: true },
        );
      if (status >= 300)
        throw new HabeasError(
          'SYSTEM_UNREACHABLE',
          `The management API of ${key} cannot be used now: it answers ${status}.`,
          { retryable: true },
        );
      const queue = queueSchema.safeParse(jsonOf(body));
      if (!queue.success)
        throw new HabeasError(
          'SYSTEM_GARBAGE',
          `What answers at the address of ${key} is no management API of RabbitMQ.`,
        );
      const { arguments: own, effective_policy_definition: policy } = queue.data;
      // The shorter of both holds (TTL and Expiration, "Message TTL in queues").
      const times = [own['x-message-ttl'], policy['message-ttl']].filter((time) => time !== undefined);
      const letters = own['x-dead-letter-exchange'] ?? policy['dead-letter-exchange'];
      return {
        maxAge: times.length === 0 ? undefined : Math.min(...times),
        goesOn:
          letters === undefined
            ? undefined
            : `the dead letter exchange "${letters}", whose queues have to be declared as well`,
      };
    },
    overdue: async () => [],
    close: async () => http.close(),
  };
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
