import { expect, it } from 'vitest';
import { toCsv } from './csv.ts';

it('quotes what has commas, quotes and line breaks, and lets no text be a formula', () => {
  const rows = [
    ['a,b', 'say "x"', 'two\nlines', null],
    ['=1+1', '@cmd', -5, true],
  ] as const;
  expect(toCsv(['one', 'two', 'three', 'four'], rows)).toBe(
    'one,two,three,four\r\n"a,b","say ""x""","two\nlines",\r\n\'=1+1,\'@cmd,-5,true\r\n',
  );
});
