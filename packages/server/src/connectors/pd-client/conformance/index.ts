export {
  type ConformanceOptions,
  conformanceCases,
  runConformance,
} from './run-conformance.ts';
