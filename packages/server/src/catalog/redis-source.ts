import type { RedisKeys } from './dataset.ts';
import type { RedisSource } from './dataset-schema.ts';

/** `redis` as it is written → what it means. */
export function fromRedisSource({ key, field, member, entry }: RedisSource): RedisKeys {
  if (field !== undefined) return { key, part: { kind: 'field', pattern: field } };
  if (member !== undefined) return { key, part: { kind: 'member', pattern: member } };
  if (entry !== undefined) return { key, part: { kind: 'entry', field: entry.field, pattern: entry.value } };
  return { key };
}
