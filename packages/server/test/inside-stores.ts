import type { Connector } from '../src/connectors/index.ts';

/** A store whose statements are written as in PostgreSQL, without escapes in texts. */
export interface InsideStore {
  readonly connector: Connector;
  run(statements: readonly string[]): Promise<void> | void;
  /** The single values of a statement's rows, each as the store prints it. */
  texts(statement: string): Promise<readonly (string | null)[]>;
}

export interface InsideStores {
  /** A column's types for JSON. The first one refuses what is no JSON, if there is one that does. */
  readonly types: readonly string[];
  /** Whether a column of this type takes texts that are no JSON. */
  takesAnything(type: string): boolean;
  /** Of two members of the same name, whether both are found, or the second alone. */
  readonly keepsBoth: boolean;
  /** Whether a number has all of its digits in the store. */
  readonly keepsLongNumbers: boolean;
  open(dataset: string, statements: readonly string[]): Promise<InsideStore>;
}

/** Fields of people who are known by what lies in the column `doc`. */
export const ID = `
          - { name: id, fides_meta: { primary_key: true } }`;
export const CODE = `${ID}
          - { name: doc.code, data_categories: [user.unique_id], fides_meta: { identity: code } }`;
