import { type Clock, type Database, HabeasError, type Logger, pause } from '../foundation/index.ts';
import { assignBits, type Purpose, type PurposeBits } from './purposes/index.ts';
import {
  isAnyDue,
  loadStatements,
  type MergeRule,
  noteValidities,
  saveSignatures,
  takeExpired,
  takeTurn,
  type Validity,
} from './record/index.ts';
import { inTurn } from './take-together.ts';

/** Makes signatures anew of which an agreement has expired, so that whoever follows changes is told of it. */
export interface ConsentExpiry {
  /** Resolves when it has begun. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Does what is due now, and gives of how many people. */
  expire(): Promise<number>;
}

export interface ConsentExpiryOptions {
  readonly db: Database;
  readonly organizationId: string;
  readonly purposes: readonly Purpose[];
  readonly rule: MergeRule;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often it is looked. (Default: 1000) */
  readonly everyMilliseconds?: number;
}

const DAY_MILLISECONDS = 86_400_000;
const EVERY_MILLISECONDS = 1_000;
/** Writers of signals wait while so many are made anew. */
const PEOPLE_AT_ONCE = 1_000;

/** How long agreements count, by their purposes' bits. */
export function validitiesOf(purposes: readonly Purpose[], bits: PurposeBits): readonly Validity[] {
  return purposes.flatMap(({ code, validity: days }) =>
    days === undefined
      ? []
      : [{ mask: 1n << BigInt(bits.get(code) ?? 63), milliseconds: days * DAY_MILLISECONDS }],
  );
}

export function createConsentExpiry(options: ConsentExpiryOptions): ConsentExpiry {
  const { db, organizationId, purposes, rule, clock, logger } = options;
  const closing = new AbortController();
  let running: Promise<void> | undefined;
  const codes = purposes.map(({ code }) => code);
  let assigned: PurposeBits | undefined;

  async function bitsOf(): Promise<PurposeBits> {
    assigned ??= await assignBits(db, organizationId, codes);
    return assigned;
  }

  async function expire(): Promise<number> {
    const validities = validitiesOf(purposes, await bitsOf());
    let people = 0;
    for (;;) {
      const now = clock.now();
      if (!(await isAnyDue(db, organizationId, now))) return people;
      const taken = await inTurn(db, async (transaction) => {
        await takeTurn(transaction, organizationId);
        const subjects = await takeExpired(transaction, organizationId, { now, limit: PEOPLE_AT_ONCE });
        const statements = await loadStatements(transaction, organizationId, subjects);
        const counting = { rule, validities, now: now.getTime() };
        await saveSignatures(transaction, organizationId, statements, counting);
        return subjects.length;
      });
      people += taken;
    }
  }

  async function keepExpiring(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await expire();
      } catch (reason) {
        const { code, message } = HabeasError.from(reason);
        logger.error({ code, reason: message }, 'agreements that have expired still count in databases');
      }
      await pause(options.everyMilliseconds ?? EVERY_MILLISECONDS, closing.signal);
    }
  }

  return {
    expire,
    async start() {
      const bits = await bitsOf();
      const days = new Map(
        purposes.flatMap(({ code, validity }) =>
          validity === undefined ? [] : [[bits.get(code) ?? 63, validity] as const],
        ),
      );
      await db
        .transaction()
        .execute((transaction) =>
          noteValidities(transaction, organizationId, { days, rule, now: clock.now() }),
        );
      running ??= keepExpiring();
    },
    async stop() {
      closing.abort();
      await running;
    },
  };
}
