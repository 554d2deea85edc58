import type { SeenDeclaration } from './seen-declaration.ts';

/** A service of a system that the configuration connects. */
export interface ConnectedService {
  readonly service: string;
  readonly team: string;
}

/** That a team has a service of this name. One name with two claims is two services that nobody can tell apart. */
export interface Claim {
  /** The service's name or, for all but the first team that claimed it, `service@team`. Unique. */
  readonly key: string;
  readonly service: string;
  readonly team: string;
  /** Data types, sorted. */
  readonly stores: readonly string[];
  /** In milliseconds. null: only the configuration names it. */
  readonly firstSeen: number | null;
  readonly lastSeen: number | null;
  readonly connected: boolean;
}

/**
 * Who says that they run what: by a declaration about the service, or by a connection of the configuration. Sorted by
 * service; teams that claim the same one in the order in which they did, connections first.
 */
export function claimsOf(
  declarations: readonly SeenDeclaration[],
  connections: readonly ConnectedService[],
): readonly Claim[] {
  const drafts = new Map<string, ClaimDraft>();
  const draftOf = (key: string, service: string, team: string): ClaimDraft => {
    const found = drafts.get(key);
    if (found !== undefined) return found;
    const made: ClaimDraft = {
      service,
      team,
      stores: [],
      firstSeen: null,
      lastSeen: null,
      connected: false,
    };
    drafts.set(key, made);
    return made;
  };
  for (const { service, team } of connections) {
    draftOf(JSON.stringify([service, team]), service, team).connected = true;
  }
  let owner: string | undefined;
  let draft: ClaimDraft | undefined;
  for (const { known, declaration, firstSeen, lastSeen } of declarations) {
    if (declaration.service === undefined) continue;
    // Sorted by service, so that mostly the one before is meant.
    if (draft === undefined || known.owner !== owner) {
      draft = draftOf(known.owner, declaration.service, declaration.team);
      owner = known.owner;
    }
    if (draft.firstSeen === null || firstSeen < draft.firstSeen) draft.firstSeen = firstSeen;
    if (draft.lastSeen === null || lastSeen > draft.lastSeen) draft.lastSeen = lastSeen;
    // Sorted by data type too: the same one comes several times in a row.
    if (declaration.kind === 'store' && draft.stores.at(-1) !== declaration.dataType)
      draft.stores.push(declaration.dataType);
  }
  const sorted = [...drafts.values()].sort(byServiceThenAge);
  return sorted.map(({ service, team, stores, firstSeen, lastSeen, connected }, index) => ({
    key: sorted[index - 1]?.service === service ? `${service}@${team}` : service,
    service,
    team,
    stores: stores.length > 1 ? stores.sort() : stores,
    firstSeen,
    lastSeen,
    connected,
  }));
}

interface ClaimDraft {
  readonly service: string;
  readonly team: string;
  readonly stores: string[];
  firstSeen: number | null;
  lastSeen: number | null;
  connected: boolean;
}

function byServiceThenAge(a: ClaimDraft, b: ClaimDraft): number {
  const age = (draft: ClaimDraft) => (draft.connected ? 0 : (draft.firstSeen ?? 0));
  return compare(a.service, b.service) || age(a) - age(b) || compare(a.team, b.team);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
