import type { api } from '@habeas/contract';
import { type Clock, type Database, HabeasError } from '../foundation/index.ts';
import type { DataMap } from './data-map.ts';
import { decideGap, reopenGap } from './gap-decisions.ts';

export interface GapCommandsOptions {
  readonly db: Database;
  readonly clock: Clock;
  readonly organizationId: string;
  /** Those of now, also what somebody approved. */
  readonly allGaps: () => Promise<readonly api.GapView[]>;
}

/** What people decide about gaps. */
export function createGapCommands(
  options: GapCommandsOptions,
): Pick<DataMap, 'approveGap' | 'rejectGap' | 'reopenGap'> {
  const { db, clock, organizationId } = options;
  const find = async (id: string) => {
    const gap = (await options.allGaps()).find((one) => one.id === id);
    if (gap === undefined)
      throw new HabeasError(
        'NOT_FOUND',
        `The map has no gap ${id} now. Its cause may be mended: GET /api/v1/gaps lists those that it has.`,
      );
    return { ...gap, id };
  };
  const decide = async (gap: api.GapView & { readonly id: string }, decided: Decided) => {
    await decideGap(db, { ...decided, organizationId, now: clock.now(), gap });
    return find(gap.id);
  };

  return {
    async approveGap({ id, actor, reason, category }) {
      const gap = await find(id);
      const classifies = gap.kind === 'data-type-without-category';
      if (classifies !== (category !== undefined))
        throw new HabeasError(
          'BAD_INPUT',
          classifies
            ? `Say with \`category\` which one data type ${gap.data_type} gets, such as ${gap.proposed_category ?? 'user.contact.email'}.`
            : `Gap ${id} is about no data type without a category: leave \`category\` out.`,
        );
      return decide(gap, { decision: 'approved', actor, reason, category: category ?? null });
    },
    async rejectGap({ id, actor, reason }) {
      return decide(await find(id), { decision: 'rejected', actor, reason, category: null });
    },
    async reopenGap({ id, actor, reason }) {
      const gap = await find(id);
      const reopened = await reopenGap(db, { organizationId, now: clock.now(), actor, gap, reason });
      if (!reopened)
        throw new HabeasError('CONFLICT', `Nobody decided about gap ${id}: there is nothing to take back.`);
      return find(id);
    },
  };
}

interface Decided {
  readonly decision: 'approved' | 'rejected';
  readonly actor: string;
  readonly reason: string;
  readonly category: string | null;
}
