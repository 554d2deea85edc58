import type { api } from '@habeas/contract';
import { DATA_CATEGORIES, isDataCategory } from '../catalog/index.ts';
import { HabeasError } from '../foundation/index.ts';
import { RIGHTS } from './rights.ts';

const ROOTS: ReadonlySet<string> = new Set(DATA_CATEGORIES.map((category) => category.split('.')[0] ?? ''));

interface AskToCheck {
  readonly right: api.Right;
  readonly targets?: readonly string[] | undefined;
  readonly purposes?: readonly string[] | undefined;
  readonly lift?: boolean | undefined;
}

/** Throws BAD_INPUT for what does not go with the right, and for what the right lacks. */
export function checkAsk({ right, targets = [], purposes = [], lift = false }: AskToCheck): void {
  if (right === 'rectification' && targets.length === 0)
    throw bad('A rectification needs `changes`: what has to be changed, and to what.');
  if (right !== 'rectification' && targets.length > 0) throw bad('Only a rectification has `changes`.');
  if (right === 'objection' && purposes.length === 0)
    throw bad('An objection needs `purposes`: what the data may not be used for any more.');
  if (right !== 'objection' && purposes.length > 0) throw bad('Only an objection has `purposes`.');
  if (lift && RIGHTS[right].flag === undefined)
    throw bad('Only a restriction, an objection, an opt-out or a limitation can be lifted.');
  for (const target of targets) {
    // What begins like a category is meant as one; a mistake in it would change nothing, silently.
    const meantAsCategory = ROOTS.has(target.split('.')[0] ?? '');
    if (meantAsCategory && !isDataCategory(target))
      throw bad('A target of `changes` is not a data category of the taxonomy. `user.contact.email` is one.');
  }
}

function bad(message: string): HabeasError {
  return new HabeasError('BAD_INPUT', message);
}
