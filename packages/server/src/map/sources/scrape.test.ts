import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { Gauge, Registry } from '@prometheus-io/client';
import { describe, expect, it } from 'vitest';
import { servePages } from '../../../test/page-server.ts';
import { createOutbound, createOutboundPolicy } from '../../foundation/index.ts';
import type { Reading } from '../map-source.ts';
import { createPageSource } from './page-source.ts';
import { readAll } from './read-all.ts';
import { MAX_DECLARATIONS, type ScrapeOptions, scrape } from './scrape.ts';

const STORE = 'store{team="data",service="bigtable",data_type="ip"} 1\n';
const never = new AbortController().signal;
const outbound = createOutbound({ policy: createOutboundPolicy({ allowPrivate: ['127.0.0.0/8'] }) });
const limits = { outbound, prefix: 'personal_data_', timeout: 5_000, maxBytes: 1024 * 1024, signal: never };

async function scrapeFrom(listener: RequestListener, options: Partial<ScrapeOptions> = {}): Promise<Reading> {
  await using server = await servePages(listener);
  return await scrape({ ...limits, url: server.url, ...options });
}

function page(text: string | Buffer, type = 'text/plain; version=0.0.4'): RequestListener {
  return (_, response) => void response.setHeader('content-type', type).end(text);
}

function failureOf(reading: Reading) {
  return reading.state === 'failed'
    ? { code: reading.error.code, message: reading.error.message }
    : undefined;
}

describe('scrape', () => {
  it('reads a page of a real registry, asked for in either format', async () => {
    const registry = new Registry();
    new Gauge({
      name: 'store',
      help: 'h',
      labelNames: ['team', 'service', 'data_type'],
      registers: [registry],
    }).set({ team: 'data', service: 'bigtable', data_type: 'ip' }, 1);
    const reading = await scrapeFrom(async (request, response) => {
      expect(request.headers.accept).toContain('text/plain');
      response.setHeader('content-type', registry.contentType).end(await registry.metrics());
    });
    expect(reading).toMatchObject({
      state: 'read',
      declarations: [{ kind: 'store', team: 'data', service: 'bigtable', dataType: 'ip' }],
      problems: [],
      complete: true,
    });
  });

  it.each(['', 'text/plain', 'application/octet-stream', 'application/json', 'text/plain;charset=utf-8'])(
    'does not mind the content type "%s"',
    async (type) => {
      const reading = await scrapeFrom((_, response) => {
        if (type !== '') response.setHeader('content-type', type);
        response.end(STORE);
      });
      expect(reading).toMatchObject({ state: 'read', complete: true, declarations: [{}] });
    },
  );

  it('reads a compressed page, and one that comes in pieces that cut characters and lines', async () => {
    const text = `up 1\nstore{team="data",service="Dvořák 🦊",data_type="ip"} 1`;
    const expected = { state: 'read', complete: true, declarations: [{ service: 'Dvořák 🦊' }] };
    expect(
      await scrapeFrom((_, response) => {
        response.setHeader('content-encoding', 'gzip').end(gzipSync(text));
      }),
    ).toMatchObject(expected);
    const inPieces = await scrapeFrom(async (_, response) => {
      for (const byte of Buffer.from(text)) {
        if (!response.write(Buffer.of(byte))) await once(response, 'drain');
      }
      response.end();
    });
    expect(inPieces).toMatchObject(expected);
  });

  it('cuts off a page of 100 MB early, names the source, and holds none of it', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    const line = Buffer.from(STORE.repeat(1_000));
    const hundred = 100 * 1024 * 1024;
    let sent = 0;
    collectGarbage();
    const before = process.memoryUsage();
    let host: string | undefined;
    const reading = await scrapeFrom(async (request, response) => {
      host = request.headers.host;
      const gone = once(response, 'close');
      while (sent < hundred && !response.destroyed) {
        sent += line.length;
        if (!response.write(line)) await Promise.race([once(response, 'drain'), gone]);
      }
      response.end();
    });
    expect(failureOf(reading)).toEqual({
      code: 'SCRAPE_FAILED',
      message: `http://${host}/metrics is larger than 1048576 bytes and was cut off there. Publish less, or raise map.max_bytes.`,
    });
    expect(sent).toBeLessThan(hundred / 5);
    // The connection lets go of what it holds once it is closed.
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    const after = process.memoryUsage();
    expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(8 * 1024 * 1024);
  });

  it('counts the bytes of a page after decompression, and holds one endless line only in part', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, 'x'));
    const reading = await scrapeFrom((_, response) => {
      response.setHeader('content-encoding', 'gzip').end(bomb);
    });
    expect(failureOf(reading)).toMatchObject({ code: 'SCRAPE_FAILED' });
    const endless = await scrapeFrom(page(`store{team="${'x'.repeat(900_000)}\n${STORE}`));
    expect(endless).toMatchObject({ state: 'read', complete: false, declarations: [{}] });
    expect(endless.state === 'read' && endless.problems[0]).toMatch(/line 1 cannot be read: /);
  });

  it('tells broken lines by number and reads the others', async () => {
    const reading = await scrapeFrom(page(`up 1\n${STORE}store{team="data} 1\nother{ 1\n`));
    expect(reading).toMatchObject({ state: 'read', declarations: [{}], complete: false });
    expect(reading.state === 'read' && reading.problems).toEqual([
      `${reading.source} line 3 cannot be read: a label value does not end.`,
    ]);
  });

  it('does not take broken lines of other families, nor broken bytes in them, for its own', async () => {
    const bytes = Buffer.concat([
      Buffer.from('other{a="'),
      Buffer.of(0xff, 0xfe),
      Buffer.from(`"} 1\n??\n${STORE}`),
    ]);
    expect(await scrapeFrom(page(bytes))).toMatchObject({ state: 'read', complete: true, problems: [] });
  });

  it('gives up a page that hangs, before the first byte or in the middle', async () => {
    const message = expect.stringContaining('was not read to its end within 100 ms');
    const silent = await scrapeFrom(() => undefined, { timeout: 100 });
    expect(failureOf(silent)).toEqual({ code: 'SCRAPE_FAILED', message });
    const stuck = await scrapeFrom((_, response) => void response.write(STORE), { timeout: 100 });
    expect(failureOf(stuck)).toEqual({ code: 'SCRAPE_FAILED', message });
  });

  it.each([
    [
      'a web page',
      page('<!doctype html><html>', 'text/html; charset=utf-8'),
      'a web page instead of metrics',
    ],
    ['a web page that calls itself text', page('<!doctype html>\n<html>\n'), 'not a metrics page'],
    ['JSON', page('{"status":"ok"}', 'application/json'), 'not a metrics page'],
    ['status 503', answer(503), 'status 503 instead of 200'],
    ['status 204', answer(204), 'status 204 instead of 200'],
    ['a redirect', answer(302), 'Redirects are not followed'],
  ])('refuses %s', async (_, listener, message) => {
    expect(failureOf(await scrapeFrom(listener))?.message).toContain(message);
  });

  function answer(status: number): RequestListener {
    return (_, response) => {
      response.writeHead(status, { location: '/elsewhere', 'content-type': 'text/plain' }).end(STORE);
    };
  }

  it('does not follow a redirect', async () => {
    const seen: unknown[] = [];
    await scrapeFrom((request, response) => {
      seen.push(request.url);
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    expect(seen).toEqual(['/metrics']);
  });

  it('takes half a body for none, when its length was told', async () => {
    const promised = await scrapeFrom((_, response) => {
      response.setHeader('content-length', '1000');
      response.write(STORE, () => response.destroy());
    });
    expect(failureOf(promised)?.message).toContain('could not be reached, or the connection broke');
    const chunked = await scrapeFrom((_, response) => {
      response.write(STORE, () => response.destroy());
    });
    expect(failureOf(chunked)?.message).toContain('could not be reached, or the connection broke');
  });

  it('does not trust the end of a page that may have been cut off', async () => {
    const complete = async (text: string) => {
      const server = createServer((socket) => {
        socket.once('data', () => socket.end(`HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\n${text}`));
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      const port = typeof address === 'object' ? address?.port : 0;
      try {
        const reading = await scrape({ ...limits, url: `http://127.0.0.1:${port}/metrics` });
        return reading.state === 'read' ? [reading.declarations.length, reading.complete] : reading.error;
      } finally {
        server.close();
      }
    };
    expect(await complete(STORE + STORE.replace('ip', 'name'))).toEqual([2, true]);
    expect(await complete(STORE + STORE.replace('ip', 'name').trimEnd())).toEqual([2, false]);
  });

  it.each([
    [`${STORE}# EOF\n`, true],
    [STORE, false],
    [`${STORE}# EOF\n${STORE}`, false],
  ])('wants # EOF at the end of an OpenMetrics page', async (text, complete) => {
    const reading = await scrapeFrom(page(text, 'application/openmetrics-text; version=1.0.0'));
    expect(reading).toMatchObject({ state: 'read', declarations: [{}], complete });
  });

  it('does not take an empty page for a service that stopped declaring', async () => {
    for (const text of ['', '\n', '# HELP nothing\n']) {
      expect(await scrapeFrom(page(text))).toMatchObject({
        state: 'read',
        declarations: [],
        complete: false,
      });
    }
    expect(await scrapeFrom(page('up 1\n'))).toMatchObject({
      state: 'read',
      declarations: [],
      complete: true,
    });
  });

  it('refuses a page with more declarations than a company can have', async () => {
    const lines = Array.from(
      { length: MAX_DECLARATIONS + 1 },
      (_, index) => `store{team="t",service="s${index}",data_type="ip"} 1\n`,
    );
    const reading = await scrapeFrom(page(lines.join('')), { maxBytes: 8 * 1024 * 1024 });
    expect(failureOf(reading)?.code).toBe('EXPOSITION_INVALID');
  });

  it('says that nobody listens, without the user, password and query of the URL', async () => {
    const server = await servePages(page(STORE));
    await server.close();
    const { host } = new URL(server.url);
    const reading = await scrape({ ...limits, url: `http://ada:secret@${host}/metrics?token=secret` });
    expect(failureOf(reading)?.message).toContain(`http://${host}/metrics`);
    expect(failureOf(reading)?.message).toContain('(ECONNREFUSED)');
    expect(JSON.stringify([reading.source, failureOf(reading)])).not.toMatch(/secret|ada/);
  });

  it('signs in with the user and password of the URL', async () => {
    const seen: unknown[] = [];
    await using server = await servePages((request, response) => {
      seen.push(request.headers.authorization);
      response.end(STORE);
    });
    const reading = await scrape({ ...limits, url: server.url.replace('://', '://ada:p%40ss@') });
    expect(reading.state).toBe('read');
    expect(seen).toEqual([`Basic ${Buffer.from('ada:p@ss').toString('base64')}`]);
  });

  it('never repeats a hostile label value', async () => {
    const secrets = ['ada@example.org', '4159265358', '"><script>alert(1)</script>@x', '$(reboot)@y.example'];
    const lines = secrets.map(
      (text) => `store{team="data",service="b",data_type=${JSON.stringify(text)}} 1\n`,
    );
    const reading = await scrapeFrom(page(lines.join('')));
    const told = JSON.stringify(reading);
    expect(reading).toMatchObject({ state: 'read', declarations: [], complete: false });
    for (const secret of secrets) expect(told).not.toContain(secret.slice(0, 8));
  });
});

describe('readAll', () => {
  it('reads several pages at once, never more than it may, and lets none stop the others', async () => {
    let running = 0;
    let most = 0;
    const held: ServerResponse[] = [];
    await using hung = await servePages(() => undefined);
    await using good = await servePages((request, response) => {
      running += 1;
      most = Math.max(most, running);
      held.push(response);
      // Answers only when all slots but the hanging one are taken, so that the test sees how many run at once.
      if (held.length < 3) return;
      for (const one of held.splice(0)) {
        running -= 1;
        one.end(STORE);
      }
      request.resume();
    });
    const urls = [hung.url, ...Array.from({ length: 9 }, (_, index) => `${good.url}?n=${index}`)];
    const readings: Reading[] = [];
    await readAll({
      sources: urls.map((url) => createPageSource({ ...limits, timeout: 1_000, url })),
      signal: never,
      concurrency: 4,
      now: () => new Date(0),
      onReading: async (reading) => void readings.push(reading),
    });
    expect(most).toBe(3);
    expect(readings.filter((reading) => reading.state === 'read')).toHaveLength(9);
    expect(readings.filter((reading) => reading.state === 'failed')).toHaveLength(1);
    expect(new Set(readings.map((reading) => reading.source)).size).toBe(10);
  });

  it('reads the other pages to the end when one cannot be stored, and then says so', async () => {
    await using server = await servePages(page(STORE));
    const urls = [0, 1, 2, 3, 4].map((n) => `${server.url}?n=${n}`);
    let stored = 0;
    const all = readAll({
      sources: urls.map((url) => createPageSource({ ...limits, url })),
      signal: never,
      concurrency: 2,
      now: () => new Date(0),
      onReading: async () => {
        stored += 1;
        if (stored === 1) throw new Error('the database is away');
      },
    });
    await expect(all).rejects.toThrow('the database is away');
    expect(stored).toBe(5);
  });
});
