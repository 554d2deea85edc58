import { LEGAL_BASES } from './legal-words.ts';
import { type RecordFile, recordSchema } from './record-file.ts';

/** A job over rows of people, and what for. */
export interface RecordedJob {
  readonly job: string;
  /** undefined: nobody has said. */
  readonly purpose: string | undefined;
  /** The database that it runs in; undefined: nobody has said which. */
  readonly target: string | undefined;
  /** Of the purpose, as `purposes.yaml` names it. */
  readonly legalBasis: string | undefined;
  /** False: it is there, and never ran. */
  readonly hasRun: boolean;
}

/** The record with an activity for each job. They cover nothing of the map: what a job reads is held by a service that is there already. */
export function withJobs(
  record: RecordFile | undefined,
  jobs: readonly RecordedJob[],
): RecordFile | undefined {
  if (jobs.length === 0) return record;
  const base = record ?? recordSchema.parse({});
  const activities = jobs.map(({ job, purpose, target, legalBasis, hasRun }) => {
    const basis = LEGAL_BASES.find((one) => one === legalBasis?.replaceAll('_', '-'));
    return {
      name: `Job ${job}${target === undefined ? '' : ` in ${target}`}${hasRun ? '' : ' (never ran)'}`,
      ...(purpose === undefined ? {} : { purposes: [purpose] }),
      ...(basis === undefined ? {} : { legal_basis: basis }),
      measures: [
        'sees only rows of people whose data may be used for its purpose; each run has a signed receipt',
      ],
    };
  });
  return { ...base, activities: [...base.activities, ...activities] };
}
