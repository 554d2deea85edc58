import type { Benchmark } from './benchmark.ts';
import { chaos } from './chaos.ts';
import { collectMemory } from './collect-memory.ts';
import { eraseRows } from './erase-rows.ts';
import { fanOut } from './fan-out.ts';
import { firstMinute } from './first-minute.ts';
import { planner } from './planner.ts';

/** All of them, the quick ones first. */
export const BENCHMARKS: readonly Benchmark[] = [
  planner,
  eraseRows,
  firstMinute,
  collectMemory,
  fanOut,
  chaos,
];
