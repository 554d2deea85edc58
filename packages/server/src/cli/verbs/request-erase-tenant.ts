import { randomUUID } from 'node:crypto';
import type { api } from '@habeas/contract';
import type { Command } from 'commander';
import { clientFor, print, type ServerOptions, withServerOptions } from '../context.ts';
import { follow } from '../follow.ts';
import { identitiesOf } from '../option-values.ts';
import { type TenantCount, tenantCountLines } from '../render/tenant.ts';
import type { Run } from '../verb.ts';

interface EraseTenantOptions extends ServerOptions {
  readonly make?: true;
  readonly idempotencyKey?: string;
}

/** `habeas request erase-tenant`: a customer closes an account; it is counted first, always. */
export function requestEraseTenantVerb(request: Command, run: Run): void {
  withServerOptions(
    request
      .command('erase-tenant')
      .description(
        'count what a whole tenant has; with --make, then ask for its erasure, which waits for approval',
      )
      .argument('<identity>', 'such as tenant_id=42')
      .option('--make', 'make the request once it is counted')
      .option(
        '--idempotency-key <key>',
        'the same key and tenant gives the same request again (default: a new key)',
      ),
  ).action((identity: string, options: EraseTenantOptions) =>
    run(async (context) => {
      const client = clientFor(context, options);
      const { width } = context.terminal;
      const body = { right: 'erasure' as const, identities: [...identitiesOf([identity])] };
      const key = options.idempotencyKey ?? randomUUID();
      const counting = await client.createRequest({ ...body, dry_run: true }, `${key}-counted`);
      const { snapshot, end } = await follow(context, client, { requestId: counting.id, quiet: true });
      const counts = countsOf(snapshot.tasks);
      const made =
        end.exit === 'done' && options.make === true ? await client.createRequest(body, key) : undefined;
      const planned = made === undefined ? undefined : await client.getRequest(made.id);
      print(context, options, {
        json: { counts, counted_by: counting.id, request: planned ?? null },
        lines: () => [
          ...tenantCountLines(counts, { width, paint: context.paint }),
          '',
          ...(end.exit === 'done' ? [] : [`It could not be counted whole: ${end.text}`]),
          ...(planned === undefined
            ? ['Nothing was changed. With --make the erasure is asked for.']
            : [
                planned.state === 'approving' || planned.state === 'received'
                  ? `Request ${planned.id} waits for approval: habeas request approve ${planned.id}`
                  : `Request ${planned.id} is ${planned.state}.`,
              ]),
        ],
      });
      return planned === undefined ? end.exit : 'blocked';
    }),
  );
}

/** What each system found, by collection. */
function countsOf(tasks: readonly api.TaskView[]): readonly TenantCount[] {
  const found = new Map<string, TenantCount>();
  for (const { system, evidence } of tasks) {
    if (system === null || evidence === null) continue;
    for (const [name, count] of Object.entries(evidence.counts)) {
      const key = JSON.stringify([system, name]);
      // More than one task of a system counts the same rows; the one that found most saw all of them.
      found.set(key, { system, collection: name, count: Math.max(count, found.get(key)?.count ?? 0) });
    }
  }
  return [...found.values()].sort((a, b) =>
    `${a.system} ${a.collection}` < `${b.system} ${b.collection}` ? -1 : 1,
  );
}
