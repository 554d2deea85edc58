import type { api } from '@habeas/contract';
import { canonicalJson } from '../audit/index.ts';
import type { PlannableSystem } from '../connectors/index.ts';
import { HabeasError, sha256Hex } from '../foundation/index.ts';
import { type ResolverRounds, resolverRounds } from './resolver-rounds.ts';

export interface PlanInput {
  readonly right: api.Right;
  readonly dryRun: boolean;
  readonly identityTypes: readonly string[];
  readonly systems: readonly PlannableSystem[];
  /** Why systems may be missing from this list, one sentence each. (Default: none) */
  readonly blindSpots?: readonly string[];
  readonly policyVersion: string;
}

export type PlannedTask = api.PlanView['tasks'][number];
type Gap = api.PlanView['gaps'][number];
type Kept = api.PlanView['kept'][number];

/** A frozen plan, and under which hash the datasets and rules of each system were kept. */
export interface Plan extends api.PlanView {
  readonly inputs: Readonly<Record<string, string>>;
}

/** The gate that everything after identity resolution waits for: all identities are stored. */
export const IDENTITIES_GATE = 'gate:identities';
/** The gate that everything destructive waits for: all keys are stored. */
export const KEYS_GATE = 'gate:keys';
/** The gate that every last reading waits for: nothing more is erased. */
export const ERASED_GATE = 'gate:erased';

/**
 * The tasks that answer a request, as a DAG, with what is kept and what is missing, in words. Pure, deterministic (the same
 * input in any order gives the same plan and hash) and linear in systems, collections and dependencies.
 *
 *     access    resolve:* ─▶ gate:identities ─▶ collect:* , ticket:* ─▶ package
 *     erasure   resolve:* ─▶ gate:identities ─▶ locate:* ─▶ gate:keys ─▶ erase:* ─▶ verify:* ─────▶ confirm:*
 *                                                                   └▶ ticket:* ─▶ gate:erased ─┘
 *
 * Each system is read right after its erasure, so that a failure is seen early, and once more when everything is erased: until
 * then another system may have brought the person back. The gates keep the edges linear: a hundred erasures that wait for a hundred located systems are two hundred edges.
 */
export function plan(input: PlanInput): Plan {
  const systems = [...input.systems].sort((a, b) => compare(a.key, b.key));
  const twice = systems.find((system, index) => system.key === systems[index + 1]?.key);
  if (twice !== undefined)
    throw new HabeasError(
      'INTERNAL',
      `Two systems have the key "${twice.key}"; no plan can tell them apart.`,
    );
  const resolution = resolverRounds(systems, input.identityTypes);
  const known = new Set([...input.identityTypes, ...resolution.resolved]);
  const tasks = planResolution(resolution);

  const gaps: Gap[] = [...(input.blindSpots ?? [])]
    .sort(compare)
    .map((message) => ({ kind: 'source-failing', system: null, message, ticket: false }));
  const kept: Kept[] = [];
  const reached = systems.map((system) => ({ system, way: wayTo(system, input.right, known, gaps) }));
  if (input.right === 'access') planAccess({ reached, tasks, dryRun: input.dryRun });
  else planErasure({ reached, tasks, dryRun: input.dryRun });
  for (const { system, way } of reached) {
    if (way === 'act') describeCoverage({ system, known, right: input.right, gaps, kept });
  }

  const inputs = Object.fromEntries(
    systems.flatMap((system) => (system.inputs === undefined ? [] : [[system.key, system.inputs.hash]])),
  );
  const view = {
    right: input.right,
    dry_run: input.dryRun,
    policy_version: input.policyVersion,
    tasks,
    kept,
    gaps,
    inputs,
  };
  return { ...view, hash: sha256Hex(canonicalJson(view)) };
}

/** Rounds of questions, and the gate that all identities are stored behind. */
function planResolution({ rounds }: ResolverRounds): PlannedTask[] {
  const tasks: PlannedTask[] = [];
  let after: readonly string[] = [];
  for (const [index, round] of rounds.entries()) {
    const asked = round.map(({ system, again }): PlannedTask => {
      const what = system.resolves.join(', ') || 'it did not say which';
      return {
        key: `${again ? 'resolve-again' : 'resolve'}:${system.key}`,
        kind: 'resolve',
        system: system.key,
        team: system.team,
        depends_on: [...after],
        explanation: again
          ? `Ask ${system.key} once more, if others told something since that it can use.`
          : `Ask ${system.key} for more identities of the person (${what}), so that other systems can find them.`,
      };
    });
    tasks.push(...asked);
    const keys = asked.map((task) => task.key);
    if (index === rounds.length - 1) after = keys;
    else {
      const key = `gate:resolved-${index + 1}`;
      tasks.push(gate(key, keys, 'What these systems told is stored before others are asked with it.'));
      after = [key];
    }
  }
  const explanation =
    'Every identity is stored before anything else happens; a retry never needs to ask again.';
  tasks.push(gate(IDENTITIES_GATE, after, explanation));
  return tasks;
}

type Way = 'act' | 'ticket';

interface Reached {
  readonly system: PlannableSystem;
  readonly way: Way;
}

/** Whether Habeas acts on the system itself; if not, the gap says why and a ticket goes to the team. */
function wayTo(system: PlannableSystem, right: api.Right, known: ReadonlySet<string>, gaps: Gap[]): Way {
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

function planAccess({
  reached,
  tasks,
  dryRun,
}: {
  readonly reached: readonly Reached[];
  readonly tasks: PlannedTask[];
  readonly dryRun: boolean;
}): void {
  const sources = reached.map(
    ({ system, way }): PlannedTask =>
      way === 'act'
        ? task(
            'collect',
            system,
            [IDENTITIES_GATE],
            dryRun
              ? `Count what ${system.key} holds of the person.`
              : `Read everything that ${system.key} holds of the person.`,
          )
        : task(
            'ticket',
            system,
            [IDENTITIES_GATE],
            `Ask team ${system.team} to ${dryRun ? 'count' : 'hand over'} what ${system.key} holds of the person.`,
          ),
  );
  tasks.push(...sources);
  if (dryRun) return;
  tasks.push({
    key: 'package',
    kind: 'package',
    system: null,
    team: null,
    depends_on: [IDENTITIES_GATE, ...sources.map((source) => source.key)],
    explanation:
      'Put everything into one encrypted package with a page that a person can read, and a manifest.',
  });
}

function planErasure(options: {
  readonly reached: readonly Reached[];
  readonly tasks: PlannedTask[];
  readonly dryRun: boolean;
}): void {
  const { reached, tasks, dryRun } = options;
  const acted = reached.filter(({ way }) => way === 'act').map(({ system }) => system);
  const located = acted
    .filter((system) => system.capabilities.has('locate'))
    .map((system) =>
      task(
        'locate',
        system,
        [IDENTITIES_GATE],
        `Find the exact keys of the person's data in ${system.key} and store them, encrypted.`,
      ),
    );
  tasks.push(
    ...located,
    gate(
      KEYS_GATE,
      [IDENTITIES_GATE, ...located.map((found) => found.key)],
      'Every key is stored before anything is destroyed.',
    ),
  );
  const erasing = reached.map(({ system, way }): PlannedTask => {
    if (way === 'ticket') {
      const does = dryRun ? 'count' : 'erase';
      return task(
        'ticket',
        system,
        [KEYS_GATE],
        `Ask team ${system.team} to ${does} what ${system.key} holds of the person.`,
      );
    }
    return task(
      'erase',
      system,
      system.capabilities.has('locate') ? [KEYS_GATE, `locate:${system.key}`] : [KEYS_GATE],
      dryRun
        ? `Count what would be erased in ${system.key}; change nothing.`
        : `Erase the person's data in ${system.key}.`,
    );
  });
  tasks.push(...erasing);
  if (dryRun) return;
  const read = acted.filter((system) => system.capabilities.has('verify'));
  for (const system of read) {
    tasks.push(
      task(
        'verify',
        system,
        [`erase:${system.key}`],
        `Read ${system.key} again; the request is not completed while anything is still readable.`,
      ),
    );
  }
  // With one system alone, nobody else could bring the person back.
  if (erasing.length === 1 || read.length === 0) return;
  tasks.push(
    gate(
      ERASED_GATE,
      erasing.map(({ key }) => key),
      'Everything is erased before each system is read for the last time.',
    ),
  );
  for (const system of read) {
    tasks.push({
      ...task(
        'verify',
        system,
        [`verify:${system.key}`, ERASED_GATE],
        `Read ${system.key} once more: until every system was erased, another one could bring the person back.`,
      ),
      key: `confirm:${system.key}`,
    });
  }
}

function describeCoverage(options: {
  readonly system: PlannableSystem;
  readonly known: ReadonlySet<string>;
  readonly right: api.Right;
  readonly gaps: Gap[];
  readonly kept: Kept[];
}): void {
  const coverage = options.system.coverage?.(options.known);
  if (coverage === undefined) return;
  for (const missing of coverage.unreachable) {
    options.gaps.push({
      kind: 'collection-unreachable',
      system: options.system.key,
      message: `${options.system.key}.${missing.collection} is not covered: ${missing.reason}`,
      ticket: false,
    });
  }
  if (options.right !== 'erasure') return;
  for (const covered of coverage.collections) {
    for (const { fields, reason, legalBasis, until } of covered.kept) {
      options.kept.push({
        system: options.system.key,
        collection: covered.collection,
        fields: [...fields],
        reason,
        legal_basis: legalBasis,
        until,
      });
    }
  }
}

function task(
  kind: api.TaskKind,
  system: PlannableSystem,
  dependsOn: readonly string[],
  explanation: string,
): PlannedTask {
  return {
    key: `${kind}:${system.key}`,
    kind,
    system: system.key,
    team: system.team,
    depends_on: [...dependsOn],
    explanation,
  };
}

function gate(key: string, dependsOn: readonly string[], explanation: string): PlannedTask {
  return { key, kind: 'gate', system: null, team: null, depends_on: [...dependsOn], explanation };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
