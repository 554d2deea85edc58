import type { Connector, Identity } from '../packages/server/src/index.ts';

/** Finds the keys of one identity, without a server around it; gives how many. */
export async function locateAlone(connector: Connector, ...identities: readonly Identity[]): Promise<number> {
  const scope = {
    organizationId: 'bench',
    requestId: 'bench',
    idempotencyKey: 'bench',
    identities,
    dueTime: new Date('2100-01-01T00:00:00Z'),
    signal: new AbortController().signal,
  };
  let count = 0;
  for await (const batch of connector.locate?.(scope) ?? []) count += batch.keys.length;
  return count;
}
