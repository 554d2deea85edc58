/** Sends Acme's newsletter. Answers for personal data over HTTP/JSON, and later: it takes the work, does it, and reports. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { declare, sqliteOperationStore } from '@habeas/sdk';
import { createPrng } from '../../people/prng.ts';
import { SEED } from '../../people.ts';
import { serveWithFaults } from '../faults.ts';
import { endWithParent, reportSeeding } from '../lifeline.ts';
import { readServiceOptions } from '../service-options.ts';
import { openMailer } from './mailer-store.ts';

endWithParent();
const { data, port, people, fresh, habeasKeys, delay: range, faults } = readServiceOptions();
const file = join(data, 'mailer.sqlite');
const store = openMailer({ file, people, fresh, onProgress: reportSeeding });
const prng = createPrng(SEED);
const think = () => delay(range.from + prng.int(range.to - range.from + 1));

const declared = declare({
  team: 'growth',
  service: 'mailer',
  stores: ['email', 'name', 'language', 'campaign'],
  transmits: { analytics: ['campaign'] },
  client: { address: `127.0.0.1:${port}`, protocol: 'http' },
});

await serveWithFaults(
  {
    service: 'mailer',
    host: '127.0.0.1',
    port,
    habeas: { publicKeys: habeasKeys },
    declared,
    operations: sqliteOperationStore({ path: join(data, 'operations.sqlite') }),
    concurrency: 32,
    retryAfter: range.to,
    describe: { dataCategories: ['user.contact.email', 'user.name'], identitiesNeeded: ['email'] },
    get: (call) =>
      call.later(async () => {
        await think();
        return store.recordsOf(call.values('email'));
      }),
    delete: (call) =>
      call.later(async () => {
        await think();
        return { counts: store.erase(call.values('email'), call.idempotencyKey) };
      }),
    verify: (call) => ({ counts: store.countOf(call.values('email')) }),
  },
  faults,
);
