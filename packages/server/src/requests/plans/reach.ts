import type { api } from '@habeas/contract';
import type { PlannableSystem } from '../../connectors/index.ts';
import type { Gap } from './planned-task.ts';

/** `act`: Habeas does it by itself; `ticket`: a person of the team does. */
export type Way = 'act' | 'ticket';

export interface Reached {
  readonly system: PlannableSystem;
  readonly way: Way;
}

/** Whether Habeas acts on the system itself; if not, the gap says why and a ticket goes to the team. */
export function wayTo(
  system: PlannableSystem,
  right: api.Right,
  known: ReadonlySet<string>,
  gaps: Gap[],
): Way {
  const gap = (kind: string, message: string, ticket: boolean) =>
    gaps.push({ kind, system: system.key, message, ticket });
  if (system.by === 'ticket') {
    gap(
      'no-client',
      system.remark ?? `Team ${system.team} has no client for ${system.key}; the team gets a ticket.`,
      true,
    );
    return 'ticket';
  }
  if (system.needs.length > 0 && !system.needs.some((type) => known.has(type))) {
    gap(
      'identity-missing',
      `${system.key} finds people by ${system.needs.join(' or ')}, which nobody can resolve; team ${system.team} gets a ticket.`,
      true,
    );
    return 'ticket';
  }
  const needed = right === 'access' ? 'collect' : 'erase';
  if (!system.capabilities.has(needed)) {
    gap('right-not-supported', `${system.key} cannot ${needed}; team ${system.team} gets a ticket.`, true);
    return 'ticket';
  }
  if (system.remark !== undefined) gap('remark', system.remark, false);
  if (right === 'erasure' && !system.capabilities.has('verify')) {
    gap(
      'not-verifiable',
      `${system.key} cannot be read again after the erasure; its own word is all there is.`,
      false,
    );
  }
  return 'act';
}
