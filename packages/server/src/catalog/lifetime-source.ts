import type { Lifetime } from './dataset.ts';
import type { LifetimeSource } from './dataset-schema.ts';

/** `lifetime` as it is written → what it means. */
export function fromLifetimeSource({ max_age, keys, queue, stream }: LifetimeSource): Lifetime {
  return { maxAge: max_age, keys, queue, stream };
}
