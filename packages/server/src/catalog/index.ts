export { addedIdentities } from './added-identities.ts';
export { type CataloguedSystem, catalogEntries } from './catalog-entries.ts';
export * from './change-coverage.ts';
export * from './children-first.ts';
export * from './collection-shape.ts';
export * from './column-guess.ts';
export {
  type About,
  type Coverage,
  type CoverageOptions,
  coverageOf,
  type KeptCoverage,
  untilInWords,
} from './coverage.ts';
export { type Catalog, createCatalog } from './create-catalog.ts';
export * from './data-categories.ts';
export * from './dataset.ts';
export * from './dataset-graph.ts';
export * from './draft.ts';
export * from './finding.ts';
export * from './identity.ts';
export * from './keep-rule.ts';
export * from './link-connections.ts';
export { type LintOptions, lintDatasets } from './lint.ts';
export * from './parse-datasets.ts';
export { isPast, ruleFor } from './rule-for.ts';
export * from './traversal-plan.ts';
export * from './treatment.ts';
