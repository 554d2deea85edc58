import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../test/database.ts';
import { inMemoryApplication } from '../../test/in-memory-application.ts';
import { createHttpServer, type HttpServer } from './index.ts';
import { openApiDocument } from './openapi-routes.ts';
import { routesOf } from './route-table.ts';

const COMMITTED = fileURLToPath(new URL('../../../contract/openapi.json', import.meta.url));

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly {
    readonly in: string;
    readonly name: string;
    readonly required?: boolean;
  }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: object }>>;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly securitySchemes: Readonly<Record<string, object>>;
  };
  readonly security: readonly object[];
}

let database: TestDatabase;
let app: HttpServer;
let document: Document;
let operations: readonly { readonly path: string; readonly method: string; readonly operation: Operation }[];

beforeAll(async () => {
  database = await createTestDatabase();
  app = await createHttpServer(inMemoryApplication({ db: database.db }));
  document = JSON.parse(JSON.stringify(openApiDocument(app)));
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
});

afterAll(async () => {
  await app.close();
  await database.close();
});

/** All values of a key anywhere in a document, with the path to each. */
function valuesOf(key: string, value: unknown, path = '#'): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => [
    ...(name === key ? [[path, member] as const] : []),
    ...valuesOf(key, member, `${path}/${name}`),
  ]);
}

describe('the OpenAPI document', () => {
  it('is the committed packages/contract/openapi.json (after a wanted change: run this file with `-u`)', async () => {
    await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot(COMMITTED);
  });

  it('is OpenAPI 3.1 and has every route', () => {
    expect(document.openapi).toMatch(/^3\.1\.\d$/);
    const hidden = new Set([
      'GET /',
      'GET /app',
      'GET /app/*',
      'GET /app/assets/:name',
      'GET /reference',
      'GET /reference/scalar.js',
      'GET /package',
      'GET /api/v1/audit/tile/:level/*',
      'GET /api/v1/sign-in/start',
      'GET /api/v1/sign-in/finish',
      'OPTIONS /consent/v1/notice',
      'OPTIONS /consent/v1/choices',
      'GET /consent/v1/tag.js',
      'GET /consent/v1/headless.js',
    ]);
    const registered = routesOf(app)
      .map(({ method, url }) => `${method} ${url}`)
      .filter((route) => !hidden.has(route))
      .map((route) => route.replace(/(?<!:):([A-Za-z_]+)(\([^)]*\))?/g, '{$1}').replaceAll('::', ':'));
    const described = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(described.toSorted()).toEqual(registered.toSorted());
    expect(described.length).toBeGreaterThan(30);
  });

  it('names, sums up and files every operation, each name once', () => {
    const tags = new Set(document.tags.map(({ name }) => name));
    for (const { path, operation } of operations) {
      expect([path, operation.operationId]).toEqual([path, expect.stringMatching(/^[a-z][A-Za-z]+$/)]);
      expect([path, operation.summary]).toEqual([path, expect.stringMatching(/^[A-Z].{5,100}[^.]$/)]);
      expect(operation.tags).toHaveLength(1);
      expect(tags).toContain(operation.tags?.[0]);
    }
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('asks for a key with a scope everywhere but where a route is open', () => {
    expect(document.security).toEqual([{ key: [] }, { browser: [] }]);
    const open = operations.filter(({ operation }) => operation.security?.length === 0);
    const forAll = operations.filter(({ operation }) => operation.security === undefined);
    expect(forAll.map(({ operation }) => operation.operationId)).toEqual([
      'getSession',
      'endSession',
      'confirmSession',
    ]);
    for (const { operation } of operations.filter((one) => !open.includes(one) && !forAll.includes(one))) {
      const key = operation.security?.[0]?.['key'];
      const scope = expect.stringMatching(/^[a-z-]+:(read|write|approve)$/);
      expect(operation.security).toEqual([{ key: [scope] }, { browser: key }]);
    }
    expect(open.map(({ path, operation }) => [path, operation.security])).toEqual([
      ['/api/v1/package-links:code', []],
      ['/api/v1/package-links:open', []],
      ['/api/v1/package-downloads/{id}', []],
      ['/.well-known/gpc.json', []],
      ['/consent/v1/notice', []],
      ['/consent/v1/choices', []],
      ['/api/v1/session', []],
      ['/api/v1/sign-in', []],
      ['/habeas-verify.mjs', []],
      ['/api/v1/public/requests', []],
      ['/api/v1/public/requests:resume', []],
      ['/api/v1/public/requests:send-code', []],
      ['/api/v1/public/requests:prove', []],
      ['/api/v1/public/requests:answer', []],
      ['/api/v1/public/requests:sign-in', []],
      ['/api/v1/public/sign-in', []],
      ['/api/v1/verifications/{id}', []],
      ['/api/v1/callbacks/{taskId}', []],
      ['/api/v1/trackers/{name}:report', []],
      ['/health', []],
    ]);
  });

  it('has a successful answer and problem documents for every operation', () => {
    for (const { path, method, operation } of operations) {
      const statuses = Object.keys(operation.responses);
      expect([path, statuses.some((status) => status.startsWith('2'))]).toEqual([path, true]);
      if (['/health', '/habeas-verify.mjs', '/api/v1/sign-in'].includes(path)) continue;
      const open = operation.security?.length === 0;
      const stranger = open && ['People', 'Consent'].includes(operation.tags?.[0] ?? '');
      const refused = open ? (stranger ? [] : ['401']) : ['401', '403'];
      const expected = [...refused, '429', '500'];
      expect([method, path, statuses]).toEqual([method, path, expect.arrayContaining(expected)]);
      if (path.includes('{') && path !== '/api/v1/holders/{data_type}') expect(statuses).toContain('404');
      for (const [status, response] of Object.entries(operation.responses)) {
        expect(response.description.length).toBeGreaterThan(1);
        expect(response.description).not.toBe('Default Response');
        if (Number(status) < 400) continue;
        expect(response.content).toEqual({
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        });
      }
    }
  });

  it('declares exactly the parameters that its paths have', () => {
    for (const { path, operation } of operations) {
      const named = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name);
      const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect([path, declared.map(({ name }) => name).toSorted()]).toEqual([path, named.toSorted()]);
      for (const parameter of declared) expect(parameter.required).toBe(true);
    }
  });

  it('refers only to components that exist, and has none that nobody refers to', () => {
    const references = valuesOf('$ref', document).map(([, reference]) => String(reference));
    const names = references.map((reference) => /^#\/components\/schemas\/([A-Za-z]+)$/.exec(reference)?.[1]);
    expect(names).not.toContain(undefined);
    expect(new Set(names)).toEqual(new Set(Object.keys(document.components.schemas)));
    for (const requirement of document.security) {
      for (const name of Object.keys(requirement))
        expect(document.components.securitySchemes).toHaveProperty(name);
    }
  });

  it('has one component for a type, not one for each direction', () => {
    const names = Object.keys(document.components.schemas);
    expect(names).toContain('Identity');
    expect(names).not.toContain('IdentityInput');
    expect(names.filter((name) => name.endsWith('Input') && names.includes(name.slice(0, -5)))).toEqual([]);
  });

  it('uses only words of JSON Schema 2020-12', () => {
    expect(valuesOf('nullable', document.paths)).toEqual([]);
    for (const [path, bound] of valuesOf('exclusiveMinimum', document)) {
      expect([path, typeof bound]).toEqual([path, 'number']);
    }
    const types = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']);
    for (const [path, type] of valuesOf('type', document.components.schemas)) {
      if (typeof type !== 'string') continue;
      expect([path, types.has(type)]).toEqual([path, true]);
    }
  });
});
