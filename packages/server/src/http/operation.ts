import { api } from '@habeas/contract';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { ErrorCode } from '../foundation/index.ts';
import { codesByStatus, PROBLEM_TYPE } from './problem.ts';

/** A Fastify server whose routes take their types from zod schemas. */
export type HttpServer = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

export const TAGS = {
  Requests: 'What people asked for, from intake to receipt',
  People: 'They ask without an API key, and prove who they are',
  Tasks: 'The steps of a request, one system each',
  Plans: 'What a request would do, before it is made',
  Policy: 'Who waits, who approves, what is kept: the rules and what they say of a case',
  'Legal holds': 'What must not be destroyed, whoever asks for it',
  Pauses: 'The switch that stops work',
  Tickets: 'Work for teams whose systems Habeas cannot act on',
  'Processing choices':
    'What the data of people may not be used for, for services that ask before they use it',
  Consent: 'What people agreed to, by purpose',
  Map: 'Who holds and who moves which personal data',
  Catalog: 'Which fields of which systems hold what, and who owns them',
  Clients: 'Addresses that teams published; nothing is sent there before somebody approved it',
  Connections: 'Systems that Habeas acts on by itself',
  Partners:
    "Other organizations' systems that send requests: OpenDSR controllers, Data Rights Protocol agents",
  Webhooks: 'Who is told what happens, and what they did not take',
  Keys: 'Who may call: API keys, of which only hashes are stored',
  Members: 'People who sign in by themselves',
  Sessions: 'How a browser signs in',
  Audit: 'Who did what, when',
  Events: 'What happens, as it happens',
  Server: 'The server itself',
} as const;

export interface OperationOptions {
  /** Name of the operation in generated clients: `createRequest`. Unique. */
  readonly id: string;
  readonly tag: keyof typeof TAGS;
  /** One line: what it does. */
  readonly summary: string;
  readonly description?: string;
  /** Errors besides the ones that every operation has. */
  readonly errors?: readonly ErrorCode[];
  /** Reachable without a key. (Default: false) */
  readonly open?: boolean;
}

/** Errors that any operation that needs a key may answer. */
const COMMON: readonly ErrorCode[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'TOO_MANY_REQUESTS', 'INTERNAL'];
const COMMON_OPEN: readonly ErrorCode[] = ['TOO_MANY_REQUESTS', 'INTERNAL'];

/** The part of a route's schema that says what the operation is, for the OpenAPI document. */
export function operation(options: OperationOptions) {
  return {
    operationId: options.id,
    tags: [options.tag],
    summary: options.summary,
    ...(options.description === undefined ? {} : { description: options.description }),
    ...(options.open === true ? { security: [] } : {}),
  };
}

/** The error answers of an operation by status: each a problem document that says in words which codes it may have. */
export function problems(codes: readonly ErrorCode[] = [], options: { readonly open?: boolean } = {}) {
  const all = new Set([...codes, ...(options.open === true ? COMMON_OPEN : COMMON)]);
  const answers: Record<`${4 | 5}${string}`, ProblemAnswer> = {};
  for (const [status, names] of codesByStatus([...all])) {
    const key: `${4 | 5}${string}` =
      status < 500 ? `4${String(status).slice(1)}` : `5${String(status).slice(1)}`;
    answers[key] = {
      description: names.map((name) => `\`${name}\``).join(', '),
      content: { [PROBLEM_TYPE]: { schema: api.problemSchema } },
    };
  }
  return answers;
}

interface ProblemAnswer {
  readonly description: string;
  readonly content: Record<string, { readonly schema: typeof api.problemSchema }>;
}
