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
  /** null: only the configuration names it. */
  readonly firstSeen: Date | null;
  readonly lastSeen: Date | null;
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
    const made = {
      service,
      team,
      stores: new Set<string>(),
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
    // Compared as numbers: dates that are compared themselves take ten times as long.
    if (draft.firstSeen === null || firstSeen.getTime() < draft.firstSeen.getTime())
      draft.firstSeen = firstSeen;
    if (draft.lastSeen === null || lastSeen.getTime() > draft.lastSeen.getTime()) draft.lastSeen = lastSeen;
    if (declaration.kind === 'store') draft.stores.add(declaration.dataType);
  }
  const sorted = [...drafts.values()].sort(byServiceThenAge);
  return sorted.map((draft, index) => ({
    ...draft,
    key: sorted[index - 1]?.service === draft.service ? `${draft.service}@${draft.team}` : draft.service,
    stores: [...draft.stores].sort(),
  }));
}

interface ClaimDraft {
  readonly service: string;
  readonly team: string;
  readonly stores: Set<string>;
  firstSeen: Date | null;
  lastSeen: Date | null;
  connected: boolean;
}

function byServiceThenAge(a: ClaimDraft, b: ClaimDraft): number {
  const age = (draft: ClaimDraft) => (draft.connected ? 0 : (draft.firstSeen?.getTime() ?? 0));
  return compare(a.service, b.service) || age(a) - age(b) || compare(a.team, b.team);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
