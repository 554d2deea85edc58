import { readFileSync } from 'node:fs';
import { api } from '@habeas/contract';
import * as z from 'zod';
import { parseTilePath, verifierProgram } from '../audit/index.ts';
import { HabeasError } from '../foundation/index.ts';
import type { Application } from './application.ts';
import { type HttpServer, operation, problems } from './operation.ts';

const textSchema = z.string().meta({ contentMediaType: 'text/plain' });

const FOREVER = 'private, max-age=31536000, immutable';
const TEXT = 'text/plain; charset=utf-8';

const whole = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** `/api/v1/audit/…`: the audit log as a Merkle log, in the layout of C2SP tlog-tiles. */
export function auditLogRoutes(app: HttpServer, { auditLog }: Pick<Application, 'auditLog'>): void {
  app.get('/api/v1/audit/checkpoint', {
    schema: {
      ...operation({
        id: 'getCheckpoint',
        tag: 'Audit',
        summary: 'Get the newest checkpoint of the audit log',
        description:
          'A signed note (C2SP tlog-checkpoint): the name of the log, how many entries it has, and the root of their tree.',
      }),
      response: {
        200: { description: 'The checkpoint', content: { 'text/plain': { schema: textSchema } } },
        ...problems(['CONFLICT']),
      },
    },
    handler: async (_request, reply) =>
      reply
        .type(TEXT)
        .header('cache-control', 'no-store')
        .send(await auditLog.checkpoint()),
  });

  // C2SP tlog-tiles: `tile/<level>/x001/x234/067[.p/<width>]`, which OpenAPI has no way to write down.
  app.get('/api/v1/audit/tile/:level/*', {
    schema: {
      hide: true,
      params: z.object({
        level: z.string().regex(/^(entries|\d|[1-5]\d|6[0-3])$/, 'a level from 0 to 63, or entries'),
        '*': z.string().max(40),
      }),
    },
    handler: async (request, reply) => {
      const { level, '*': path } = request.params;
      const place = parseTilePath(path);
      if (place === undefined)
        throw new HabeasError(
          'BAD_INPUT',
          'A tile is named like x001/x234/067, or x001/x234/067.p/12 (C2SP tlog-tiles).',
        );
      const bytes =
        level === 'entries'
          ? await auditLog.entries(place.number, place.width)
          : await auditLog.tile({ level: Number(level), number: place.number }, place.width);
      return reply.type('application/octet-stream').header('cache-control', FOREVER).send(Buffer.from(bytes));
    },
  });

  app.get('/api/v1/audit/entries/:sequence/proof', {
    schema: {
      ...operation({
        id: 'proveEntry',
        tag: 'Audit',
        summary: 'Prove that an entry is in the audit log',
        description:
          'C2SP tlog-proof, with the newest checkpoint. `CONFLICT`: the log does not have the entry yet; try again in a moment.',
      }),
      params: z.object({ sequence: whole }),
      response: {
        200: { description: 'The proof', content: { 'text/plain': { schema: textSchema } } },
        ...problems(['BAD_INPUT', 'NOT_FOUND', 'CONFLICT', 'AUDIT_LOG_DAMAGED']),
      },
    },
    handler: async (request, reply) => {
      const { sequence } = request.params;
      const proved = await auditLog.proveEntry(sequence);
      if (proved === undefined)
        throw new HabeasError(
          'CONFLICT',
          `The audit log does not have entry ${sequence} yet. Try again in a moment.`,
          {
            retryable: true,
          },
        );
      return reply.type(TEXT).send(proved.proof);
    },
  });

  app.get('/api/v1/audit/consistency', {
    schema: {
      ...operation({
        id: 'proveConsistency',
        tag: 'Audit',
        summary: 'Prove that the audit log only grew since an earlier checkpoint',
      }),
      querystring: z.object({ from: whole.describe('Entries of the earlier checkpoint') }),
      response: {
        200: api.consistencyProofSchema.describe('The newest checkpoint, and the proof'),
        ...problems(['BAD_INPUT', 'CONFLICT', 'AUDIT_LOG_DAMAGED']),
      },
    },
    handler: async (request) => {
      const { from, checkpoint, proof } = await auditLog.proveConsistency(request.query.from);
      return { from, checkpoint, proof: [...proof] };
    },
  });

  app.get('/api/v1/audit/keys', {
    schema: {
      ...operation({
        id: 'getVerifierKeys',
        tag: 'Audit',
        summary: 'Get the keys by which receipts and checkpoints are verified',
        description:
          'One a line, newest first, as C2SP signed-note writes them: a trust file. Get it once, and keep it.',
      }),
      response: {
        200: { description: 'The keys', content: { 'text/plain': { schema: textSchema } } },
        ...problems(),
      },
    },
    handler: async (_request, reply) =>
      reply.type(TEXT).send(`${(await auditLog.verifierKeys()).join('\n')}\n`),
  });

  app.get('/habeas-verify.mjs', {
    config: { open: true },
    schema: {
      ...operation({
        id: 'getVerifier',
        tag: 'Audit',
        summary: 'Get the program that verifies receipts offline',
        description: 'One file that needs Node 18 or later and nothing else.',
        open: true,
      }),
      response: {
        200: { description: 'The program', content: { 'text/javascript': { schema: textSchema } } },
        ...problems([], { open: true }),
      },
    },
    handler: async (_request, reply) =>
      reply.type('text/javascript; charset=utf-8').send(readFileSync(verifierProgram, 'utf8')),
  });
}
