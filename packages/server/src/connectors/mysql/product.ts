/** What speaks the protocol. Percona Server and the clouds' MySQL are MySQL. */
export type Product = 'MariaDB' | 'MySQL';

/** By what `version()` gives. */
export function productOf(version: string): Product {
  return version.includes('MariaDB') ? 'MariaDB' : 'MySQL';
}

/** The collation that compares letter by letter, with the spaces at the end. */
export const BINARY_COLLATION: Readonly<Record<Product, string>> = {
  MariaDB: 'utf8mb4_nopad_bin',
  MySQL: 'utf8mb4_0900_bin',
};

const MODES = [
  'ANSI_QUOTES',
  'PIPES_AS_CONCAT',
  'NO_BACKSLASH_ESCAPES',
  'STRICT_ALL_TABLES',
  'ERROR_FOR_DIVISION_BY_ZERO',
];

/** So that one SQL is understood in every store, values are printed alike, and a statement that is refused changes nothing. */
export function sessionOf(product: Product): readonly string[] {
  const modes = product === 'MariaDB' ? [...MODES, 'SIMULTANEOUS_ASSIGNMENT'] : MODES;
  const settings = [
    `sql_mode = '${modes.join(',')}'`,
    `time_zone = '+00:00'`,
    `collation_connection = '${BINARY_COLLATION[product]}'`,
    'foreign_key_checks = 1',
    // The most that it can be: what is longer would be cut off.
    'group_concat_max_len = 1073741824',
    'unique_checks = 1',
    'innodb_lock_wait_timeout = 30',
    'lock_wait_timeout = 30',
  ];
  return [`set ${settings.join(', ')}`, 'set session transaction isolation level read committed'];
}
