import type { api } from '@habeas/contract';
import { canonicalJson } from '../audit/index.ts';
import type { About, KeepRule } from '../catalog/index.ts';
import type { PlannableSystem } from '../connectors/index.ts';
import { HabeasError, sha256Hex } from '../foundation/index.ts';
import { describeCoverage } from './plans/describe-coverage.ts';
import { planAccess } from './plans/plan-access.ts';
import { planErasure } from './plans/plan-erasure.ts';
import { planFlag } from './plans/plan-flag.ts';
import { planRectification } from './plans/plan-rectification.ts';
import { planResolution } from './plans/plan-resolution.ts';
import type { Gap, Kept } from './plans/planned-task.ts';
import { wayTo } from './plans/reach.ts';
import { NO_ORDER, type Order } from './plans/sequence.ts';
import { resolverRounds } from './resolver-rounds.ts';
import { RIGHTS } from './rights.ts';

export interface PlanInput {
  readonly right: api.Right;
  readonly dryRun: boolean;
  readonly identityTypes: readonly string[];
  readonly systems: readonly PlannableSystem[];
  /**
   * Whom it is about. Of a tenant nobody is asked for more identities: its people are found as what belongs to it, and who is known
   * elsewhere too is not its own there. (Default: person)
   */
  readonly about?: About | undefined;
  /** Of a rectification: what is changed, never to what. (Default: none) */
  readonly targets?: readonly string[] | undefined;
  /** Of an objection. (Default: none) */
  readonly purposes?: readonly string[] | undefined;
  /** Whether it ends what a former request began. (Default: false) */
  readonly lift?: boolean | undefined;
  /** Why systems may be missing from this list, one sentence each. (Default: none) */
  readonly blindSpots?: readonly string[];
  readonly policyVersion: string;
  /** The law and the kind of person, to be frozen with the plan. */
  readonly regime?: api.Regime | undefined;
  readonly subjectKind?: api.SubjectKind | undefined;
  /** What the policy asks for beside the tasks. (Default: nothing) */
  readonly procedure?: api.ProcedureView | undefined;
  /** What the policy says of data that is erased. (Default: nothing) */
  readonly rules?: readonly KeepRule[] | undefined;
  /** What is done before what. (Default: everything side by side) */
  readonly order?: Order;
}

/** A frozen plan, and under which hash the datasets and rules of each system were kept. */
export interface Plan extends api.PlanView {
  readonly inputs: Readonly<Record<string, string>>;
}

/**
 * The tasks that answer a request, as a DAG, with what is kept and what is missing, in words. Pure, deterministic (the same
 * input in any order gives the same plan and hash) and linear in systems, collections and dependencies.
 *
 *     access, portability
 *               resolve:* ─▶ gate:identities ─▶ collect:* , ticket:* ─▶ package
 *     erasure   resolve:* ─▶ gate:identities ─▶ locate:* ─▶ gate:keys ─▶ erase:* ─▶ verify:* ─────▶ confirm:*
 *                                                                   └▶ ticket:* ─▶ gate:erased ─┘
 *     with `four_eyes_above`: locate:* ─▶ approval ─▶ gate:keys
 *     rectification, restriction and the other rights that change: see plans/plan-rectification.ts and plans/plan-flag.ts
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
  const resolution =
    input.about === 'tenant'
      ? { rounds: [], resolved: new Set<string>() }
      : resolverRounds(systems, input.identityTypes);
  const known = new Set([...input.identityTypes, ...resolution.resolved]);
  const tasks = planResolution(resolution);

  const gaps: Gap[] = [...(input.blindSpots ?? [])]
    .sort(compare)
    .map((message) => ({ kind: 'source-failing', system: null, message, ticket: false }));
  const kept: Kept[] = [];
  const asked = {
    right: input.right,
    targets: [...new Set(input.targets)].sort(compare),
    purposes: [...new Set(input.purposes)].sort(compare),
    known,
    rules: input.rules ?? [],
  };
  const reached = systems.map((system) => ({ system, way: wayTo(system, asked, { gaps, kept }) }));
  const order = input.order ?? NO_ORDER;
  const { dryRun, procedure } = input;
  planRight({ reached, tasks, dryRun, lift: input.lift === true, asked, order, gaps, procedure });
  for (const { system, way } of reached) {
    if (way === 'act' || way === 'both')
      describeCoverage({ system, known, about: input.about, right: input.right, gaps, kept });
  }

  const inputs = Object.fromEntries(
    systems.flatMap((system) => (system.inputs === undefined ? [] : [[system.key, system.inputs.hash]])),
  );
  const view = {
    right: input.right,
    dry_run: input.dryRun,
    ...(input.regime === undefined ? {} : { regime: input.regime }),
    ...(input.subjectKind === undefined ? {} : { subject_kind: input.subjectKind }),
    ...(input.procedure === undefined ? {} : { procedure: input.procedure }),
    policy_version: input.policyVersion,
    ...(asked.targets.length === 0 ? {} : { targets: asked.targets }),
    ...(asked.purposes.length === 0 ? {} : { purposes: asked.purposes }),
    ...(input.lift === true ? { lift: true } : {}),
    tasks,
    kept,
    gaps,
    inputs,
  };
  return { ...view, hash: sha256Hex(canonicalJson(view)) };
}

function planRight(options: Parameters<typeof planFlag>[0] & Parameters<typeof planErasure>[0]): void {
  const { task } = RIGHTS[options.asked.right];
  if (task === 'collect') planAccess(options);
  else if (task === 'erase') planErasure(options);
  else if (task === 'rectify') planRectification(options);
  else planFlag(options);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
