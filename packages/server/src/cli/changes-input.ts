import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { api } from '@habeas/contract';
import { HabeasError } from '../foundation/errors.ts';
import type { CliContext } from './context.ts';

export interface ChangesOptions {
  /** `target=value`. */
  readonly set?: readonly string[] | undefined;
  /** Targets that are to have no value. */
  readonly remove?: readonly string[] | undefined;
  /** A file with JSON, or `-`. */
  readonly changes?: string | undefined;
}

const changesSchema = api.createRequestSchema.shape.changes.nonoptional();

/** The changes of a rectification from the command line. Throws BAD_INPUT without repeating a value. */
export async function readChanges(
  context: Pick<CliContext, 'folder' | 'readInput'>,
  { set = [], remove = [], changes }: ChangesOptions,
): Promise<readonly api.FieldChange[]> {
  const all = [
    ...set.map(parseSet),
    ...remove.map((target): api.FieldChange => ({ target, to: null })),
    ...(changes === undefined ? [] : parseChanges(await readText(context, changes))),
  ];
  if (all.length > 0) return all;
  throw new HabeasError(
    'BAD_INPUT',
    'Say what is to be corrected: --set user.contact.address.city=Graz, --remove user.contact.phone_number or --changes FILE.',
  );
}

function parseSet(text: string): api.FieldChange {
  const split = text.indexOf('=');
  if (split < 1)
    throw new HabeasError(
      'BAD_INPUT',
      'A --set must be like user.contact.address.city=Graz: a target, = and a value.',
    );
  return { target: text.slice(0, split), to: text.slice(split + 1) };
}

async function readText(context: Pick<CliContext, 'folder' | 'readInput'>, file: string): Promise<string> {
  if (file === '-') return context.readInput();
  try {
    return await readFile(resolve(context.folder, file), 'utf8');
  } catch (cause) {
    throw new HabeasError('BAD_INPUT', 'The file of --changes cannot be read.', { cause });
  }
}

function parseChanges(text: string): readonly api.FieldChange[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const result = changesSchema.safeParse(value);
  if (result.success) return result.data;
  throw new HabeasError(
    'BAD_INPUT',
    '--changes must hold a JSON list such as [{"target": "user.contact.address.city", "to": "Graz"}].',
  );
}
