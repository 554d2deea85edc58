import { api } from '@habeas/contract';
import * as z from 'zod';
import { type AuditEntry, listAudit } from '../audit/index.ts';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';

const querySchema = api.listAuditQuerySchema.extend({
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, 'a cursor of an earlier answer')
    .optional(),
});

/** `/api/v1/audit`: who did what, newest first. */
export function auditRoutes(app: HttpServer, { db }: Pick<Application, 'db'>): void {
  app.get('/api/v1/audit', {
    schema: {
      ...operation({
        id: 'listAudit',
        tag: 'Audit',
        summary: 'List the entries of the audit log, newest first',
      }),
      querystring: querySchema,
      response: { 200: api.auditPageSchema.describe('A page of entries'), ...problems(['BAD_INPUT']) },
    },
    handler: async (request) => {
      const { subject, request: about, cursor, limit } = request.query;
      const entries = await listAudit(db, {
        organizationId: callerOf(request).organizationId,
        subject,
        request: about,
        before: cursor === undefined ? undefined : Number(cursor),
        limit,
      });
      const last = entries.length === limit ? entries.at(-1) : undefined;
      return { items: entries.map(toView), next: last === undefined ? null : String(last.sequence) };
    },
  });
}

function toView(entry: AuditEntry): api.AuditEntryView {
  const { id, sequence, at, actor, action, subject, details } = entry;
  return { id, sequence, at: at.toISOString(), actor, action, subject, details: { ...details } };
}
