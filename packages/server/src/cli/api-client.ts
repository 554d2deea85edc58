import { api } from '@habeas/contract';
import { call, type ServerAddress, send, withQuery } from './http-client.ts';

/** The REST API, typed. Ids and labels go into URLs; identities only into bodies. */
export function createApiClient(server: ServerAddress) {
  const request = (id: string) => `/api/v1/requests/${encodeURIComponent(id)}`;
  const ticket = (id: string) => `/api/v1/tickets/${encodeURIComponent(id)}`;
  const post = { method: 'POST' } as const;
  return {
    server,

    createRequest: (body: typeof api.createRequestSchema._zod.input, idempotencyKey: string) =>
      call(server, {
        ...post,
        path: '/api/v1/requests',
        body,
        headers: { 'idempotency-key': idempotencyKey },
        answer: api.requestSchema,
      }),
    importRequests: async (query: Readonly<Record<string, string | number | undefined>>, body: Uint8Array) =>
      api.importResultSchema.parse(
        await (
          await send(server, {
            ...post,
            path: withQuery('/api/v1/requests:import', query),
            headers: { 'content-type': 'text/csv', accept: 'application/json' },
            body,
          })
        ).json(),
      ),
    importConsent: async (
      query: Readonly<Record<string, string | number | undefined>>,
      { body, type }: { readonly body: Uint8Array; readonly type: string },
    ) =>
      api.consentImportResultSchema.parse(
        await (
          await send(server, {
            ...post,
            path: withQuery('/api/v1/consent:import', query),
            headers: { 'content-type': type, accept: 'application/json' },
            body,
          })
        ).json(),
      ),
    exportConsent: (body: typeof api.exportConsentSchema._zod.input) =>
      send(server, {
        ...post,
        path: '/api/v1/consent-exports',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    getConsentExport: (id: string) =>
      call(server, {
        path: `/api/v1/consent-exports/${encodeURIComponent(id)}`,
        answer: api.consentExportSchema,
      }),
    listRequests: (query: PageQuery<'state' | 'right'>) =>
      call(server, { path: '/api/v1/requests', query, answer: api.requestPageSchema }),
    getRequest: (id: string) => call(server, { path: request(id), answer: api.requestSchema }),
    getPlan: (id: string) => call(server, { path: `${request(id)}/plan`, answer: api.planSchema }),
    getReceipt: (id: string) => call(server, { path: `${request(id)}/receipt`, answer: api.receiptSchema }),
    listJobs: async () => (await call(server, { path: '/api/v1/jobs', answer: api.jobListSchema })).items,
    recordJobRun: (body: api.RecordJobRun) =>
      call(server, { ...post, path: '/api/v1/job-runs', body, answer: api.jobRunReceiptSchema }),
    getJobRunReceipt: (id: string) =>
      call(server, {
        path: `/api/v1/job-runs/${encodeURIComponent(id)}/receipt`,
        answer: api.jobRunReceiptSchema,
      }),
    getCheckpoint: async () =>
      (await send(server, { method: 'GET', path: '/api/v1/audit/checkpoint' })).text(),
    getVerifierKeys: async () => (await send(server, { method: 'GET', path: '/api/v1/audit/keys' })).text(),
    proveConsistency: (from: string) =>
      call(server, {
        path: '/api/v1/audit/consistency',
        query: { from },
        answer: api.consistencyProofSchema,
      }),
    listTasks: async (id: string) =>
      (await call(server, { path: `${request(id)}/tasks`, answer: api.taskListSchema })).items,
    commandRequest: (id: string, verb: RequestVerb, reason?: string) =>
      call(server, {
        ...post,
        path: `${request(id)}:${verb}`,
        ...(reason === undefined ? {} : { body: { reason } }),
        answer: api.requestSchema,
      }),
    getDeadline: (id: string) =>
      call(server, { path: `${request(id)}/deadline`, answer: api.deadlineSchema }),
    extendDeadline: (id: string, reason: (typeof api.extendSchema._zod.output)['reason']) =>
      call(server, { ...post, path: `${request(id)}:extend`, body: { reason }, answer: api.deadlineSchema }),
    stopClock: (id: string, reason: (typeof api.stopClockSchema._zod.output)['reason']) =>
      call(server, {
        ...post,
        path: `${request(id)}:stop-clock`,
        body: { reason },
        answer: api.deadlineSchema,
      }),
    moveClock: (id: string, verb: 'resume-clock' | 'acknowledge') =>
      call(server, { ...post, path: `${request(id)}:${verb}`, answer: api.deadlineSchema }),
    getVerification: (id: string) =>
      call(server, { path: `${request(id)}/verification`, answer: api.verificationSchema }),
    listPersonMails: async (id: string) =>
      (await call(server, { path: `${request(id)}/mails`, answer: api.personMailListSchema })).items,
    recordBounce: async (message: string) => {
      const headers = { 'content-type': 'message/rfc822' };
      const path = '/api/v1/mails:bounce';
      const answer = await send(server, { ...post, path, headers, body: message });
      return api.bounceOutcomeSchema.parse(await answer.json());
    },
    placeHold: (body: typeof api.placeHoldSchema._zod.input) =>
      call(server, { ...post, path: '/api/v1/legal-holds', body, answer: api.legalHoldSchema }),
    listHolds: (query: PageQuery<never>) =>
      call(server, { path: '/api/v1/legal-holds', query, answer: api.legalHoldPageSchema }),
    getHold: (id: string) =>
      call(server, { path: `/api/v1/legal-holds/${encodeURIComponent(id)}`, answer: api.legalHoldSchema }),
    releaseHold: (id: string, reason: string) =>
      call(server, {
        ...post,
        path: `/api/v1/legal-holds/${encodeURIComponent(id)}:release`,
        body: { reason },
        answer: api.legalHoldSchema,
      }),
    retryTask: (id: string, taskId: string) =>
      call(server, {
        ...post,
        path: `${request(id)}/tasks/${encodeURIComponent(taskId)}:retry`,
        answer: api.taskSchema,
      }),
    skipTask: (id: string, taskId: string, reason: string) =>
      call(server, {
        ...post,
        path: `${request(id)}/tasks/${encodeURIComponent(taskId)}:skip`,
        body: { reason },
        answer: api.taskSchema,
      }),
    /** The zip, or the sealed file, as it comes. */
    openPackage: (id: string, form: api.PackageForm) =>
      send(server, { method: 'GET', path: withQuery(`${request(id)}/package`, { form }) }),
    makePackageLink: (id: string, body: typeof api.makePackageLinkSchema._zod.input) =>
      call(server, { ...post, path: `${request(id)}/package:link`, body, answer: api.packageLinkSchema }),
    revokePackageLinks: (id: string) =>
      call(server, { ...post, path: `${request(id)}/package:revoke-links`, answer: api.revokedLinksSchema }),
    getPackageKey: (id: string) =>
      call(server, { ...post, path: `${request(id)}/package:key`, answer: api.packageKeySchema }),
    sendPackageCode: (token: string) =>
      call(server, {
        ...post,
        path: '/api/v1/package-links:code',
        body: { token },
        answer: api.sentCodeSchema,
      }),
    openPackageLink: (token: string, code: string) =>
      call(server, {
        ...post,
        path: '/api/v1/package-links:open',
        body: { token, code },
        answer: api.openedLinkSchema,
      }),
    /** The zip, as it comes, for the secret that opening gave. */
    downloadByLink: (id: string, secret: string) =>
      send(
        { ...server, key: secret },
        { method: 'GET', path: `/api/v1/package-downloads/${encodeURIComponent(id)}` },
      ),

    previewPlan: (body: typeof api.previewPlanSchema._zod.input) =>
      call(server, { ...post, path: '/api/v1/plans', body, answer: api.planSchema }),

    listTickets: (query: PageQuery<'team' | 'state'>) =>
      call(server, { path: '/api/v1/tickets', query, answer: api.ticketPageSchema }),
    getTicket: (id: string) => call(server, { path: ticket(id), answer: api.ticketDetailSchema }),
    closeTicket: (id: string, body: typeof api.closeTicketSchema._zod.input) =>
      call(server, { ...post, path: `${ticket(id)}:close`, body, answer: api.ticketSchema }),
    rejectTicket: (id: string, reason: string) =>
      call(server, { ...post, path: `${ticket(id)}:reject`, body: { reason }, answer: api.ticketSchema }),

    listWebhooks: async () =>
      (await call(server, { path: '/api/v1/webhooks', answer: api.webhookListSchema })).items,
    enableWebhook: async (receiver: string) =>
      (
        await call(server, {
          ...post,
          path: '/api/v1/webhooks:enable',
          body: { receiver },
          answer: api.webhookListSchema,
        })
      ).items,
    listConsentDestinations: async () =>
      (
        await call(server, {
          path: '/api/v1/consent/propagation',
          answer: api.consentDestinationListSchema,
        })
      ).items,
    listConsentMessages: async (query: typeof api.consentMessagesQuerySchema._zod.output) =>
      (
        await call(server, {
          path: '/api/v1/consent/propagation/messages',
          query,
          answer: api.consentMessageListSchema,
        })
      ).items,
    retryConsentPropagation: (body: typeof api.retryPropagationSchema._zod.input) =>
      call(server, {
        ...post,
        path: '/api/v1/consent/propagation:retry',
        body,
        answer: api.propagatedSchema,
      }),
    listDeadLetters: async (query: typeof api.deadLettersQuerySchema._zod.output) =>
      (await call(server, { path: '/api/v1/dead-letters', query, answer: api.deadLetterListSchema })).items,
    replayDeadLetters: (body: typeof api.replaySchema._zod.input) =>
      call(server, { ...post, path: '/api/v1/dead-letters:replay', body, answer: api.replayedSchema }),
    listPauses: async () =>
      (await call(server, { path: '/api/v1/pauses', answer: api.pauseListSchema })).items,
    pause: async (body: typeof api.createPauseSchema._zod.input) =>
      (await call(server, { ...post, path: '/api/v1/pauses', body, answer: api.pauseListSchema })).items,
    resume: async (body: typeof api.resumeSchema._zod.input) =>
      (await call(server, { ...post, path: '/api/v1/pauses:resume', body, answer: api.pauseListSchema }))
        .items,

    getMap: (query: typeof api.mapQuerySchema._zod.output = {}) =>
      call(server, { path: '/api/v1/map', query, answer: api.mapSchema }),
    /** The file, as it comes. */
    openMapExport: (query: Readonly<Record<string, string | undefined>>) =>
      send(server, { method: 'GET', path: withQuery('/api/v1/map/export', query) }),
    pushDeclarations: (body: api.Push) =>
      call(server, { method: 'POST', path: '/api/v1/declarations', body, answer: api.pushedSchema }),
    getReach: (direction: 'upstream' | 'downstream', query: api.ReachQuery) =>
      call(server, { path: `/api/v1/map/${direction}`, query, answer: api.reachSchema }),
    getPaths: (query: api.PathsQuery) =>
      call(server, { path: '/api/v1/map/paths', query, answer: api.pathsSchema }),
    getImpact: (query: api.ReachQuery) =>
      call(server, { path: '/api/v1/map/impact', query, answer: api.impactSchema }),
    listImpacts: (query: api.MapFilter) =>
      call(server, { path: '/api/v1/map/impacts', query, answer: api.impactListSchema }),
    listGaps: (query: api.MapFilter = {}) =>
      call(server, { path: '/api/v1/gaps', query, answer: api.gapListSchema }),
    getHolders: (dataType: string) =>
      call(server, { path: `/api/v1/holders/${encodeURIComponent(dataType)}`, answer: api.holdersSchema }),
    listServices: async () =>
      (await call(server, { path: '/api/v1/services', answer: api.serviceListSchema })).items,
    listClients: async () =>
      (await call(server, { path: '/api/v1/clients', answer: api.clientListSchema })).items,
    decideClient: (id: string, verb: 'approve' | 'reject') =>
      call(server, {
        ...post,
        path: `/api/v1/clients/${encodeURIComponent(id)}:${verb}`,
        answer: api.clientSchema,
      }),
    listPublicKeys: async () =>
      (await call(server, { path: '/api/v1/public-keys', answer: api.publicKeyListSchema })).items,
    listConnections: async () =>
      (await call(server, { path: '/api/v1/connections', answer: api.connectionListSchema })).items,
    listKeys: async () =>
      (await call(server, { path: '/api/v1/api-keys', answer: api.apiKeyListSchema })).items,
    createKey: (body: typeof api.createApiKeySchema._zod.input) =>
      call(server, { ...post, path: '/api/v1/api-keys', body, answer: api.newApiKeySchema }),
    revokeKey: (id: string) =>
      call(server, {
        method: 'DELETE',
        path: `/api/v1/api-keys/${encodeURIComponent(id)}`,
        answer: api.apiKeySchema,
      }),
    listMembers: async () =>
      (await call(server, { path: '/api/v1/members', answer: api.memberListSchema })).items,
    inviteMember: (body: typeof api.inviteMemberSchema._zod.input) =>
      call(server, { ...post, path: '/api/v1/members', body, answer: api.memberSchema }),
    changeMember: (id: string, body: api.ChangeMember) =>
      call(server, {
        method: 'PATCH',
        path: `/api/v1/members/${encodeURIComponent(id)}`,
        body,
        answer: api.memberSchema,
      }),
    removeMember: async (id: string) =>
      void (await send(server, { method: 'DELETE', path: `/api/v1/members/${encodeURIComponent(id)}` })),
    listPartners: async () =>
      (await call(server, { path: '/api/v1/partners', answer: api.partnerListSchema })).items,
    registerController: (body: typeof api.createControllerSchema._zod.input) =>
      call(server, { ...post, path: '/api/v1/partners/controllers', body, answer: api.newControllerSchema }),
    registerAgents: async (body: typeof api.registerAgentsSchema._zod.input) =>
      (await call(server, { ...post, path: '/api/v1/partners/agents', body, answer: api.partnerListSchema }))
        .items,
    allowCallbacks: (id: string, body: typeof api.allowCallbacksSchema._zod.input) =>
      call(server, {
        ...post,
        path: `/api/v1/partners/${encodeURIComponent(id)}:allow-callbacks`,
        body,
        answer: api.partnerSchema,
      }),
    revokePartner: (id: string) =>
      call(server, {
        method: 'DELETE',
        path: `/api/v1/partners/${encodeURIComponent(id)}`,
        answer: api.partnerSchema,
      }),
    listAudit: (query: PageQuery<'subject' | 'request'>) =>
      call(server, { path: '/api/v1/audit', query, answer: api.auditPageSchema }),
  };
}

export type ApiClient = ReturnType<typeof createApiClient>;

export type RequestVerb = 'cancel' | 'hold' | 'reject' | 'release' | 'approve' | 'verify' | 'appeal';

type PageQuery<Filter extends string> = {
  readonly [name in Filter | 'cursor']?: string | undefined;
} & { readonly limit?: number | undefined };
