export {
  type ConformanceOptions,
  type ConformanceResult,
  conformanceCases,
  runConformance,
} from './run-conformance.ts';
