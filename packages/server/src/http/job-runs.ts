import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';
import { jobRunIdParams } from './params.ts';

/** `/api/v1/jobs` and `/api/v1/job-runs`. */
export function jobRunRoutes(app: HttpServer, { jobRuns }: Pick<Application, 'jobRuns'>): void {
  app.get('/api/v1/jobs', {
    schema: {
      ...operation({
        id: 'listJobs',
        tag: 'Consent',
        summary: 'List jobs with their purposes',
        description:
          'Each job that ever ran, for each purpose and target that it ran for, and each file of the folder of jobs that never ran.',
      }),
      response: { 200: api.jobListSchema.describe('All jobs'), ...problems() },
    },
    handler: async (request) => ({ items: [...(await jobRuns.list(callerOf(request).organizationId))] }),
  });

  app.post('/api/v1/job-runs', {
    schema: {
      ...operation({
        id: 'recordJobRun',
        tag: 'Consent',
        summary: 'Note what a job did, and get a signed receipt',
        description: '`habeas job run` calls this before anything that the job wrote is there.',
      }),
      body: api.recordJobRunSchema,
      response: {
        200: api.jobRunReceiptSchema.describe('The receipt, not yet with a proof of the log'),
        ...problems(['BAD_INPUT', 'NOT_FOUND']),
      },
    },
    handler: (request) => jobRuns.record(callerOf(request), request.body),
  });

  app.get('/api/v1/job-runs/:id/receipt', {
    schema: {
      ...operation({
        id: 'getJobRunReceipt',
        tag: 'Consent',
        summary: 'Get the signed receipt of a run of a job',
      }),
      params: jobRunIdParams,
      response: {
        200: api.jobRunReceiptSchema.describe('The receipt, with the proof that the log has it'),
        ...problems(['NOT_FOUND']),
      },
    },
    handler: (request) => jobRuns.receipt(callerOf(request).organizationId, request.params.id),
  });
}
