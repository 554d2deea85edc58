import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { baseline, buf, contractFolder, generate } from '../../scripts/buf.mjs';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'habeas-contract-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function filesOf(root: string): Record<string, string> {
  const names = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = names.map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(paths.map((path) => [path.slice(root.length + 1), readFileSync(path, 'utf8')]));
}

/** A copy of the contract in which one text of the proto is another. */
function changedContract(from: string, to: string): string {
  const copy = join(folder, 'copy');
  cpSync(join(contractFolder, 'proto'), join(copy, 'proto'), { recursive: true });
  cpSync(join(contractFolder, 'buf.yaml'), join(copy, 'buf.yaml'));
  const file = join(copy, 'proto/habeas/pd/v1/pd_client.proto');
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(from);
  writeFileSync(file, text.replace(from, to));
  return copy;
}

describe('the contract', () => {
  it('has generated code that is exactly what its protos generate', () => {
    generate(join(folder, 'gen'));
    const want = filesOf(join(folder, 'gen'));
    expect(Object.keys(want)).toContain('habeas/pd/v1/pd_client_pb.ts');
    expect(filesOf(join(contractFolder, 'src/pd/gen'))).toEqual(want);
  });

  it('passes buf lint', () => {
    expect(buf('lint')).toBe('');
  });

  it('is compatible with the contract that was released', () => {
    expect(buf('breaking', '--against', baseline)).toBe('');
  });

  it('would not pass with a field that changed its number', () => {
    const copy = changedContract('string request_id = 1;', 'string request_id = 11;');
    expect(() => buf('breaking', copy, '--against', baseline)).toThrow('request_id');
  });

  it('would not pass with a message that is named against the rules', () => {
    const copy = changedContract('message Callback {', 'message CallMe_Back {}\nmessage Callback {');
    expect(() => buf('lint', copy)).toThrow('CallMe_Back');
  });
});
