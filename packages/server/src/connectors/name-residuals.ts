import { type Clock, type ConnectionConfig, HabeasError } from '../foundation/index.ts';
import type { Connector, LocatedScope, Residual } from './connector.ts';

type Configured = NonNullable<ConnectionConfig['residuals']>;

/** What the stores of each kind keep by themselves and tell as residuals. By these names the configuration says when they end. */
export const OWN_COPIES: Readonly<Record<string, readonly string[]>> = {
  postgres: [
    'write-ahead-log',
    'archive',
    'replication-slots',
    'replicas',
    'planner-statistics',
    'table-files',
    // Of Amazon Redshift.
    'snapshots',
    'materialized-views',
  ],
  mysql: ['binary-log', 'innodb-logs', 'table-files'],
  sqlite: ['write-ahead-log', 'table-files', 'backups'],
  redis: ['append-only-file', 'snapshot', 'stream-entries', 'disk'],
  files: ['disk'],
  logs: ['shipped-copies', 'live-files', 'unfinished-files'],
  dynamodb: ['stream', 'point-in-time-recovery', 'backups'],
  s3: ['old-versions', 'unfinished-uploads', 'archive', 'replication'],
  sphinx: ['binary-log', 'chunks', 'query-log'],
  azure: ['old-versions', 'unfinished-uploads', 'archive', 'deleted'],
};

/** Throws CONFIG_INVALID where a connection dates a copy that its kind does not have. */
export function checkResiduals({ key, kind, residuals = [] }: ConnectionConfig): void {
  const known = OWN_COPIES[kind] ?? [];
  for (const { copy } of residuals) {
    if (copy === undefined || known.includes(copy)) continue;
    const names =
      known.length === 0 ? 'The kind names none: say what it is' : `Known ones are ${known.join(', ')}`;
    throw new HabeasError(
      'CONFIG_INVALID',
      `Connection ${key} dates the copy "${copy}", which the kind "${kind}" does not have. ${names}.`,
    );
  }
}

/** The connector, whose erasures tell beside what the store knows of its own copies what the configuration says of these and of others. */
export function nameResiduals(
  connector: Connector,
  { residuals }: Pick<ConnectionConfig, 'residuals'>,
  clock: Clock,
): Connector {
  if (residuals === undefined) return connector;
  const erase: Connector['erase'] = async (scope, mode) => {
    const outcome = await connector.erase(scope, mode);
    if (outcome.state === 'pending' || mode === 'dry-run') return outcome;
    const { evidence } = outcome;
    // Also where a connector counts only what it does now: what the lost answer told of is erased, and its copies are there.
    const isErased = evidence.matched || (scope.unanswered === true && (await hasKeys(scope)));
    const own = namedResiduals(evidence.residuals, residuals, { isErased, now: clock.now() });
    return { ...outcome, evidence: { ...evidence, residuals: own } };
  };
  return new Proxy(connector, {
    get(target, name) {
      if (name === 'erase') return erase;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

async function hasKeys(scope: LocatedScope): Promise<boolean> {
  for await (const { count } of scope.keys()) if (count > 0) return true;
  return false;
}

/** Where the store knows the end of a copy by its own settings, that stands; for others the configuration says it. */
export function namedResiduals(
  residuals: readonly Residual[],
  configured: Configured,
  { isErased, now }: { readonly isErased: boolean; readonly now: Date },
): readonly Residual[] {
  const dated = new Map(
    configured.flatMap((one) => (one.copy === undefined ? [] : [[one.copy, one] as const])),
  );
  const own = residuals.map((residual): Residual => {
    const given = dated.get(residual.copy ?? '');
    if (given === undefined || residual.until !== null) return residual;
    return { ...residual, what: given.what ?? residual.what, until: endOf(given, now) };
  });
  const others = configured.flatMap((one): readonly Residual[] =>
    one.copy === undefined && one.what !== undefined && isErased
      ? [{ what: one.what, until: endOf(one, now) }]
      : [],
  );
  return [...own, ...others];
}

function endOf({ for: time, until }: Configured[number], now: Date): string | null {
  return time === undefined ? until : new Date(now.getTime() + time).toISOString();
}
