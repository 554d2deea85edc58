import type { api } from '@habeas/contract';
import { sql } from 'kysely';
import { appendAudit, canonicalJson, type EntryProof } from '../../audit/index.ts';
import { type Clock, type Database, HabeasError, newId, sha256Hex } from '../../foundation/index.ts';
import type { DeclaredJob } from './declared-jobs.ts';

/** Runs of jobs: which state of consent each job saw, when, and for what. */
export interface JobRuns {
  /** Signs what was done, and writes its hash into the audit log in the same transaction. Throws NOT_FOUND for a purpose that is none. */
  record(caller: JobCaller, run: api.RecordJobRun): Promise<api.JobRunReceipt>;
  /** The receipt with the proof that the log has it. Throws NOT_FOUND. */
  receipt(organizationId: string, id: string): Promise<api.JobRunReceipt>;
  /** Every job for every purpose that it ever ran for, and every declared one that never ran for what it now says, by name. */
  list(organizationId: string): Promise<readonly api.JobView[]>;
}

export interface JobCaller {
  readonly organizationId: string;
  readonly actor: string;
}

export interface CreateJobRunsOptions {
  readonly db: Database;
  readonly clock: Clock;
  /** Whose purposes and jobs these are; another organization on the same server has none. */
  readonly organizationId: string;
  readonly purposes: readonly { readonly code: string }[];
  /** The files of jobs as they are now. */
  readonly declared: () => readonly DeclaredJob[];
  /** Keys of the targets: a job that names none runs in the only one. */
  readonly targets: readonly string[];
  readonly sign: (
    payload: Uint8Array,
  ) => Promise<{ readonly signature: string; readonly publicKey: Readonly<Record<string, unknown>> }>;
  /** Proves an audit entry; undefined: the log cannot have it yet. */
  readonly prove: (sequence: number) => Promise<EntryProof | undefined>;
}

export function createJobRuns(options: CreateJobRunsOptions): JobRuns {
  const { db, clock, purposes, declared, targets, sign, prove } = options;
  return {
    async record({ organizationId, actor }, run) {
      if (organizationId !== options.organizationId || !purposes.some(({ code }) => code === run.purpose))
        throw new HabeasError('NOT_FOUND', `There is no purpose ${run.purpose}.`);
      const now = clock.now();
      const id = newId('run', now);
      const receipt = {
        version: 1 as const,
        organization: organizationId,
        job_run_id: id,
        recorded_at: now.toISOString(),
        ...run,
      };
      const payload = Buffer.from(canonicalJson(receipt));
      const { signature, publicKey } = await sign(payload);
      const signed = { receipt, signature, public_key: { ...publicKey } };
      await db.transaction().execute(async (transaction) => {
        const details = { sha256: sha256Hex(payload) };
        await appendAudit(
          transaction,
          [{ organizationId, actor, action: 'receipt.signed', subject: id, details }],
          now,
        );
        await sql`
          insert into consent_job_runs (organization_id, id, job, purpose, target, recorded_at, sequence, receipt)
          select ${organizationId}, ${id}, ${run.job}, ${run.purpose}, ${run.target}, ${now}, sequence, ${JSON.stringify(signed)}
          from audit_entries where organization_id = ${organizationId} and subject = ${id}`.execute(
          transaction,
        );
      });
      return { ...signed, log: null };
    },

    async receipt(organizationId, id) {
      const { rows } = await sql<{ receipt: string; sequence: number }>`
        select receipt, sequence from consent_job_runs where organization_id = ${organizationId} and id = ${id}`.execute(
        db,
      );
      const [row] = rows;
      if (row === undefined) throw new HabeasError('NOT_FOUND', `There is no run ${id} of a job.`);
      const proved = await prove(Number(row.sequence));
      return {
        ...(JSON.parse(row.receipt) as Omit<api.JobRunReceipt, 'log'>),
        log: proved === undefined ? null : { entry: { ...proved.entry }, proof: proved.proof },
      };
    },

    async list(organizationId) {
      const { rows } = await sql<{
        job: string;
        purpose: string;
        target: string;
        runs: number;
        id: string;
        at: Date;
      }>`
        select job, purpose, target, count(*)::integer as runs, (array_agg(id order by recorded_at desc, id desc))[1] as id, max(recorded_at) as at
        from consent_job_runs where organization_id = ${organizationId}
        group by job, purpose, target order by job, purpose, target`.execute(db);
      const ran = rows.map(({ job, purpose, target, runs, id, at }) => ({
        job,
        purpose,
        target,
        runs,
        last_run_id: id,
        last_run_at: at.toISOString(),
      }));
      const never = (organizationId === options.organizationId ? declared() : [])
        .map(({ job, purpose, target }) => ({
          job,
          purpose: purpose ?? null,
          target: target ?? (targets.length === 1 ? (targets[0] ?? null) : null),
          runs: 0,
          last_run_id: null,
          last_run_at: null,
        }))
        .filter(
          (one) =>
            !ran.some(
              ({ job, purpose, target }) =>
                job === one.job && purpose === one.purpose && (one.target === null || target === one.target),
            ),
        );
      return [...ran, ...never].sort((one, other) =>
        one.job < other.job ? -1 : one.job > other.job ? 1 : 0,
      );
    },
  };
}
