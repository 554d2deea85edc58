export * from './deadline.ts';
export * from './decide.ts';
export { caseOf, explainPolicy } from './explain.ts';
export * from './lint-policy.ts';
export type { PolicyFinding } from './lint-rules.ts';
export * from './policy.ts';
export { policySchema } from './policy-schema.ts';
export type * from './rule.ts';
