import { api } from '@habeas/contract';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';

/** `/api/v1/plans`: what a request would do, without making one. */
export function planRoutes(app: HttpServer, { requests }: Pick<Application, 'requests'>): void {
  app.post('/api/v1/plans', {
    schema: {
      ...operation({
        id: 'previewPlan',
        tag: 'Plans',
        summary: 'Show what a request would do',
        description: 'Takes types of identities only; nobody is named and nothing is stored.',
      }),
      body: api.previewPlanSchema,
      response: {
        200: api.planSchema.describe('The plan that such a request would get'),
        ...problems(['BAD_INPUT']),
      },
    },
    handler: (request) => {
      const { right, identity_types: identityTypes, dry_run: dryRun, regime, ...more } = request.body;
      const { subject_kind: subjectKind, targets, purposes, lift } = more;
      const ask = { right, identityTypes, dryRun, regime, subjectKind, targets, purposes, lift };
      return requests.preview(callerOf(request), ask);
    },
  });
}
