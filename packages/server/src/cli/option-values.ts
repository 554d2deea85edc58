import { api } from '@habeas/contract';
import { InvalidArgumentError } from 'commander';
import { HabeasError } from '../foundation/errors.ts';

/** A number of entries: 1 to 500. */
export function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 500)
    throw new InvalidArgumentError('It must be 1 to 500.');
  return value;
}

/** A positive whole number. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return value;
}

/** Repeatable text. */
export function list(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** Identities of `type=value` texts; the value may hold anything, also `=`. Throws BAD_INPUT without repeating them. */
export function identitiesOf(texts: readonly string[]): readonly api.Identity[] {
  return texts.map((text) => {
    const split = text.indexOf('=');
    if (split < 1 || split === text.length - 1) {
      throw new HabeasError('BAD_INPUT', 'An --identity must be like user_id=17: a type, = and a value.');
    }
    return { type: text.slice(0, split), value: text.slice(split + 1) };
  });
}

/** The right that a person's word means. */
export function right(text: string): api.Right {
  if (text === 'access') return 'access';
  if (text === 'erase') return 'erasure';
  const named = api.rightSchema.safeParse(text.replaceAll('-', '_'));
  if (named.success) return named.data;
  const rights = api.rightSchema.options.map((name) => name.replaceAll('_', '-'));
  throw new InvalidArgumentError(`It must be one of ${rights.join(', ')}.`);
}

/** A whole number from 0 on. */
export function positiveOrZero(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new InvalidArgumentError('It must be a whole number from 0 on.');
  return value;
}

const DAY_MILLISECONDS = 86_400_000;

/** A time to come: `90d` from now on, a date (its end in UTC), or a time with its zone. */
export function moment(text: string): Date {
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  if (days !== undefined) return new Date(Date.now() + Number(days) * DAY_MILLISECONDS);
  const day = /^\d{4}-\d\d-\d\d$/.test(text);
  const time = new Date(day ? `${text}T24:00:00Z` : text);
  const zoned = day || /^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:\d\d)$/.test(text);
  if (!zoned || Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('It must be like 90d, 2027-01-31 or 2027-01-31T12:00:00Z.');
  return time;
}

/** A port: 0 (any free one) to 65535. */
export function portNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65_535)
    throw new InvalidArgumentError('It must be 0 to 65535.');
  return value;
}
