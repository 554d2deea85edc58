/** Who may sign in to Acme. Answers for personal data over gRPC, at once. */
import { join } from 'node:path';
import { declare, sqliteOperationStore } from '@habeas/sdk';
import { serveWithFaults } from '../faults.ts';
import { endWithParent, reportSeeding } from '../lifeline.ts';
import { readServiceOptions } from '../service-options.ts';
import { openAccounts } from './accounts-store.ts';

endWithParent();
const { data, port, people, fresh, habeasKeys, faults } = readServiceOptions();
const file = join(data, 'accounts.sqlite');
const store = openAccounts({ file, people, fresh, onProgress: reportSeeding });

const declared = declare({
  team: 'identity',
  service: 'accounts',
  stores: ['user_id', 'email', 'name', 'phone', 'birth_date', 'language', 'password', 'ip', 'user_agent'],
  transmits: {
    mailer: ['email', 'name', 'language'],
    orders: ['user_id', 'email', 'name'],
    analytics: ['user_id'],
  },
  client: { address: `127.0.0.1:${port}`, protocol: 'grpc' },
});

await serveWithFaults(
  {
    service: 'accounts',
    host: '127.0.0.1',
    port,
    habeas: { publicKeys: habeasKeys },
    declared,
    operations: sqliteOperationStore({ path: join(data, 'operations.sqlite') }),
    describe: {
      dataCategories: ['user.contact', 'user.name', 'user.authorization.password', 'user.device.ip_address'],
      identitiesNeeded: ['email', 'user_id'],
      identitiesResolved: ['email', 'user_id'],
    },
    get: ({ identities }) => store.recordsOf(identities),
    delete: ({ identities, idempotencyKey }) => ({ counts: store.erase(identities, idempotencyKey) }),
    resolveIdentities: ({ identities }) => store.identitiesOf(identities),
    verify: ({ identities }) => ({ counts: store.countOf(identities) }),
    rectify: store.changes.rectify,
    restrict: store.changes.restrict,
    object: store.changes.object,
  },
  faults,
);
