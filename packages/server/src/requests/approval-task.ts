import type { Evidence } from '../connectors/index.ts';
import { HabeasError } from '../foundation/index.ts';
import { requestPlan } from './read-requests.ts';
import type { RequestTables } from './tables.ts';
import type { TaskContext, TaskOutcome } from './task-context.ts';

/** Counts what was found, and asks two people if it is more than one of them may have destroyed. */
export async function approvalTask({ db, ref }: TaskContext): Promise<TaskOutcome> {
  const above = (await requestPlan(db, ref))?.procedure?.four_eyes_above;
  if (above === undefined || above === null)
    throw new HabeasError('INTERNAL', `The plan of request ${ref.requestId} has no count for an approval.`);
  const located = await db
    .withTables<RequestTables>()
    .selectFrom('tasks')
    .select(['system', 'evidence'])
    .where('organization_id', '=', ref.organizationId)
    .where('request_id', '=', ref.requestId)
    .where('kind', '=', 'locate')
    .orderBy('position')
    .execute();
  const counts = Object.fromEntries(
    located.flatMap(({ system, evidence }) => {
      const found: Evidence | undefined = evidence === null ? undefined : JSON.parse(evidence);
      return Object.entries(found?.counts ?? {}).map(([collection, count]) => [
        `${system}.${collection}`,
        count,
      ]);
    }),
  );
  const rows = Object.values(counts).reduce<number>((sum, count) => sum + count, 0);
  const asks = rows > above;
  const evidence: Evidence = {
    matched: rows > 0,
    counts,
    retained: [],
    residuals: [],
    notes: [
      `${rows} rows were found; above ${above}, two people approve${asks ? '' : ', so nobody is asked'}`,
    ],
  };
  if (asks) return { state: 'asks', rows, above, evidence };
  return { state: 'succeeded', matched: null, result: { evidence } };
}
