import type { CatalogSnapshot } from './catalog-snapshot.ts';
import type { QualifiedName, RelationCatalog } from './relation-catalog.ts';

/** Functions of PostgreSQL that are not of the same answer within a statement, and harmless. */
const HARMLESS = new Set([
  'clock_timestamp',
  'gen_random_uuid',
  'random',
  'random_normal',
  'timeofday',
  'uuidv4',
  'uuidv7',
]);

/** Functions of PostgreSQL that read tables, files, settings or what others do, or run a text as SQL. */
const HARMFUL =
  /^(?:pg_|has_|lo_|lo$|loread|lowrite|to_reg|txid_|inet_(?:client|server)|binary_upgrade|ts_stat$|ts_rewrite$|ts_debug$|ts_parse$|query_to_|table_to_|cursor_to_|schema_to_|database_to_|current_setting$|set_config$|row_security_active$|(?:obj|col|shobj)_description$|currtid|nextval$|currval$|lastval$|setval$|dblink)/;

/** Which functions, operators and types a statement may use. */
export function findCallable(
  { builtIn, own, searchPath }: Pick<CatalogSnapshot, 'builtIn' | 'own' | 'searchPath'>,
  declared: readonly QualifiedName[],
): Pick<RelationCatalog, 'functionRefused' | 'operatorRefused' | 'typeRefused'> {
  const known = new Set([...builtIn.filter((name) => !HARMFUL.test(name)), ...HARMLESS]);
  const allowed = new Set(declared.map(({ schema, name }) => `${schema}.${name}`));
  const made = new Set(own.functions.map(({ schema, name }) => `${schema}.${name}`));
  const runsCode = (kind: 'operators' | 'types') =>
    new Set(own[kind].filter((one) => one.runsCode).map(({ schema, name }) => `${schema}.${name}`));
  const operators = runsCode('operators');
  const types = runsCode('types');
  const inPath = (names: ReadonlySet<string>, { schema, name }: QualifiedName) =>
    (schema === undefined ? searchPath : [schema]).some((place) => names.has(`${place}.${name}`));
  return {
    functionRefused(name) {
      // Of several functions of one name PostgreSQL takes the one whose parameters fit best: all of them have to be allowed.
      const mine = (name.schema === undefined ? searchPath : [name.schema]).filter((schema) =>
        made.has(`${schema}.${name.name}`),
      );
      if (mine.some((schema) => !allowed.has(`${schema}.${name.name}`)))
        return 'it is your own and may read any table. If it reads none, name it in `consent.functions`.';
      if (mine.length > 0) return undefined;
      if ((name.schema ?? 'pg_catalog') === 'pg_catalog' && known.has(name.name)) return undefined;
      return 'it is not known to leave tables, files and settings alone.';
    },
    operatorRefused: (name) =>
      inPath(operators, name) ? 'code of your own runs for it, which may read any table.' : undefined,
    typeRefused: (name) =>
      inPath(types, name) ? 'code of your own runs for a cast to it, which may read any table.' : undefined,
  };
}
