import type { Database } from '../foundation/index.ts';
import type { Purpose, PurposeBits } from './purposes/index.ts';
import { loadStatements } from './record/index.ts';

export interface AskAgainOptions {
  readonly organizationId: string;
  /** undefined: nobody is known, and nobody is asked again. */
  readonly subject: number | undefined;
  readonly bits: PurposeBits;
  readonly purposes: readonly Purpose[];
  readonly at: Date;
}

const DAY_MILLISECONDS = 86_400_000;

/** Purposes about which the person has to be asked again, because what they said last is too old. */
export async function askAgain(
  db: Database,
  { organizationId, subject, bits, purposes, at }: AskAgainOptions,
): Promise<ReadonlySet<string>> {
  const limited = purposes.filter(({ ask_again, validity }) => (ask_again ?? validity) !== undefined);
  if (subject === undefined || limited.length === 0) return new Set();
  const statements = (await loadStatements(db, organizationId, [subject])).get(subject) ?? [];
  const isOld = ({ code, ask_again: again = Infinity, validity = Infinity }: Purpose): boolean => {
    const bit = 1n << BigInt(bits.get(code) ?? 63);
    const about = statements.filter((one) => (one.mask & bit) !== 0n && one.at <= at.getTime());
    const last = about.reduce((latest, one) => Math.max(latest, one.at), -Infinity);
    const granted = about.some((one) => one.at === last && (one.value & bit) !== 0n);
    const days = granted ? Math.min(again, validity) : again;
    return about.length > 0 && last + days * DAY_MILLISECONDS <= at.getTime();
  };
  return new Set(limited.filter(isOld).map(({ code }) => code));
}
