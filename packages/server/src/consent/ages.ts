import type { Database } from '../foundation/index.ts';
import type { Purpose, PurposeBits } from './purposes/index.ts';
import { lastAbout, loadStatements, type MergeRule } from './record/index.ts';

/** When somebody said what counts of a purpose. */
export interface Age {
  readonly saidAt: Date;
  /** Whether they have to be asked again: it is older than `ask_again`, or an agreement that has expired. */
  readonly isTooOld: boolean;
}

export interface AgesOptions {
  readonly organizationId: string;
  /** undefined: nobody is known, and nobody is asked again. */
  readonly subject: number | undefined;
  readonly bits: PurposeBits;
  readonly purposes: readonly Purpose[];
  readonly rule: MergeRule;
  readonly at: Date;
}

const DAY_MILLISECONDS = 86_400_000;

/** Of the purposes where it matters how long ago a person said something: those with `validity` or `ask_again`. */
export async function agesOf(
  db: Database,
  { organizationId, subject, bits, purposes, rule, at }: AgesOptions,
): Promise<ReadonlyMap<string, Age>> {
  const limited = purposes.filter(({ ask_again, validity }) => (ask_again ?? validity) !== undefined);
  if (subject === undefined || limited.length === 0) return new Map();
  const statements = (await loadStatements(db, organizationId, [subject])).get(subject) ?? [];
  const until = statements.filter((one) => one.at <= at.getTime());
  return new Map(
    limited.flatMap(({ code, ask_again: again = Infinity, validity = Infinity }) => {
      const bit = 1n << BigInt(bits.get(code) ?? 63);
      const last = lastAbout(bit, until, rule);
      if (last === undefined) return [];
      const days = (last.value & bit) === 0n ? again : Math.min(again, validity);
      const isTooOld = last.at + days * DAY_MILLISECONDS <= at.getTime();
      return [[code, { saidAt: new Date(last.at), isTooOld }] as const];
    }),
  );
}
