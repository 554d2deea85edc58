import type { api } from '@habeas/contract';
import { type ChangeOrder, isWithinCategory, type KeepRule } from '../../catalog/index.ts';
import type { PlannableSystem } from '../../connectors/index.ts';
import { RIGHTS } from '../rights.ts';
import type { Gap, Kept } from './planned-task.ts';

/** `act`: Habeas does it by itself; `ticket`: a person of the team does; `both`: each a part; `none`: nothing is to be done. */
export type Way = 'act' | 'ticket' | 'both' | 'none';

export interface Reached {
  readonly system: PlannableSystem;
  readonly way: Way;
}

/** What is asked, as far as it decides on the way. */
export interface Asked {
  readonly right: api.Right;
  readonly targets: readonly string[];
  readonly purposes: readonly string[];
  readonly known: ReadonlySet<string>;
  /** What the policy says of data that is erased. */
  readonly rules: readonly KeepRule[];
}

/** Whether Habeas acts on the system itself; if not, the gap says why and a ticket goes to the team. */
export function wayTo(
  system: PlannableSystem,
  asked: Asked,
  notes: { readonly gaps: Gap[]; readonly kept: Kept[] },
): Way {
  const { right, known } = asked;
  const gap = (kind: string, message: string, ticket: boolean) =>
    notes.gaps.push({ kind, system: system.key, message, ticket });
  const getsTicket = `team ${system.team} gets a ticket`;
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
      `${system.key} finds people by ${system.needs.join(' or ')}, which nobody can resolve; ${getsTicket}.`,
      true,
    );
    return 'ticket';
  }
  if (right === 'rectification' && isElsewhere(system, asked.targets)) {
    gap('not-concerned', `${system.key} holds nothing of what is to be corrected, as it says itself.`, false);
    return 'none';
  }
  const { capability, words } = RIGHTS[right];
  if (!system.capabilities.has(capability)) {
    gap('right-not-supported', `${system.key} cannot ${nameOf(capability, words)}; ${getsTicket}.`, true);
    return 'ticket';
  }
  if (right === 'erasure' && system.by === 'client') {
    const how = howToErase(system, asked.rules);
    if (how !== undefined) {
      gap(
        'erasure-not-supported',
        `The policy wants ${how}, and ${system.key} can only be told to erase; ${getsTicket}.`,
        true,
      );
      return 'ticket';
    }
  }
  const way = wayByDatasets(system, asked, notes);
  if (way === 'ticket' || way === 'none') return way;
  if (system.remark !== undefined) gap('remark', system.remark, false);
  if (right === 'portability' && !system.capabilities.has('portability')) {
    gap(
      'not-filtered',
      `${system.key} cannot tell what the person provided; everything that it holds of them is included.`,
      false,
    );
  }
  if (right === 'erasure' && !system.capabilities.has('verify')) {
    gap(
      'not-verifiable',
      `${system.key} cannot be read again after the erasure; its own word is all there is.`,
      false,
    );
  }
  return way;
}

/**
 * How the policy wants a service to erase, in words, where that is more than to erase: its contract has no place to say so. undefined:
 * nothing special, or the service does not say that it holds such data. What it has a duty to keep, it decides itself.
 */
export function howToErase(system: PlannableSystem, rules: readonly KeepRule[]): string | undefined {
  const held = system.dataCategories ?? [];
  const parts = rules.flatMap((rule): readonly string[] => {
    if (rule.action !== 'mask' && rule.action !== 'soft-delete') return [];
    const { category } = rule;
    if (!held.some((own) => isWithinCategory(own, category) || isWithinCategory(category, own))) return [];
    return rule.action === 'mask'
      ? [`${category} masked (${rule.mask.strategy})`]
      : [`${category} soft-deleted, its values ${rule.values}`];
  });
  return parts.length === 0 ? undefined : parts.join(', ');
}

function nameOf(capability: string, words: string): string {
  return capability === 'collect' || capability === 'erase' ? capability : `${words} by itself`;
}

/** A service that says what it holds, and that is neither a target, nor above one, nor below. */
function isElsewhere(system: PlannableSystem, targets: readonly string[]): boolean {
  const held = system.dataCategories ?? [];
  const touches = (target: string) =>
    target.startsWith(`${system.key}.`) ||
    held.some(
      (category) =>
        category === target || category.startsWith(`${target}.`) || target.startsWith(`${category}.`),
    );
  return held.length > 0 && !targets.some(touches);
}

/** What the datasets of a connection say about a change; everything else is acted on. */
function wayByDatasets(
  system: PlannableSystem,
  { right, targets, purposes, known }: Asked,
  notes: { readonly gaps: Gap[]; readonly kept: Kept[] },
): Way {
  const { flag } = RIGHTS[right];
  const order: ChangeOrder | undefined =
    right === 'rectification'
      ? { kind: 'rectify', targets }
      : flag === undefined
        ? undefined
        : { kind: 'flag', flag, purposes };
  if (order === undefined || system.changeCoverage === undefined) return 'act';
  const coverage = system.changeCoverage(order, known);
  const gap = (kind: string, message: string, ticket: boolean) =>
    notes.gaps.push({ kind, system: system.key, message, ticket });
  for (const remark of coverage.remarks) gap('remark', remark, false);
  for (const { collection, fields, reason, legalBasis, until } of coverage.kept)
    notes.kept.push({
      system: system.key,
      collection,
      fields: [...fields],
      reason,
      legal_basis: legalBasis,
      until,
    });
  const getsTicket = `Team ${system.team} gets a ticket.`;
  for (const sentence of coverage.byHand) gap('by-hand', `${sentence} ${getsTicket}`, true);
  if (coverage.collections.length > 0) return coverage.byHand.length > 0 ? 'both' : 'act';
  if (coverage.byHand.length > 0) return 'ticket';
  if (right === 'rectification') {
    gap(
      'not-concerned',
      `${system.key} has no field of what is to be corrected, or may not change it.`,
      false,
    );
    return 'none';
  }
  gap(
    'right-not-supported',
    `No collection of ${system.key} has a column for it (\`flags\` in the dataset). ${getsTicket}`,
    true,
  );
  return 'ticket';
}
