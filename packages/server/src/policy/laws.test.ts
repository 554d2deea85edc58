import { readFileSync } from 'node:fs';
import { api } from '@habeas/contract';
import { expect, it } from 'vitest';
import { termInWords } from './deadline.ts';
import { LAWS } from './laws.ts';
import type { Law, Term } from './term.ts';

it('docs/deadlines.md lists exactly the laws that are counted by, with their terms', () => {
  const page = readFileSync(new URL('../../../../docs/deadlines.md', import.meta.url), 'utf8');
  const told = page
    .split('\n')
    .filter(
      (line) => line.startsWith('| `') && line.split(' | ').length === 9 && !line.startsWith('| `law`'),
    );
  expect(told).toEqual(Object.entries(LAWS).map(([id, law]) => row(id, law)));
});

it('the laws are exactly the regimes that a request can be under', () => {
  expect(Object.keys(LAWS)).toEqual(api.regimeSchema.options);
});

it('and the rights that a law has other terms for', () => {
  const page = readFileSync(new URL('../../../../docs/deadlines.md', import.meta.url), 'utf8');
  const told = page
    .split('\n')
    .filter(
      (line) => line.startsWith('| `') && line.split(' | ').length === 6 && !line.startsWith('| `law`'),
    );
  const term = (one: Term | null) => (one === null ? '–' : termInWords(one));
  const rows = Object.entries(LAWS).flatMap(([id, law]: readonly [string, Law]) =>
    Object.entries(law.rights ?? {}).map(
      ([right, own]) =>
        `| \`${id}\` | \`${right}\` | ${term(own.answer)} | ${term(own.acknowledgement)} | ${term(own.extension)} | ${own.source} |`,
    ),
  );
  expect(rows.length).toBeGreaterThan(0);
  expect(told).toEqual(rows);
});

function row(id: string, law: Law): string {
  const term = (one: Term | null) => (one === null ? '–' : termInWords(one));
  const cells = [
    `\`${id}\``,
    law.name,
    term(law.answer),
    term(law.acknowledgement),
    term(law.extension),
    law.appeal === null
      ? '–'
      : [law.appeal.answer, ...(law.appeal.extension === null ? [] : [law.appeal.extension])]
          .map(termInWords)
          .join(' + '),
    law.rollOver === 'none' ? 'no' : 'yes',
    law.stops.length === 0 ? '–' : law.stops.join(', '),
    law.source,
  ];
  return `| ${cells.join(' | ')} |`;
}
