import { type Identity, parseDatasets } from '../src/catalog/index.ts';
import type { Outcome } from '../src/connectors/connector.ts';
import { createLogsConnector } from '../src/connectors/logs/logs-connector.ts';
import { systemClock } from '../src/foundation/index.ts';

const ANN: readonly Identity[] = [{ type: 'email', value: 'ann@example.com' }];

/** A connection to `app.log*` in a folder, of which `app.log` is written to. `hours`: how much later its clock is. */
export function logsIn(root: string, { onErase = 'delete', hours = 0 } = {}) {
  const dataset = `
dataset:
  - fides_key: logs
    collections:
      - name: app
        habeas: { on_erase: ${onErase}, logs: { path: "app.log*", live: app.log } }
        fields:
          - { name: email, data_categories: [user.contact.email], fides_meta: { identity: email } }
`;
  return createLogsConnector({
    key: 'logs',
    url: root,
    folder: '/',
    options: {},
    datasets: parseDatasets(dataset, 'logs.yml'),
    keepRules: [],
    clock: { now: () => new Date(systemClock.now().getTime() + hours * 3_600_000) },
    connections: 1,
  });
}

/** Erases the lines of ann@example.com, without a search for them before; gives how many. */
export async function eraseAnn(root: string, options: Parameters<typeof logsIn>[1] = {}): Promise<number> {
  const keys = ['["email","ann@example.com"]'];
  const { evidence } = await finished(
    logsIn(root, options).erase(
      {
        organizationId: 'test',
        requestId: 'req_test',
        idempotencyKey: 'test',
        identities: ANN,
        dueTime: new Date('2030-01-01'),
        signal: new AbortController().signal,
        async *keys() {
          yield { collection: 'app', columns: ['type', 'value'], count: 1, keys };
        },
      },
      'erase',
    ),
  );
  return evidence.counts.app ?? 0;
}

async function finished(erasing: Promise<Outcome>) {
  const outcome = await erasing;
  if (outcome.state !== 'done') throw new Error('Logs are erased at once.');
  return outcome;
}
