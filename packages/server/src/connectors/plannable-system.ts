import type { About, ChangeCoverage, ChangeOrder, Coverage } from '../catalog/index.ts';
import type { Capability } from './connector.ts';

/** What the planner knows of a system that holds personal data. No connection, no state: a plan is made from these alone. */
export interface PlannableSystem {
  /** Names the system in plans, evidence and packages: a connection's key or a service's name. */
  readonly key: string;
  readonly team: string;
  /** How a request reaches it. `ticket`: a person of the team does it by hand. */
  readonly by: 'connection' | 'client' | 'ticket';
  readonly capabilities: ReadonlySet<Capability>;
  /** Identity types by which it can find the subject; any one is enough. Empty: it did not say, so all are offered. */
  readonly needs: readonly string[];
  /** Identity types that it can add to what is known. */
  readonly resolves: readonly string[];
  /** Those of `resolves` of which it can only tell what it was asked with, though maybe in other letters. (Default: none) */
  readonly repeats?: readonly string[];
  /** It never said what it can: it is asked for identities all the same, because only it may know some. (Default: false) */
  readonly undescribed?: true;
  /** What the team declared that it stores. */
  readonly dataTypes: readonly string[];
  /** Which collections are reached from these identity types and what erasure does to each; undefined without datasets. */
  readonly coverage?: (identityTypes: ReadonlySet<string>, about?: About) => Coverage;
  /** Where such a change reaches the person from these identity types; undefined without datasets. */
  readonly changeCoverage?: (order: ChangeOrder, identityTypes: ReadonlySet<string>) => ChangeCoverage;
  /** Data categories that it said it holds; undefined or empty: it did not say. */
  readonly dataCategories?: readonly string[];
  /** Names the frozen datasets and rules that the plan was made with; undefined without datasets. */
  readonly inputs?: { readonly hash: string; readonly content: string };
  /** Why it is reached by ticket, or what it did not tell; shown as a gap. */
  readonly remark?: string;
}
