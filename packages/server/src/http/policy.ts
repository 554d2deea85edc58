import { api } from '@habeas/contract';
import { explainPolicy, lintPolicy, type PolicyFinding } from '../policy/index.ts';
import type { Application } from './application.ts';
import { callerOf } from './caller.ts';
import { type HttpServer, operation, problems } from './operation.ts';

/** `/api/v1/policy`: the rules that this server works by, and what they say of a case. */
export function policyRoutes(
  app: HttpServer,
  { policy, clock }: Pick<Application, 'policy' | 'clock'>,
): void {
  app.get('/api/v1/policy', {
    schema: {
      ...operation({ id: 'getPolicy', tag: 'Policy', summary: 'Which policy this server works by' }),
      response: { 200: api.policySchema.describe('The policy'), ...problems() },
    },
    handler: async (request) => {
      callerOf(request);
      return {
        version: policy.version,
        default_regime: policy.defaultRegime,
        default_subject_kind: policy.defaultSubjectKind,
        rules: policy.rules.length,
        findings: policy.warnings.map(findingView),
      };
    },
  });

  app.get('/api/v1/policy/explanation', {
    schema: {
      ...operation({
        id: 'explainPolicy',
        tag: 'Policy',
        summary: 'What the policy says of a case, and which rule says it',
      }),
      querystring: api.explainPolicyQuerySchema,
      response: {
        200: api.policyExplanationSchema.describe('The decision, part by part'),
        ...problems(['BAD_INPUT']),
      },
    },
    handler: async (request) => {
      callerOf(request);
      const { right, category, regime, subject_kind: subjectKind } = request.query;
      return explainPolicy(policy, { right, category, regime, subjectKind, now: clock.now() });
    },
  });

  app.post('/api/v1/policy::lint', {
    schema: {
      ...operation({
        id: 'lintPolicy',
        tag: 'Policy',
        summary: 'Look for mistakes in a policy file',
        description: 'The file is looked at and not used; the server works on by its own policy.',
      }),
      body: api.lintPolicySchema,
      response: {
        200: api.policyReportSchema.describe('What was found, with its place'),
        ...problems(['BAD_INPUT', 'PAYLOAD_TOO_LARGE']),
      },
    },
    handler: async (request) => {
      callerOf(request);
      const { version, rules, findings } = lintPolicy(request.body.text, 'policy', clock.now());
      return { version, rules, findings: findings.map(findingView) };
    },
  });
}

function findingView({ severity, message, place }: PolicyFinding): api.PolicyFinding {
  return { severity, message, file: place.file, line: place.line ?? null, column: place.column ?? null };
}
