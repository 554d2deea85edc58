import { type Identity, parseDatasets } from '../src/catalog/index.ts';
import type { Evidence, Outcome } from '../src/connectors/connector.ts';
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

export const SCOPE = {
  organizationId: 'test',
  requestId: 'req_test',
  idempotencyKey: 'test',
  identities: ANN,
  dueTime: new Date('2030-01-01'),
};

/** Erases the lines of ann@example.com, without a search for them before; gives how many. */
export async function eraseAnn(root: string, options: EraseAnnOptions = {}): Promise<number> {
  return (await eraseAnnForEvidence(root, options)).counts.app ?? 0;
}

type EraseAnnOptions = Parameters<typeof logsIn>[1] & {
  /** Of the operation. (Default: test) */
  readonly idempotencyKey?: string;
};

/** The same, and gives all that was told. */
export async function eraseAnnForEvidence(root: string, options: EraseAnnOptions = {}): Promise<Evidence> {
  const keys = ['["email","ann@example.com"]'];
  const { evidence } = await finished(
    logsIn(root, options).erase(
      {
        ...SCOPE,
        idempotencyKey: options.idempotencyKey ?? SCOPE.idempotencyKey,
        signal: new AbortController().signal,
        async *keys() {
          yield { collection: 'app', columns: ['type', 'value'], count: 1, keys };
        },
      },
      'erase',
    ),
  );
  return evidence;
}

async function finished(erasing: Promise<Outcome>) {
  const outcome = await erasing;
  if (outcome.state !== 'done') throw new Error('Logs are erased at once.');
  return outcome;
}
