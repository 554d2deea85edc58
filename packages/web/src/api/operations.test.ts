import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { Definition } from './define.ts';
import * as operations from './operations.ts';

interface Answer {
  readonly content?: Readonly<Record<string, { readonly schema?: { readonly $ref?: string } }>>;
}
interface Described {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, Answer>>;
}

const DOCUMENT = new URL('../../../contract/openapi.json', import.meta.url);
const { paths } = JSON.parse(readFileSync(DOCUMENT, 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
};

describe('the operations that the dashboard calls', () => {
  it.each(Object.entries(operations as Readonly<Record<string, Definition>>))(
    '%s is an operation of the API by that name, with that answer',
    (name, { method, path, reply }) => {
      const described = paths[path]?.[method.toLowerCase()];
      expect(described?.operationId).toBe(name);
      const answer = (described?.responses['200'] ?? described?.responses['201'])?.content?.[
        'application/json'
      ]?.schema?.$ref;
      const id = reply && z.globalRegistry.get(reply)?.id;
      if (id !== undefined) expect(answer?.split('/').at(-1)).toBe(id);
    },
  );
});
