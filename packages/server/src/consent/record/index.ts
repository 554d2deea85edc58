export { fold, type MergeRule } from './fold.ts';
export { historyOf } from './history.ts';
export { joinAnonymous } from './join-anonymous.ts';
export * from './migrations.ts';
export { type RecordOptions, recordSignals } from './record-signals.ts';
export { type Outcome, type RefusedOutcome, refusalOf, type Signal } from './signal.ts';
export { signatureOf } from './signatures.ts';
export * from './subjects.ts';
