export { isAnyDue, noteValidities, takeExpired } from './expiries.ts';
export { fold, type MergeRule, type Validity } from './fold.ts';
export { historyOf } from './history.ts';
export { joinAnonymous } from './join-anonymous.ts';
export * from './migrations.ts';
export { type RecordOptions, recordSignals, takeTurn } from './record-signals.ts';
export { type Outcome, type RefusedOutcome, refusalOf, type Signal } from './signal.ts';
export { loadStatements, saveSignatures, signatureOf } from './signatures.ts';
export * from './subjects.ts';
