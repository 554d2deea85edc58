import { type Clock, type Database, HabeasError, type Logger, pause } from '../foundation/index.ts';
import { auditFrontier } from './append-audit.ts';
import { parseTrust, type TrustedKey } from './habeas-verify.mjs';
import { integrate } from './integrate.ts';
import { type SignLog, verifierKey } from './note.ts';
import { type EntryProof, type PublishedLog, publishedLog } from './serve-log.ts';
import { signCheckpoint } from './sign-checkpoint.ts';
import type { AuditTables } from './tables.ts';

export interface CreateAuditLogOptions {
  readonly db: Database;
  readonly organizationId: string;
  /** Names the log in its checkpoints; kept from its first entry on. */
  readonly origin: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sign: SignLog;
  /** The public keys (32 bytes each) that this organization ever signed with, newest first. */
  readonly publicKeys: () => Promise<readonly Uint8Array[]>;
  /** The newest checkpoints that were published; see {@link SignCheckpointOptions.published}. Asked until it answers, then no more. (Default: none) */
  readonly published?: (() => Promise<readonly string[]>) | undefined;
  /** How often new entries are looked for. (Default: 1 second) */
  readonly everyMilliseconds?: number | undefined;
  /** How long a transaction may hold the log back before it is said. (Default: 1 minute) */
  readonly warnAfterMilliseconds?: number | undefined;
}

/** The audit entries of one organization as a Merkle log, and who keeps it up. */
export interface AuditLog extends PublishedLog {
  /** Takes what is settled into the tree and signs it; gives the newest checkpoint, a signed note. */
  advance(): Promise<string>;
  /**
   * Proves an entry that was committed just now: advances the log until it has the entry, for a second at most. Undefined: a
   * transaction that began before it goes on for longer, or the log cannot be advanced now. Throws NOT_FOUND.
   */
  proveNow(sequence: number): Promise<EntryProof | undefined>;
  /** The keys by which checkpoints and receipts are verified: `name+id+base64`, newest first. */
  verifierKeys(): Promise<readonly string[]>;
  /** Advances the log whenever entries came. */
  start(): void;
  stop(): Promise<void>;
}

const EVERY_MILLISECONDS = 1_000;
const WARN_AFTER_MILLISECONDS = 60_000;

/** How often and how long somebody who asks waits for transactions that began before. */
const LOOKS = 20;
const LOOK_MILLISECONDS = 50;

/** Throws CONFIG_INVALID, from the first act on, if the log was begun with another origin. */
export function createAuditLog(options: CreateAuditLogOptions): AuditLog {
  const { db, organizationId, logger, everyMilliseconds = EVERY_MILLISECONDS } = options;
  const warnAfter = options.warnAfterMilliseconds ?? WARN_AFTER_MILLISECONDS;
  const stopping = new AbortController();
  let published: readonly string[] | undefined;
  let running: Promise<void> | undefined;

  const verifierKeys = async () => {
    const origin = await originOf(options);
    return (await options.publicKeys()).map((key) => verifierKey(origin, key));
  };
  const ownKeys = async (): Promise<readonly TrustedKey[]> => parseTrust((await verifierKeys()).join('\n'));
  const advance = async () => {
    await originOf(options);
    await integrate(options);
    published ??= (await options.published?.()) ?? [];
    return signCheckpoint({ ...options, ownKeys, published });
  };

  let warnedAt = 0;
  /** An operator can end what nobody else can: a transaction that runs on and on. */
  const warnOfHolding = async (): Promise<void> => {
    const now = options.clock.now().getTime();
    if (now - warnedAt < warnAfter) return;
    const [oldest] = await auditFrontier.holding(db);
    if (oldest === undefined || oldest.seconds * 1_000 < warnAfter) return;
    warnedAt = now;
    logger.warn(
      { ...oldest, seconds: Math.round(oldest.seconds) },
      'a transaction has been open for so long that newer audit entries wait for it; if it does not end, end it with pg_terminate_backend',
    );
  };

  async function keepUp(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        if (await hasNews(db, organizationId)) {
          await advance();
          await warnOfHolding();
        }
      } catch (error) {
        logger.warn({ err: error }, 'the audit log did not advance; it is tried again');
      }
      await pause(everyMilliseconds, stopping.signal);
    }
  }

  const shown = publishedLog(db, organizationId);

  async function proveNow(sequence: number): Promise<EntryProof | undefined> {
    for (let look = 0; look < LOOKS; look += 1) {
      const found = await shown.proveEntry(sequence);
      if (found !== undefined) return found;
      if (look > 0) await pause(LOOK_MILLISECONDS, stopping.signal);
      try {
        await advance();
      } catch (error) {
        logger.warn({ err: error }, 'the audit log did not advance, so a proof is missing');
        return undefined;
      }
    }
    return shown.proveEntry(sequence);
  }

  return {
    ...shown,
    proveNow,
    advance,
    verifierKeys,
    start() {
      running ??= keepUp();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** Whether there are entries that the newest checkpoint does not have; or no checkpoint yet. */
async function hasNews(db: Database, organizationId: string): Promise<boolean> {
  const tables = db.withTables<AuditTables>();
  const log = await tables
    .selectFrom('audit_logs')
    .select(['size', 'integrated_to', 'checkpoint_size'])
    .where('organization_id', '=', organizationId)
    .executeTakeFirst();
  if (log === undefined || log.size !== log.checkpoint_size) return true;
  const entry = await tables
    .selectFrom('audit_entries')
    .select('sequence')
    .where('organization_id', '=', organizationId)
    .where('sequence', '>', log.integrated_to)
    .limit(1)
    .executeTakeFirst();
  return entry !== undefined;
}

/** The name under which the log was begun, or will be. */
async function originOf({
  db,
  organizationId,
  origin,
}: Pick<CreateAuditLogOptions, 'db' | 'organizationId' | 'origin'>): Promise<string> {
  const log = await db
    .withTables<AuditTables>()
    .selectFrom('audit_logs')
    .select('origin')
    .where('organization_id', '=', organizationId)
    .executeTakeFirst();
  if (log !== undefined && log.origin !== origin)
    throw new HabeasError(
      'CONFIG_INVALID',
      `The audit log of ${organizationId} was begun as ${log.origin}, and audit.origin is ${origin} now. Whoever verifies it knows it by the first name: set audit.origin to it.`,
    );
  return origin;
}
