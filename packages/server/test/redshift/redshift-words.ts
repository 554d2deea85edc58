/**
 * What the connector's SQL may be made of, by the Amazon Redshift Database Developer Guide ("SQL functions reference", "Data types", "Leader
 * node-only functions", "Unsupported PostgreSQL features", "… data types", "… functions"). Whatever is not named here is refused, so that
 * somebody has to look it up first.
 */

/** Functions that run where the tables are. */
export const FUNCTIONS: ReadonlySet<string> = new Set([
  'chr',
  'count',
  'dateadd',
  'from_varbyte',
  'json_array_length',
  'json_extract_array_element_text',
  'json_parse',
  'json_serialize',
  'lower',
  'max',
  'min',
  'replace',
  'strpos',
  'sha2',
  'st_asewkt',
  'substr',
  'substring',
  'to_char',
  'to_varbyte',
]);

/** Functions of the leader node: an error in a statement that reads a table of the user's. */
export const LEADER_FUNCTIONS: ReadonlySet<string> = new Set([
  'current_database',
  'format_type',
  'has_database_privilege',
  'has_table_privilege',
  'pg_backend_pid',
  'pg_cancel_backend',
  'pg_get_expr',
  'version',
]);

/** Tables of the catalog, which lie on the leader node as well. */
export const CATALOG: ReadonlySet<string> = new Set([
  'pg_attrdef',
  'pg_attribute',
  'pg_class',
  'pg_constraint',
  'pg_namespace',
]);

export const TYPES: ReadonlySet<string> = new Set([
  'bool',
  'bpchar',
  'date',
  'float4',
  'float8',
  'int2',
  'int4',
  'int8',
  'numeric',
  'super',
  'time',
  'timestamp',
  'timestamptz',
  'timetz',
  'varchar',
]);

export const SETTINGS: ReadonlySet<string> = new Set([
  'datestyle',
  'enable_case_sensitive_identifier',
  'extra_float_digits',
  'timezone',
]);

/** Words that Redshift reserves and PostgreSQL does not. */
export const RESERVED: ReadonlySet<string> = new Set([
  'aes128',
  'aes256',
  'allowoverwrite',
  'backup',
  'blanksasnull',
  'credentials',
  'defrag',
  'delta',
  'disable',
  'emptyasnull',
  'enable',
  'encode',
  'encrypt',
  'encryption',
  'explicit',
  'gzip',
  'identity',
  'ignore',
  'lun',
  'luns',
  'lzo',
  'minus',
  'new',
  'offline',
  'old',
  'open',
  'parallel',
  'permissions',
  'pivot',
  'raw',
  'readratio',
  'recover',
  'respect',
  'rejectlog',
  'resort',
  'restore',
  'snapshot',
  'sysdate',
  'system',
  'tag',
  'top',
  'truncatecolumns',
  'unnest',
  'unpivot',
  'wallet',
]);
