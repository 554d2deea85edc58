import type { api } from '@habeas/contract';
import type { Paint } from './paint.ts';
import { table } from './table.ts';

/** Addresses that teams published, and what was decided about each. */
export function clientLines(
  clients: readonly api.ClientView[],
  width: number,
  paint: Paint,
): readonly string[] {
  if (clients.length === 0) return ['No service published an address for requests.'];
  return table<api.ClientView>({
    columns: [
      { title: 'CLIENT', value: (client) => client.id },
      { title: 'FOR', value: (client) => `${client.service ?? 'all'} (${client.team})`, flexible: true },
      { title: 'ADDRESS', value: (client) => `${client.protocol} ${client.address}` },
      {
        title: 'STATE',
        value: stateOf,
        flexible: true,
        paint: (text, client) => (client.state === 'approved' ? paint.good(text) : paint.warn(text)),
      },
    ],
    rows: clients,
    width,
    paint,
  });
}

function stateOf(client: api.ClientView): string {
  const by = client.decided_by === null ? '' : ` by ${client.decided_by}`;
  return `${client.state}${by}${client.stale ? ', stale' : ''}`;
}
