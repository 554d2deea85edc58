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
      { title: 'TEAM', value: (client) => client.team },
      { title: 'SERVICE', value: (client) => client.service ?? 'all', flexible: true },
      { title: 'ADDRESS', value: (client) => `${client.protocol} ${client.address}`, flexible: true },
      {
        title: 'STATE',
        value: (client) => (client.stale ? `${client.state}, stale` : client.state),
        paint: (text, client) => (client.state === 'approved' ? paint.good(text) : paint.warn(text)),
      },
      { title: 'BY', value: (client) => client.decided_by ?? '–', flexible: true },
    ],
    rows: clients,
    width,
    paint,
  });
}
