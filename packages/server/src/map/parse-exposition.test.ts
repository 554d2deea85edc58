import { Gauge, Histogram, Registry } from '@prometheus-io/client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Exposition, MAX_BROKEN, parseExposition } from './parse-exposition.ts';

const parse = (text: string): Exposition => parseExposition(text, { prefix: 'personal_data_' });

/** The format's own rule for writing a label value. */
function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

const labelName = fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,10}$/);
/** Any text, apart from the sign that decoders put where bytes are not UTF-8. */
const labelValue = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\uFFFD'));
const blank = fc.constantFrom('', ' ', '\t', '  ');
const value = fc.oneof(
  fc.double().map((number) => ({ number, text: goNumber(number) })),
  fc.constantFrom(
    { number: 1, text: '+1' },
    { number: 0.5, text: '.5' },
    { number: 5, text: '5.' },
    { number: Number.POSITIVE_INFINITY, text: '+Inf' },
    { number: Number.NEGATIVE_INFINITY, text: '-inf' },
    { number: Number.NaN, text: 'nan' },
  ),
);
const ending = fc.constantFrom(
  '',
  ' ',
  ' 1395066363000',
  ' -5',
  ' 1520879607.789',
  ' # {trace_id="KOO5S4vxi0o"} 0.67',
  ' 1520879607.789 # {} 9 1520879607.9',
);

function goNumber(number: number): string {
  if (Number.isNaN(number)) return 'NaN';
  if (!Number.isFinite(number)) return number > 0 ? '+Inf' : '-Inf';
  return Object.is(number, -0) ? '-0' : String(number);
}

describe('parseExposition', () => {
  it('gives back any labels and value of our families, however the line is spaced', () => {
    const labels = fc.dictionary(labelName, labelValue, { maxKeys: 6, noNullPrototype: true });
    fc.assert(
      fc.property(labels, value, blank, ending, fc.boolean(), (given, number, space, end, comma) => {
        const pairs = Object.entries(given).map(
          ([name, text]) => `${space}${name}${space}=${space}"${escaped(text)}"${space}`,
        );
        const list = pairs.join(',') + (comma && pairs.length > 0 ? ',' : '');
        const line = `${space}personal_data_store${space}{${list}${space}}${space || ' '}${number.text}${end}`;
        const page = parse(line);
        expect(page.broken).toEqual([]);
        expect(page.samples).toHaveLength(1);
        expect(Object.fromEntries(page.samples[0]?.labels ?? [])).toEqual(given);
        expect(page.samples[0]?.value).toBe(number.number);
      }),
    );
  });

  it('never throws, whatever the page, and accounts for each line', () => {
    const line = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(
          fc.constantFrom(
            'transmit',
            'store',
            '{',
            '}',
            '"',
            '\\',
            'team',
            '=',
            ',',
            ' ',
            '1',
            '#',
            '# EOF',
            'é',
          ),
        )
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const text = lines.join('\n');
        const page = parse(text);
        const meant = text.split('\n').filter((one) => !/^[ \t]*(#|$)/.test(one)).length;
        const counted = page.samples.length + page.brokenCount + page.foreign.samples + page.foreign.broken;
        expect(counted).toBe(meant);
      }),
      { numRuns: 500 },
    );
  });

  it('reads the three families bare and prefixed, with _info or without, and no other', () => {
    const page = parse(
      [
        'transmit{team="data",service="sentinel",to_service="hammer",data_type="ip"} 1',
        'personal_data_transmit{team="data"} 1',
        'personal_data_store_info{team="data"} 1',
        'client_info{team="data"} 1',
        'personal_data_store_total{team="data"} 1',
        'stores{team="data"} 1',
        'other_store{team="data"} 1',
        'personal_data{team="data"} 1',
      ].join('\n'),
    );
    expect(page.samples.map((sample) => [sample.family, sample.bare, sample.line])).toEqual([
      ['transmit', true, 1],
      ['transmit', false, 2],
      ['store', false, 3],
      ['client', true, 4],
    ]);
    expect(page.foreign).toEqual({ samples: 4, broken: 0 });
    const renamed = parseExposition('pdcp_store{team="data"} 1\npersonal_data_store{team="data"} 1', {
      prefix: 'pdcp_',
    });
    expect(renamed.samples.map((sample) => sample.line)).toEqual([1]);
  });

  it('leaves a bare name alone when its labels are none of ours', () => {
    const page = parse(
      [
        'client{method="GET",address="10.0.0.1:5"} 1',
        'store{shard="3"} 1',
        'transmit 1',
        'client{address="a:1",protocol="grpc"} 1',
        'store{data_type="ip"} 1',
        'store{exported_team="data"} 1',
        'personal_data_store{shard="3"} 1',
      ].join('\n'),
    );
    expect(page.samples.map((sample) => sample.line)).toEqual([4, 5, 6, 7]);
    expect(page.foreign).toEqual({ samples: 3, broken: 0 });
  });

  it('counts the last line whether or not it ends with a line break', () => {
    for (const end of ['', '\n', '\n\n']) {
      expect(parse(`up 1\nstore{team="data"} 1${end}`).samples).toHaveLength(1);
    }
  });

  it('resolves the three escapes and keeps UTF-8', () => {
    const page = parse(String.raw`store{team="a\\b\"c\nd",service="Dvořák 🦊",data_type="}, # {"} 1`);
    expect(Object.fromEntries(page.samples[0]?.labels ?? [])).toEqual({
      team: 'a\\b"c\nd',
      service: 'Dvořák 🦊',
      data_type: '}, # {',
    });
  });

  it('reads names in quotes, as Prometheus 3 writes them', () => {
    const page = parse('{"personal_data_store","team"="data","data.type"="ip"} 1\n{"my.metric",a="b"} 2');
    expect(page.samples[0]?.labels.get('data.type')).toBe('ip');
    expect(page.foreign).toEqual({ samples: 1, broken: 0 });
  });

  it.each([
    ['store{team="data" 1', 'the labels do not end'],
    ['store{team="data', 'a label value does not end'],
    ['store{team="data"', 'the labels do not end'],
    ['store{team=data} 1', 'a label value is not in quotes'],
    ['store{team} 1', 'a label has no value'],
    ['store{team="a",team="b"} 1', 'a label is given twice'],
    ['store{team="a";service="b"} 1', 'the labels do not end'],
    ['store{,team="a"} 1', 'a label name is malformed'],
    ['store{team="a",,service="b"} 1', 'a label name is malformed'],
    ['store{1team="a"} 1', 'a label name is malformed'],
    [String.raw`store{team="a\t"} 1`, 'a label value has an unknown escape'],
    [String.raw`store{team="a\"} 1`, 'a label value does not end'],
    ['store{team="a"}', 'the value is not a number'],
    ['store{team="a"} one', 'the value is not a number'],
    ['store{team="a"} 0x1', 'the value is not a number'],
    ['store{team="a"} 1e', 'the value is not a number'],
    ['store{team="a"} 1 yesterday', 'the timestamp is not a number'],
    ['store{team="a"} 1 2 3', 'there is text after the timestamp'],
    ['store{team="a"} 1\r', 'the value is not a number'],
    ['store{team="a"} 1 # trace', 'the exemplar is malformed'],
    ['store{team="a"} 1 # {a="b"} x', 'the value is not a number'],
    ['store{team="a"} 1 # {a="b"} 1 2 3', 'there is text after the exemplar'],
    ['store{team="\uFFFD"} 1', 'it is not valid UTF-8'],
    [`store{team="${'x'.repeat(70_000)}"} 1`, 'it is too long'],
    ['personal_data_client', 'the value is not a number'],
    ['{"store",team="a"} one', 'the value is not a number'],
  ])('tells the line of a broken declaration and why: %s', (line, reason) => {
    const page = parse(`up 1\n${line}\nstore{team="data",data_type="ip"} 1\n`);
    expect(page.broken).toEqual([{ line: 2, reason }]);
    expect(page.samples.map((sample) => sample.line)).toEqual([3]);
    expect(page.foreign).toEqual({ samples: 1, broken: 0 });
  });

  it('counts broken lines of others and goes on', () => {
    const page = parse('up{job=} 1\n<html>\n???\nstore{team="a",data_type="ip"} 1\nlatency_bucket{le="1} 3');
    expect(page).toMatchObject({ broken: [], brokenCount: 0, foreign: { samples: 0, broken: 4 } });
    expect(page.samples).toHaveLength(1);
  });

  it('tells the first broken lines and counts all', () => {
    const page = parse('store{team=} 1\n'.repeat(MAX_BROKEN + 7));
    expect([page.broken.length, page.brokenCount]).toEqual([MAX_BROKEN, MAX_BROKEN + 7]);
  });

  it('knows whether an OpenMetrics page arrived whole', () => {
    expect(parse('up 1\n# EOF\n').ended).toBe(true);
    expect(parse('up 1\n# EOF').ended).toBe(true);
    expect(parse('up 1\n').ended).toBe(false);
    expect(parse('up 1\n# EOF\nup 1\n').ended).toBe(false);
  });

  it.each(['prometheus', 'openmetrics'] as const)(
    'reads a page that @prometheus-io/client rendered (%s)',
    async (format) => {
      const registry =
        format === 'openmetrics' ? new Registry(Registry.OPENMETRICS_CONTENT_TYPE) : new Registry();
      const store = new Gauge({
        name: 'store',
        help: 'Which data a service stores,\nwith a "break"',
        labelNames: ['team', 'service', 'data_type'],
        registers: [registry],
      });
      const hostile = 'quote " backslash \\ break \n brace } 🦊';
      store.set({ team: 'data', service: 'bigtable', data_type: 'ip' }, 1);
      store.set({ team: 'data', service: hostile, data_type: 'name' }, 0);
      const latency = new Histogram({
        name: 'latency',
        help: 'h',
        labelNames: ['le2'],
        registers: [registry],
      });
      latency.observe({ le2: 'a' }, 3);
      const page = parse(await registry.metrics());
      expect(page).toMatchObject({ broken: [], foreign: { broken: 0 }, ended: format === 'openmetrics' });
      expect(page.foreign.samples).toBeGreaterThan(3);
      expect(page.samples.map((sample) => [Object.fromEntries(sample.labels), sample.value])).toEqual([
        [{ team: 'data', service: 'bigtable', data_type: 'ip' }, 1],
        [{ team: 'data', service: hostile, data_type: 'name' }, 0],
      ]);
    },
  );

  it('reads 100,000 lines in time that grows with the page, also when quotes do not end', () => {
    const good = 'http_requests_total{method="post",code="200",path="/a/b/c"} 1027 1395066363000\n'.repeat(
      100_000,
    );
    const bad = `store{team="${'\\\\'.repeat(30_000)}\n`.repeat(50);
    const started = performance.now();
    expect(parse(good).foreign.samples).toBe(100_000);
    expect(parse(bad).brokenCount).toBe(50);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
