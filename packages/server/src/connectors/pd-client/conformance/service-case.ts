import type { ConformanceCase } from '../../conformance/index.ts';
import type { ConformanceKit } from './conformance-kit.ts';

/** One thing that the contract asks of a service. */
export type ServiceCase = ConformanceCase<ConformanceKit>;
