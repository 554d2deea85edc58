import type { CatalogSnapshot, RunsCode } from './catalog-snapshot.ts';
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
  /^(?:pg_|has_|lo_|lo$|loread|lowrite|to_reg|txid_|inet_(?:client|server)|binary_upgrade|ts_stat$|ts_rewrite$|ts_debug$|ts_parse$|query_to_|table_to_|cursor_to_|schema_to_|database_to_|current_setting$|set_config$|row_security_active$|(?:obj|col|shobj)_description$|currtid|(?:array|record|domain|range|multirange|enum)_(?:in|recv)$|nextval$|currval$|lastval$|setval$|dblink)/;

/** Which functions, operators and types a statement may use. */
export function findCallable(
  { builtIn, builtInOfOne, own, searchPath }: Omit<CatalogSnapshot, 'relations'>,
  declared: readonly QualifiedName[],
): Omit<RelationCatalog, 'relation' | 'writingRefused'> {
  const known = new Set([...builtIn.filter((name) => !HARMFUL.test(name)), ...HARMLESS]);
  const allowed = new Set(declared.map(keyOf));
  const made = new Set(own.functions.map(keyOf));
  const ofOne = new Set(own.functionsOfOne.map(keyOf));
  const builtInAttributes = new Set(builtInOfOne);
  const undeclared = ({ code }: RunsCode) => code.find((name) => !allowed.has(keyOf(name)));
  const byName = <Made extends RunsCode>(all: readonly Made[]) =>
    new Map(all.map((one) => [keyOf(one), one]));
  const operators = byName(own.operators);
  const types = byName(own.types);
  const inPath = <Made>(names: ReadonlyMap<string, Made>, { schema, name }: QualifiedName): readonly Made[] =>
    (schema === undefined ? ['pg_catalog', ...searchPath] : [schema]).flatMap(
      (place) => names.get(keyOf({ schema: place, name })) ?? [],
    );
  const unseen = own.unseen.find(({ code }) => !allowed.has(keyOf(code)));
  return {
    functionRefused(name) {
      // Of several functions of one name PostgreSQL takes the one whose parameters fit best: all of them have to be allowed.
      const mine = (name.schema === undefined ? searchPath : [name.schema]).filter((schema) =>
        made.has(keyOf({ schema, name: name.name })),
      );
      if (mine.some((schema) => !allowed.has(keyOf({ schema, name: name.name }))))
        return 'it is your own and may read any table. If it reads none, name it in `consent.targets[].functions`.';
      if (mine.length > 0) return undefined;
      if ((name.schema ?? 'pg_catalog') === 'pg_catalog' && known.has(name.name)) return undefined;
      return 'it is not known to leave tables, files and settings alone.';
    },
    attributeRefused(name) {
      const mine = searchPath.map((schema) => keyOf({ schema, name })).filter((key) => ofOne.has(key));
      if (mine.some((key) => !allowed.has(key)))
        return 'one of your own, which may read any table. If it reads none, name it in `consent.targets[].functions`; a column with this name can have another one.';
      if (mine.length === 0 && builtInAttributes.has(name) && !known.has(name))
        return 'which is not known to leave tables, files and settings alone.';
      return undefined;
    },
    operatorRefused(name) {
      const code = inPath(operators, name).map(undeclared).find(Boolean);
      return code && `code of your own runs for it, which may read any table. ${declare(code)}`;
    },
    typeRefused(name) {
      const found = inPath(types, name);
      if (found.some(({ isChecked }) => isChecked))
        return 'code of your own may run for a cast to it, because its values are checked, and read any table.';
      const code = found.map(undeclared).find(Boolean);
      return code && `code of your own runs for a cast to it, which may read any table. ${declare(code)}`;
    },
    unseenCode:
      unseen &&
      `Code of your own runs for ${unseen.what}, which PostgreSQL uses without being told, and it may read any table. ${declare(unseen.code)}`,
  };
}

function declare(code: QualifiedName): string {
  return `If ${keyOf(code)} reads none, name it in \`consent.targets[].functions\`.`;
}

function keyOf({ schema, name }: QualifiedName): string {
  return `${schema}.${name}`;
}
