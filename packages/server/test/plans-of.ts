import type pg from 'pg';

export interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Cond'?: string;
  readonly Plans?: readonly PlanNode[];
}

const nodesOf = (node: PlanNode): readonly PlanNode[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)];

/**
 * As PostgreSQL planned the statements of a call, those of functions and triggers among them: it tells each plan as a notice. The pool
 * must be idle: then the call takes the connection that was told to tell.
 */
export async function plansOf(pool: pg.Pool, work: () => Promise<unknown>): Promise<readonly PlanNode[]> {
  const plans: PlanNode[] = [];
  const tell = `load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on;
    set auto_explain.log_format = json; set auto_explain.log_level = notice; set client_min_messages = notice`;
  const client = await pool.connect();
  const listen = ({ message }: { message?: string | undefined }) => {
    const json = message?.slice(message.indexOf('{'));
    if (message?.includes('plan:') && json !== undefined) plans.push(...nodesOf(JSON.parse(json).Plan));
  };
  client.on('notice', listen);
  await client.query(tell);
  client.release();
  await work();
  client.off('notice', listen);
  return plans;
}
