import type { Benchmark } from './benchmark.ts';
import { eraseRows } from './erase-rows.ts';
import { planner } from './planner.ts';

/** All of them, the quick ones first. */
export const BENCHMARKS: readonly Benchmark[] = [planner, eraseRows];
