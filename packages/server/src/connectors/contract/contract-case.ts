import type { ConformanceCase } from '../conformance/index.ts';
import type { ContractKit } from './contract-kit.ts';

/** One thing that every connector keeps. */
export type ContractCase = ConformanceCase<ContractKit>;
