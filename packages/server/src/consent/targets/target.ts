import { isMysqlAddress } from '../../connectors/index.ts';
import { type Config, type ConsentTargetConfig, HabeasError } from '../../foundation/index.ts';
import { allowedByDefault, type Purpose } from '../purposes/index.ts';

/** Of roles, schemas and views: in bytes for PostgreSQL, which cuts longer ones off, and otherwise in characters. */
const LONGEST_NAME = 63;

/** A database in which jobs see only those who agreed. */
export interface Target {
  readonly key: string;
  readonly organizationId: string;
  readonly tables: readonly TargetTable[];
  readonly functions: readonly { readonly schema: string; readonly name: string }[];
  /** Identity types whose values are whole numbers, which are the keys of bitmaps themselves. */
  readonly numbers: ReadonlySet<string>;
  readonly rowSecurity: boolean;
  readonly purposes: readonly TargetPurpose[];
}

/** A target, where it is, and how often it is brought up to date. */
export interface SyncedTarget {
  readonly target: Target;
  readonly url: string;
  readonly syncEveryMilliseconds: number;
  readonly reconcileEveryMilliseconds: number;
}

export interface TargetPurpose {
  readonly code: string;
  /** Allowed until somebody objects; otherwise only after somebody agreed. */
  readonly optOut: boolean;
}

export type TargetTable = ProtectedTable | OpenTable;

export interface OpenTable {
  readonly kind: 'open';
  readonly schema: string;
  readonly name: string;
}

export interface ProtectedTable {
  readonly kind: 'protected';
  readonly schema: string;
  readonly name: string;
  /** By which its rows name people. */
  readonly identity: string;
  /** The column with it. */
  readonly column: string;
  /** A column with the person's whole number. */
  readonly key: string | undefined;
  /** Whether the column is a uuid, which identities may have in capital letters, too. (Default: false) */
  readonly isUuid?: boolean;
}

/** What the configuration says of a target. Throws CONFIG_INVALID for what contradicts itself. */
function targetOf(
  config: ConsentTargetConfig,
  { organizationId, purposes }: { readonly organizationId: string; readonly purposes: readonly Purpose[] },
): Target {
  const tables = config.tables.map((one): TargetTable => {
    const name = qualifiedName(one.table);
    if (one.identity === undefined) return { kind: 'open', ...name };
    const column = one.column ?? one.identity;
    const key = one.key ?? (config.numbers.includes(one.identity) ? column : undefined);
    return { kind: 'protected', ...name, identity: one.identity, column, key };
  });
  const where = `consent.targets ${config.key}`;
  const twice = tables.find((one, index) => tables.findIndex((other) => same(one, other)) < index);
  if (twice !== undefined)
    throw new HabeasError('CONFIG_INVALID', `${where}: ${twice.schema}.${twice.name} stands there twice.`);
  if (purposes.length === 0)
    throw new HabeasError(
      'CONFIG_INVALID',
      `${where}: there are no purposes. Name a file in consent.purposes.`,
    );
  requireNames(config, purposes, where);
  const long = tables.find((one) => isTooLong(config.url, viewName({ tables }, one)));
  if (long !== undefined)
    throw new HabeasError(
      'CONFIG_INVALID',
      viewName({ tables }, long) === long.name
        ? `${where}: ${long.schema}.${long.name} has a name that is longer than ${longestName(config.url)}, so that no view can have it. Give the table a shorter one.`
        : `${where}: another table is called ${long.name} too, so that the views of ${long.schema}.${long.name} have that name whole, which is longer than ${longestName(config.url)}. Use a target of its own for one of them.`,
    );
  return {
    key: config.key,
    organizationId,
    tables,
    functions: config.functions.map(qualifiedName),
    numbers: new Set(config.numbers),
    rowSecurity: config.row_security,
    purposes: purposes.map((purpose) => ({ code: purpose.code, optOut: allowedByDefault(purpose) })),
  };
}

/** A name that a database would cut off is another one's. */
function requireNames(
  { key, url, row_security }: ConsentTargetConfig,
  purposes: readonly Purpose[],
  where: string,
): void {
  const long = purposes.find(
    ({ code }) => isTooLong(url, `habeas_${key}_${code}`) || isTooLong(url, `purpose_${code}`),
  );
  if (long !== undefined)
    throw new HabeasError(
      'CONFIG_INVALID',
      `${where}: habeas_${key}_${long.code} is longer than ${longestName(url)}, and names of databases end there. Use a shorter key, or a shorter code of the purpose.`,
    );
  if (row_security && isMysqlAddress(url))
    throw new HabeasError(
      'CONFIG_INVALID',
      `${where}: MariaDB has no row security. Leave \`row_security\` out, and use the views of its purposes.`,
    );
}

function isTooLong(url: string, name: string): boolean {
  return (isMysqlAddress(url) ? name.length : Buffer.byteLength(name)) > LONGEST_NAME;
}

function longestName(url: string): string {
  return `${LONGEST_NAME} ${isMysqlAddress(url) ? 'characters' : 'bytes'}`;
}

/** The targets of a configuration. Throws CONFIG_INVALID. */
export function targetsOf(
  { organization, consent }: Pick<Config, 'organization' | 'consent'>,
  purposes: readonly Purpose[],
): readonly SyncedTarget[] {
  return consent.targets.map((one) => ({
    target: targetOf(one, { organizationId: organization, purposes }),
    url: one.url,
    syncEveryMilliseconds: one.sync_every,
    reconcileEveryMilliseconds: one.reconcile_every,
  }));
}

/** The target of this key, or the only one. Throws NOT_FOUND, BAD_INPUT where there are several, and CONFIG_INVALID where there is none. */
export function chooseTarget(targets: readonly SyncedTarget[], key: string | undefined): SyncedTarget {
  const keys = targets.map(({ target }) => target.key).join(', ');
  const found = key === undefined ? targets : targets.filter(({ target }) => target.key === key);
  const [one] = found;
  if (one !== undefined && found.length === 1) return one;
  if (targets.length === 0)
    throw new HabeasError(
      'CONFIG_INVALID',
      'There is no target in consent.targets (docs/enforce-consent.md).',
    );
  if (key === undefined) throw new HabeasError('BAD_INPUT', `Say which target: one of ${keys}.`);
  throw new HabeasError('NOT_FOUND', `There is no target ${key}; there are: ${keys}.`);
}

/** The purpose of this code. Throws NOT_FOUND. */
export function purposeOf({ purposes }: Pick<Target, 'purposes'>, code: string): TargetPurpose {
  const found = purposes.find((purpose) => purpose.code === code);
  if (found !== undefined) return found;
  const codes = purposes.map((purpose) => purpose.code).join(', ');
  throw new HabeasError('NOT_FOUND', `There is no purpose ${JSON.stringify(code)}; there are: ${codes}.`);
}

/** Identity types that protected tables name people by, in order. */
export function identityTypes({ tables }: Pick<Target, 'tables'>): readonly string[] {
  return [...new Set(tables.flatMap((one) => (one.kind === 'protected' ? [one.identity] : [])))].sort();
}

export function protectedOf({ tables }: Pick<Target, 'tables'>): readonly ProtectedTable[] {
  return tables.flatMap((one) => (one.kind === 'protected' ? [one] : []));
}

function qualifiedName(text: string): { readonly schema: string; readonly name: string } {
  const [schema = '', name = ''] = text.split('.');
  return { schema, name };
}

function same(one: { readonly schema: string; readonly name: string }, other: typeof one): boolean {
  return one.schema === other.schema && one.name === other.name;
}

/** The name of a table's view in the schema of a purpose: its own or, where tables of several schemas have it, with the schema before it. */
export function viewName({ tables }: Pick<Target, 'tables'>, { schema, name }: TargetTable): string {
  const isOnly = tables.every((one) => one.name !== name || one.schema === schema);
  return isOnly ? name : `${schema}.${name}`;
}
