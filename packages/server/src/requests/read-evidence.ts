import type { api } from '@habeas/contract';
import type { Effect, Evidence } from '../connectors/index.ts';

/** What a task brought back, as it is stored and shown. */
export type StoredEvidence = Evidence & api.EvidenceView;

/** As it was stored before collections had effects, or beside them: collection → rows that are only marked as deleted. */
type Former = StoredEvidence & { readonly hidden?: Readonly<Record<string, number>> };

/** Evidence of a task as it is stored, whenever that was. */
export function readEvidence(text: string): StoredEvidence {
  const { hidden, ...evidence }: Former = JSON.parse(text);
  if (hidden === undefined) return evidence;
  const effects: Record<string, Effect> = { ...evidence.effects };
  for (const [name, rows] of Object.entries(hidden)) {
    const known = effects[name] ?? { found: rows, erased: 0, masked: 0, kept: 0 };
    effects[name] = { ...known, hidden: rows, level: 'hidden' };
  }
  return { ...evidence, effects };
}
