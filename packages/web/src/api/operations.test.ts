import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Definition } from './define.ts';
import * as operations from './operations.ts';

const DOCUMENT = new URL('../../../contract/openapi.json', import.meta.url);
const { paths } = JSON.parse(readFileSync(DOCUMENT, 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>;
};

describe('the operations that the dashboard calls', () => {
  it.each(Object.entries(operations as Readonly<Record<string, Definition>>))(
    '%s is an operation of the API by that name',
    (name, { method, path }) => {
      expect(paths[path]?.[method.toLowerCase()]?.operationId).toBe(name);
    },
  );
});
