import type { api } from '@habeas/contract';
import type { Health } from './connector.ts';

/** The systems of the configuration, as the API shows them. */
export interface Connections {
  list(): readonly api.ConnectionView[];
  /** Reaches the system and compares its schema with the datasets. Throws NOT_FOUND for an unknown key. */
  check(key: string): Promise<Health>;
}
