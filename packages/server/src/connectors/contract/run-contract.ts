import { type ConformanceResult, runCase, skipped } from '../conformance/index.ts';
import type { ContractCase } from './contract-case.ts';
import { createContractKit } from './contract-kit.ts';
import type { ContractStore } from './contract-subject.ts';
import { eraseCases } from './erase-cases.ts';
import { readCases } from './read-cases.ts';

/** The rules of connectors/connector.ts in the order in which they run: those that erase come last. */
export const contractCases: readonly ContractCase[] = [...readCases, ...eraseCases];

export interface ContractOptions {
  readonly store: ContractStore;
  /** False leaves the test people's data: cases that erase are skipped. (Default: true) */
  readonly erase?: boolean;
  /** Told each result as soon as it is there. */
  readonly onCase?: (result: ConformanceResult) => void;
  readonly signal?: AbortSignal;
}

/** Runs the rules of connectors against a store. Throws what opening the store threw, and the signal's reason. */
export async function runContract(options: ContractOptions): Promise<readonly ConformanceResult[]> {
  const signal = options.signal ?? new AbortController().signal;
  const results: ConformanceResult[] = [];
  for (const one of contractCases) {
    const result =
      one.erases && options.erase === false
        ? skipped(one, 'It would erase a test person.')
        : await runContractCase(one, options.store, signal);
    results.push(result);
    options.onCase?.(result);
  }
  return results;
}

/** Runs one rule on a store that is opened for it. */
export async function runContractCase(
  one: ContractCase,
  store: ContractStore,
  signal: AbortSignal,
): Promise<ConformanceResult> {
  const subject = await store.open(one.erases ? 'erase' : 'read');
  try {
    return await runCase(one, createContractKit(subject, signal), signal);
  } finally {
    await subject.close();
  }
}
