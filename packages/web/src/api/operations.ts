import * as api from '@habeas/contract/api';
import * as z from 'zod';
import { define } from './define.ts';

/*
 * Every operation that the dashboard calls, with the contract's own schemas. A test compares them with the OpenAPI document.
 */

export const getSession = define('GET', '/api/v1/session', { reply: api.sessionSchema, quiet: true });
export const listWaysToSignIn = define('GET', '/api/v1/sign-in', {
  reply: api.waysToSignInSchema,
  quiet: true,
});
export const startSession = define('POST', '/api/v1/session', {
  body: api.startSessionSchema,
  reply: api.sessionSchema,
  quiet: true,
});
export const confirmSession = define('POST', '/api/v1/session:confirm', {
  body: api.startSessionSchema,
  reply: api.sessionSchema,
  quiet: true,
});
export const endSession = define('DELETE', '/api/v1/session', { quiet: true });

const requestReply = { reply: api.requestSchema };
const withReason = { body: api.reasonSchema, ...requestReply };

export const listRequests = define('GET', '/api/v1/requests', {
  query: api.listRequestsQuerySchema,
  reply: api.requestPageSchema,
});
export const getRequest = define('GET', '/api/v1/requests/{id}', requestReply);
export const getRequestPlan = define('GET', '/api/v1/requests/{id}/plan', { reply: api.planSchema });
export const getReceipt = define('GET', '/api/v1/requests/{id}/receipt', { reply: api.receiptSchema });
export const listTasks = define('GET', '/api/v1/requests/{id}/tasks', { reply: api.taskListSchema });
export const approveRequest = define('POST', '/api/v1/requests/{id}:approve', requestReply);
export const rejectRequest = define('POST', '/api/v1/requests/{id}:reject', withReason);
export const cancelRequest = define('POST', '/api/v1/requests/{id}:cancel', withReason);
export const holdRequest = define('POST', '/api/v1/requests/{id}:hold', withReason);
export const releaseRequest = define('POST', '/api/v1/requests/{id}:release', requestReply);
export const appealRequest = define('POST', '/api/v1/requests/{id}:appeal', requestReply);
export const retryTask = define('POST', '/api/v1/requests/{id}/tasks/{taskId}:retry', {
  reply: api.taskSchema,
});
export const skipTask = define('POST', '/api/v1/requests/{id}/tasks/{taskId}:skip', {
  body: api.reasonSchema,
  reply: api.taskSchema,
});

const deadlineReply = { reply: api.deadlineSchema };
export const getDeadline = define('GET', '/api/v1/requests/{id}/deadline', deadlineReply);
export const extendDeadline = define('POST', '/api/v1/requests/{id}:extend', {
  body: api.extendSchema,
  ...deadlineReply,
});
export const stopClock = define('POST', '/api/v1/requests/{id}:stop-clock', {
  body: api.stopClockSchema,
  ...deadlineReply,
});
export const resumeClock = define('POST', '/api/v1/requests/{id}:resume-clock', deadlineReply);
export const acknowledgeRequest = define('POST', '/api/v1/requests/{id}:acknowledge', deadlineReply);

export const pause = define('POST', '/api/v1/pauses', {
  body: api.createPauseSchema,
  reply: api.pauseListSchema,
});
export const listAudit = define('GET', '/api/v1/audit', {
  query: api.listAuditQuerySchema,
  reply: api.auditPageSchema,
});
export const getVerifierKeys = define('GET', '/api/v1/audit/keys', { reply: z.string() });

export const listTickets = define('GET', '/api/v1/tickets', {
  query: api.listTicketsQuerySchema,
  reply: api.ticketPageSchema,
});
export const getTicket = define('GET', '/api/v1/tickets/{id}', { reply: api.ticketDetailSchema });
export const closeTicket = define('POST', '/api/v1/tickets/{id}:close', {
  body: api.closeTicketSchema,
  reply: api.ticketSchema,
});
export const reassignTicket = define('POST', '/api/v1/tickets/{id}:reassign', {
  body: api.reassignTicketSchema,
  reply: api.ticketSchema,
});
export const rejectTicket = define('POST', '/api/v1/tickets/{id}:reject', {
  body: api.reasonSchema,
  reply: api.ticketSchema,
});

export const listGaps = define('GET', '/api/v1/gaps', {
  query: api.gapListQuerySchema,
  reply: api.gapListSchema,
});
const gapReply = { reply: api.gapSchema };
export const approveGap = define('POST', '/api/v1/gaps/{id}:approve', {
  body: api.approveGapSchema,
  ...gapReply,
});
export const rejectGap = define('POST', '/api/v1/gaps/{id}:reject', { body: api.reasonSchema, ...gapReply });
export const reopenGap = define('POST', '/api/v1/gaps/{id}:reopen', { body: api.reasonSchema, ...gapReply });
export const listClients = define('GET', '/api/v1/clients', { reply: api.clientListSchema });
const clientDecision = { body: api.decideClientSchema, reply: api.clientSchema };
export const approveClient = define('POST', '/api/v1/clients/{id}:approve', clientDecision);
export const rejectClient = define('POST', '/api/v1/clients/{id}:reject', clientDecision);
export const listFailingSystems = define('GET', '/api/v1/failing-systems', {
  reply: api.failingSystemListSchema,
});
export const listPauses = define('GET', '/api/v1/pauses', { reply: api.pauseListSchema });
export const resume = define('POST', '/api/v1/pauses:resume', {
  body: api.resumeSchema,
  reply: api.pauseListSchema,
});
export const listWebhooks = define('GET', '/api/v1/webhooks', { reply: api.webhookListSchema });
export const listConnections = define('GET', '/api/v1/connections', { reply: api.connectionListSchema });
export const checkConnection = define('POST', '/api/v1/connections/{key}:check', {
  reply: api.healthReportSchema,
});

export const getMap = define('GET', '/api/v1/map', { query: api.mapQuerySchema, reply: api.mapSchema });
export const getDownstream = define('GET', '/api/v1/map/downstream', {
  query: api.reachQuerySchema,
  reply: api.reachSchema,
});

export const listCatalog = define('GET', '/api/v1/catalog', {
  query: api.listCatalogQuerySchema,
  reply: api.catalogPageSchema,
});

export const listApiKeys = define('GET', '/api/v1/api-keys', { reply: api.apiKeyListSchema });
export const createApiKey = define('POST', '/api/v1/api-keys', {
  body: api.createApiKeySchema,
  reply: api.newApiKeySchema,
});
export const revokeApiKey = define('DELETE', '/api/v1/api-keys/{id}', { reply: api.apiKeySchema });
export const listMembers = define('GET', '/api/v1/members', { reply: api.memberListSchema });
export const inviteMember = define('POST', '/api/v1/members', {
  body: api.inviteMemberSchema,
  reply: api.memberSchema,
});
export const changeMember = define('PATCH', '/api/v1/members/{id}', {
  body: api.changeMemberSchema,
  reply: api.memberSchema,
});
export const removeMember = define('DELETE', '/api/v1/members/{id}');

export const listLegalHolds = define('GET', '/api/v1/legal-holds', {
  query: api.listLegalHoldsQuerySchema,
  reply: api.legalHoldPageSchema,
});
export const placeLegalHold = define('POST', '/api/v1/legal-holds', {
  body: api.placeHoldSchema,
  reply: api.legalHoldSchema,
});
export const releaseLegalHold = define('POST', '/api/v1/legal-holds/{id}:release', {
  body: api.reasonSchema,
  reply: api.legalHoldSchema,
});

export const getPolicy = define('GET', '/api/v1/policy', { reply: api.policySchema });
export const explainPolicy = define('GET', '/api/v1/policy/explanation', {
  query: api.explainPolicyQuerySchema,
  reply: api.policyExplanationSchema,
});

export const listPurposes = define('GET', '/api/v1/purposes', { reply: api.purposeListSchema });
export const listConsentDestinations = define('GET', '/api/v1/consent/propagation', {
  reply: api.consentDestinationListSchema,
});
export const retryConsentPropagation = define('POST', '/api/v1/consent/propagation:retry', {
  body: api.retryPropagationSchema,
  reply: api.propagatedSchema,
});
export const listJobs = define('GET', '/api/v1/jobs', { reply: api.jobListSchema });
export const readConsent = define('POST', '/api/v1/consent:read', {
  body: api.readConsentSchema,
  reply: api.consentViewSchema,
});
export const readConsentHistory = define('POST', '/api/v1/consent:history', {
  body: api.consentHistoryQuerySchema,
  reply: api.consentHistorySchema,
});
export const getConsentReceipt = define('POST', '/api/v1/consent:receipt', {
  body: api.consentReceiptQuerySchema,
  reply: api.consentReceiptSchema,
});
