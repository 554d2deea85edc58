import type { RequestListener } from 'node:http';
import { expect, it } from 'vitest';
import { servePages } from '../../../test/page-server.ts';
import { createOutbound, createOutboundPolicy, HabeasError } from '../../foundation/index.ts';
import type { Series } from './cut-series.ts';
import { createPrometheusApi, labelsOf } from './prometheus-api.ts';

const GOOD =
  '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1,"1"]}]}}';
const outbound = createOutbound({ policy: createOutboundPolicy({ allowPrivate: ['127.0.0.0/8'] }) });

async function ask(
  listener: RequestListener,
  limits: { readonly maxBytes?: number; readonly timeout?: number } = {},
) {
  await using server = await servePages(listener);
  const url = server.url.replace('/metrics', '');
  const { maxBytes = 10_000, timeout = 5_000 } = limits;
  const api = createPrometheusApi({ outbound, source: 'prod', url, headers: {}, maxBytes, timeout });
  try {
    const series: Series[] = [];
    const onSeries = (one: Series) => void series.push(one);
    const { warnings } = await api.query('up', {
      at: new Date(1_234_567),
      signal: new AbortController().signal,
      onSeries,
    });
    return { warnings, series: series.map((one) => ({ labels: labelsOf(one), value: one.value })) };
  } catch (error) {
    if (error instanceof HabeasError) return `${error.code} ${error.message}`;
    throw error;
  }
}

const json =
  (text: string, status = 200): RequestListener =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(text);
  };

it('asks by POST at an explicit time', async () => {
  let seen = '';
  const answer = await ask(async (request, response) => {
    seen = `${request.method} ${request.url} `;
    for await (const chunk of request) seen += String(chunk);
    response.setHeader('content-type', 'application/json').end(GOOD);
  });
  expect(seen).toBe('POST /api/v1/query query=up&time=1234.567');
  expect(answer).toEqual({ series: [{ labels: { a: 'b' }, value: 1 }], warnings: 0 });
});

it.each([
  ['status 503', json('upstream said: secret', 503), 'not an answer of Prometheus'],
  [
    '503 and text',
    ((_, response) => void response.writeHead(503).end('secret')) satisfies RequestListener,
    'prod answered with status 503.',
  ],
  [
    'an error',
    json('{"status":"error","errorType":"timeout","error":"secret"}', 503),
    'prod answered with status 503 and an error (timeout).',
  ],
  [
    '200 with an error',
    json('{"status":"error","errorType":"<b>","error":"secret"}'),
    'prod answered with status 200 and an error.',
  ],
  ['a wrong password', json('{"status":"error"}', 401), 'Is the token, or the password, right?'],
  [
    'a web page',
    ((_, response) =>
      void response.setHeader('content-type', 'text/html').end('<html>secret')) satisfies RequestListener,
    'prod answered with something that is not JSON.',
  ],
  ['half of JSON', json(GOOD.slice(0, -30)), 'not an answer of Prometheus'],
  [
    'another JSON',
    json('{"status":"success","data":{"resultType":"matrix","result":[]}}'),
    'not an answer of Prometheus',
  ],
  ['a series without a value', json(GOOD.replace('"value"', '"values"')), 'not an answer of Prometheus'],
  [
    'a redirect',
    ((_, response) => void response.writeHead(302, { location: '/secret' }).end()) satisfies RequestListener,
    'status 302',
  ],
])('takes nothing from %s, and names the source', async (_, listener, message) => {
  const told = await ask(listener);
  expect(told).toContain('SCRAPE_FAILED');
  expect(told).toContain('prod');
  expect(told).toContain(message);
  expect(told).not.toContain('secret');
});

it('gives up an answer that breaks off, hangs, or is too large', async () => {
  const broken: RequestListener = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1_000 });
    response.write(GOOD, () => response.destroy());
  };
  expect(await ask(broken)).toContain('prod could not be reached, or the connection broke');
  expect(await ask(() => undefined, { timeout: 100 })).toContain(
    'prod was not read to its end within 100 ms',
  );
  expect(await ask(json(GOOD), { maxBytes: 50 })).toContain('An answer of prod is larger than 50 bytes');
});

it('counts warnings and remarks', async () => {
  const text = GOOD.replace('{"status"', '{"warnings":["w","x"],"infos":["i"],"status"');
  expect(await ask(json(text))).toMatchObject({ warnings: 3 });
});
