import type { Database } from '../foundation/index.ts';

/**
 * Writes audit entries in the caller's transaction. The audit room's `appendAudit` fits; it is handed in, because the
 * two rooms lie side by side and do not know each other.
 */
export type RecordAudit = (
  transaction: Database,
  events: readonly {
    readonly organizationId: string;
    readonly actor: string;
    readonly action: string;
    readonly subject: string;
    readonly details?: Readonly<Record<string, string | number | boolean | null>>;
  }[],
  now: Date,
) => Promise<void>;
