import type { Claim } from './claims.ts';
import type { KnownClient } from './known-client.ts';
import type { Answerer, ApprovedClient } from './system.ts';

const NO_CLIENT: Answerer = { kind: 'ticket', reason: 'no-client' };

/**
 * How a request reaches a service. A client that names the service comes before a connection to it, and that before a
 * client that answers for all of the team's: the more exactly somebody said it, the more it counts.
 */
export function answererOf(
  claim: Pick<Claim, 'service' | 'team' | 'connected'>,
  clients: readonly KnownClient[],
): Answerer {
  if (clients.length === 0) return claim.connected ? { kind: 'connection' } : NO_CLIENT;
  const ofTeam = clients.filter((client) => client.team === claim.team);
  const ofService = ofTeam.filter((client) => client.service === claim.service);
  const ofAll = ofTeam.filter((client) => client.service === undefined);
  const own = newestApproved(ofService);
  if (own !== undefined) return { kind: 'client', client: own };
  if (claim.connected) return { kind: 'connection' };
  const common = newestApproved(ofAll);
  if (common !== undefined) return { kind: 'client', client: common };
  const waits = [...ofService, ...ofAll].some((client) => client.state === 'proposed' && !client.stale);
  return waits ? { kind: 'ticket', reason: 'client-not-approved' } : NO_CLIENT;
}

/** Of several approved ones the newest that is still declared; only if none is, the newest. */
function newestApproved(clients: readonly KnownClient[]): ApprovedClient | undefined {
  const [best] = clients
    .filter((client) => client.state === 'approved')
    .sort(
      (a, b) =>
        Number(a.stale) - Number(b.stale) ||
        b.firstSeen.getTime() - a.firstSeen.getTime() ||
        (a.id < b.id ? -1 : 1),
    );
  if (best === undefined) return undefined;
  const { id, team, address, protocol, service, stale } = best;
  return { id, team, address, protocol, service, stale };
}
