import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseExposition } from './parse-exposition.ts';
import { MAX_LABEL, readDeclarations } from './read-declarations.ts';

function read(...lines: readonly string[]) {
  return readDeclarations(parseExposition(lines.join('\n'), { prefix: 'personal_data_' }).samples);
}

function refusals(...lines: readonly string[]) {
  return read(...lines).rejections.map((rejection) => rejection.message);
}

describe('readDeclarations', () => {
  it('reads the three kinds', () => {
    expect(
      read(
        'transmit{team="data",service="sentinel",to_service="hammer",data_type="ip"} 1',
        'personal_data_store{team="data",service="bigtable",data_type="ip",retention="30d"} 1',
        'client{team="data",address="PD-client.data.svc:1337",protocol="grpc"} 1',
        'client{team="data",service="bigtable",address="10.0.0.7:80",protocol="http"} 1',
      ),
    ).toEqual({
      declarations: [
        { kind: 'transmit', team: 'data', service: 'sentinel', toService: 'hammer', dataType: 'ip' },
        { kind: 'store', team: 'data', service: 'bigtable', dataType: 'ip', retention: '30d' },
        {
          kind: 'client',
          team: 'data',
          service: undefined,
          address: 'pd-client.data.svc:1337',
          protocol: 'grpc',
        },
        { kind: 'client', team: 'data', service: 'bigtable', address: '10.0.0.7:80', protocol: 'http' },
      ],
      rejections: [],
    });
  });

  it('takes a value above zero as present and anything else as absent', () => {
    const store = (type: string, value: string) =>
      `store{team="data",service="b",data_type="${type}"} ${value}`;
    const { declarations } = read(
      store('one', '1'),
      store('half', '0.5'),
      store('many', '+Inf'),
      store('zero', '0'),
      store('minus', '-1'),
      store('nan', 'NaN'),
    );
    expect(declarations.map((one) => one.kind === 'store' && one.dataType)).toEqual(['one', 'half', 'many']);
  });

  it('believes what Prometheus renamed before what Prometheus attached', () => {
    const { declarations } = read(
      'store{team="infra",exported_team="data",service="kube-state",exported_service="bigtable",data_type="ip"} 1',
      'store{team="infra",exported_team="",service="kube-state",exported_service="",data_type="ip"} 1',
    );
    expect(declarations).toEqual([
      { kind: 'store', team: 'data', service: 'bigtable', dataType: 'ip' },
      { kind: 'store', team: 'infra', service: 'kube-state', dataType: 'ip' },
    ]);
  });

  it('counts replicas, and two spellings of one text, as one', () => {
    const { declarations } = read(
      'store{team="data",service="b",data_type="ip",instance="1"} 1',
      'store{team="data",service="b",data_type="ip",instance="2"} 1',
      'personal_data_store_info{team="data",service="b",data_type="ip"} 1',
      'store{team="data",service="Café",data_type="ip"} 1',
      'store{team="data",service="Cafe\u0301",data_type="ip"} 1',
    );
    expect(declarations).toHaveLength(2);
  });

  it.each([
    ['store{service="b",data_type="ip"} 1', 'Label team of metric store of service b is missing.'],
    ['store{team="",service="b",data_type="ip"} 1', 'Label team of metric store of service b is missing.'],
    ['store{team="t",data_type="ip"} 1', 'Label service of metric store of team t is missing.'],
    ['store{team="t",service="b"} 1', 'Label data_type of metric store of service b of team t is missing.'],
    [
      'transmit{team="t",service="b",data_type="ip"} 1',
      'Label to_service of metric transmit of service b of team t is missing.',
    ],
    [
      'client{team="t",address="b:1",protocol="ftp"} 1',
      'Label protocol of metric client of team t is neither grpc nor http.',
    ],
    [
      'client{team="t",address="b:1"} 1',
      'Label protocol of metric client of team t is neither grpc nor http.',
    ],
    [
      'client{team="t",address="http://b",protocol="http"} 1',
      'Label address of metric client of team t is not host:port (without a scheme, user or path) and was refused.',
    ],
    [
      'client{team="t",address="3f2504e0-4f89-11d3-9a0c-0305e82c3301.pods:80",protocol="http"} 1',
      'Label address of metric client of team t looks like a UUID and was refused.',
    ],
    [
      'client{team="t",service="a@b.example",address="b:1",protocol="http"} 1',
      'Label service of metric client of team t looks like an e-mail address and was refused; publish which kind of data it is, not the data.',
    ],
    [
      String.raw`store{team="t",service="b\n",data_type="ip"} 1`,
      'Label service of metric store of team t has invisible characters and was refused.',
    ],
    [
      'store{team="t",service="b\u202Efdp",data_type="ip"} 1',
      'Label service of metric store of team t has invisible characters and was refused.',
    ],
    [
      'store{team="t",service="b\u0000",data_type="ip"} 1',
      'Label service of metric store of team t has invisible characters and was refused.',
    ],
    [
      'store{team="t",service=" b",data_type="ip"} 1',
      'Label service of metric store of team t has blanks around it and was refused.',
    ],
    [
      'store{team="t",service="__proto__",data_type="ip"} 1',
      'Label service of metric store of team t is a word that programs stumble over and was refused.',
    ],
    [
      `store{team="t",service="${'x'.repeat(MAX_LABEL + 1)}",data_type="ip"} 1`,
      `Label service of metric store of team t is longer than ${MAX_LABEL} characters and was refused.`,
    ],
  ])('refuses %s', (line, message) => {
    expect(refusals(line)).toEqual([message]);
    expect(read(line).declarations).toEqual([]);
  });

  it('takes a label of the greatest length', () => {
    expect(refusals(`store{team="t",service="${'x'.repeat(MAX_LABEL)}",data_type="ip"} 1`)).toEqual([]);
  });

  it('names the service and the label of a value that looks like personal data, in whichever label, and never the value', () => {
    const personal = fc.oneof(
      fc.emailAddress({ size: 'xsmall' }).filter((email) => !/["\\]/.test(email)),
      fc.ipV4(),
      fc.uuid(),
      fc.stringMatching(/^[1-9][0-9]{9}$/),
    );
    const place = fc.constantFrom('team', 'service', 'data_type', 'to_service');
    fc.assert(
      fc.property(personal, place, fc.boolean(), (value, label, exported) => {
        const labels: Record<string, string> = {
          team: 'growth',
          service: 'mailer',
          to_service: 'crm',
          data_type: 'name',
        };
        if (exported) labels[`exported_${label}`] = value;
        else labels[label] = value;
        const pairs = Object.entries(labels).map(([name, text]) => `${name}="${text}"`);
        const { declarations, rejections } = read(`transmit{${pairs.join(',')}} 1`);
        expect(declarations).toEqual([]);
        expect(rejections).toHaveLength(1);
        const [rejection] = rejections;
        expect(rejection?.message).toContain(`Label ${label} of`);
        expect(rejection?.service).toBe(label === 'service' ? null : 'mailer');
        expect(rejection?.team).toBe(label === 'team' ? null : 'growth');
        expect(JSON.stringify(rejection)).not.toContain(value);
      }),
    );
  });
});
