import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createNetServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createOutbound, type NameLookup } from './outbound.ts';
import { formatOutboundAddress, parseOutboundAddress } from './outbound-address.ts';
import { createOutboundPolicy } from './outbound-policy.ts';
import { createHttpClient, type HttpCall } from './outbound-request.ts';

const HOSTILE_SPELLINGS = [
  '',
  'example.org',
  ':80',
  'example.org:',
  'example.org:0',
  'example.org:65536',
  'example.org:080',
  'example.org:+80',
  'example.org:8e1',
  'example.org:80 ',
  ' example.org:80',
  'example.org:80\n',
  'example.org\n.evil.org:80',
  'example.org:80/path',
  'example.org:80?query',
  'example.org:80#fragment',
  'example.org/:80',
  'example.org:80:80',
  'user@example.org:80',
  'user:password@example.org:80',
  'http://example.org:80',
  'https://example.org:80',
  '//example.org:80',
  'unix:/var/run/docker.sock',
  'unix:///var/run/docker.sock:80',
  'unix-abstract:name:80',
  'dns:example.org:80',
  'dns:///example.org:80',
  'dns://8.8.8.8/example.org:80',
  'ipv4:127.0.0.1:80',
  'ipv6:[::1]:80',
  'xds:///service:80',
  'passthrough:///127.0.0.1:80',
  'file:///etc/passwd:80',
  'vsock:1:80',
  '2130706433:80',
  '0x7f000001:80',
  '0x7f.0x0.0x0.0x1:80',
  '0x:80',
  '017700000001:80',
  '0177.0.0.1:80',
  '127.1:80',
  '127.0.1:80',
  '127.0.0.01:80',
  '127.0.0.1.:80',
  '127.0.0.256:80',
  '127.0.0.0x1:80',
  '1.1.1.1.1:80',
  'example.1:80',
  'example.0x1:80',
  '①②⑦.⓪.⓪.①:80',
  '127。0。0。1:80',
  'exаmple.org:80',
  'ⓔxample.org:80',
  'exa%6dple.org:80',
  'example.org%00.evil.org:80',
  'example.org\0:80',
  'example..org:80',
  '.example.org:80',
  'example.org.:80',
  '-example.org:80',
  'example-.org:80',
  '*.example.org:80',
  'exa mple.org:80',
  'exa\tmple.org:80',
  '$(id).example.org:80',
  `${'a'.repeat(64)}.org:80`,
  `${'a.'.repeat(127)}org:80`,
  '::1:80',
  '[::1]',
  '[::1]:0',
  '[::1%eth0]:80',
  '[fe80::1%25eth0]:80',
  '[::1]evil:80',
  '[[::1]]:80',
  '[127.0.0.1]:80',
  '[:::1]:80',
  '[::ffff:999.0.0.1]:80',
  '[v1.fe80]:80',
];

/** Right spellings that lead to where Habeas does not go by itself. */
const NOT_PUBLIC = [
  '127.0.0.1:80',
  '127.255.255.254:80',
  '0.0.0.0:80',
  '10.0.0.1:80',
  '172.16.0.1:80',
  '172.31.255.255:80',
  '192.168.1.1:80',
  '169.254.1.1:80',
  '169.254.169.254:80',
  '100.64.0.1:80',
  '100.100.100.200:80',
  '168.63.129.16:80',
  '192.0.0.192:80',
  '192.0.2.1:80',
  '198.18.0.1:80',
  '203.0.113.1:80',
  '224.0.0.1:80',
  '240.0.0.1:80',
  '255.255.255.255:80',
  '[::]:80',
  '[::1]:80',
  '[0:0:0:0:0:0:0:1]:80',
  '[::ffff:127.0.0.1]:80',
  '[::ffff:7f00:1]:80',
  '[::ffff:0:127.0.0.1]:80',
  '[::127.0.0.1]:80',
  '[64:ff9b::7f00:1]:80',
  '[64:ff9b:1::7f00:1]:80',
  '[2002:7f00:1::]:80',
  '[2001::1]:80',
  '[fe80::1]:80',
  '[fec0::1]:80',
  '[fc00::1]:80',
  '[fd00:ec2::254]:80',
  '[ff02::1]:80',
  '[100::1]:80',
  '[2001:db8::1]:80',
  '[5f00::1]:80',
];

const publicOnly = createOutboundPolicy({ allowPrivate: [] });
const REFUSED = expect.objectContaining({ code: 'ADDRESS_NOT_APPROVED' });

async function listen(
  onRequest: RequestListener,
): Promise<{ readonly port: number; readonly sockets: () => number }> {
  const server = createServer(onRequest);
  let sockets = 0;
  server.on('connection', () => {
    sockets += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { port: (server.address() as AddressInfo).port, sockets: () => sockets };
}

function lookupOf(...answers: readonly (readonly string[])[]): {
  readonly lookup: NameLookup;
  readonly asked: string[];
} {
  const asked: string[] = [];
  return {
    asked,
    lookup: (host, done) => {
      const answer = answers[Math.min(asked.length, answers.length - 1)] ?? [];
      asked.push(host);
      const found = answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      process.nextTick(() => done(null, found));
    },
  };
}

async function ended(socket: Socket): Promise<'connected' | Error> {
  const end = await new Promise<'connected' | Error>((resolve) => {
    socket.once('connect', () => resolve('connected'));
    socket.once('error', resolve);
  });
  socket.destroy();
  return end;
}

const CALL: HttpCall = {
  method: 'GET',
  path: '/',
  headers: {},
  timeout: 5_000,
  maxBytes: 1_000,
  signal: new AbortController().signal,
};

function clientTo(port: number) {
  const policy = createOutboundPolicy({ allowPrivate: ['127.0.0.0/8'] });
  const address = parseOutboundAddress(`127.0.0.1:${port}`);
  const client = createHttpClient({ outbound: createOutbound({ policy }), address });
  onTestFinished(() => client.close());
  return client;
}

describe('an outbound address', () => {
  it.each(HOSTILE_SPELLINGS)('is not %j', (text) => {
    expect(() => parseOutboundAddress(text)).toThrow(REFUSED);
  });

  it('has a host and a port', () => {
    const spellings = [
      'Example.ORG:443',
      'pd-client.data.svc:1337',
      'a_b.c:1',
      '1.2.3.4:65535',
      '[2606:4700::1]:80',
    ];
    expect(spellings.map(parseOutboundAddress).map(formatOutboundAddress)).toEqual([
      'example.org:443',
      'pd-client.data.svc:1337',
      'a_b.c:1',
      '1.2.3.4:65535',
      '[2606:4700::1]:80',
    ]);
  });

  it('is never something that URL reads as another host', () => {
    const text = fc.stringMatching(/^[a-z0-9.:[\]@/x%-]{1,20}:\d{1,5}$/);
    fc.assert(
      fc.property(text, (given) => {
        let parsed: ReturnType<typeof parseOutboundAddress>;
        try {
          parsed = parseOutboundAddress(given);
        } catch {
          return;
        }
        expect(new URL(`http://${given}`).hostname).toBe(
          new URL(`http://${formatOutboundAddress(parsed)}`).hostname,
        );
        if (parsed.ip === undefined) expect(new URL(`http://${given}`).hostname).toBe(parsed.host);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the outbound policy', () => {
  it.each(NOT_PUBLIC)('does not go to %s by itself', (text) => {
    const address = parseOutboundAddress(text);
    expect(publicOnly(address, address.ip?.toString() ?? '')).toBe(false);
    expect(() => createOutbound({ policy: publicOnly }).connect(address)).toThrow(REFUSED);
  });

  it('goes to public addresses', () => {
    for (const ip of ['1.1.1.1', '93.184.216.34', '2606:4700:4700::1111', '::ffff:1.1.1.1']) {
      expect(publicOnly({ host: 'example.org', port: 443 }, ip)).toBe(true);
    }
  });

  it('goes to private addresses as far as the configuration says', () => {
    const policy = createOutboundPolicy({
      allowPrivate: ['10.1.0.0/16', '192.168.7.7', 'fd12::/16'],
      allow: ['pd.internal', 'pd2.internal:1337', '127.0.0.1', '172.16.0.0/24', '8.8.8.8:53'],
    });
    const to = (host: string, port: number, ip: string) => policy({ host, port }, ip);
    expect(to('a', 1, '10.1.2.3')).toBe(true);
    expect(to('a', 1, '::ffff:10.1.2.3')).toBe(true);
    expect(to('a', 1, '10.2.0.1')).toBe(false);
    expect(to('a', 1, '192.168.7.7')).toBe(true);
    expect(to('a', 1, '192.168.7.8')).toBe(false);
    expect(to('a', 1, 'fd12::1')).toBe(true);
    expect(to('a', 1, 'fd13::1')).toBe(false);
    expect(to('pd.internal', 9, '10.9.9.9')).toBe(true);
    expect(to('pd2.internal', 1337, '10.9.9.9')).toBe(true);
    expect(to('pd2.internal', 1338, '10.9.9.9')).toBe(false);
    expect(to('a', 1, '172.16.0.9')).toBe(true);
    expect(to('a', 1, '172.16.1.9')).toBe(false);
  });

  it('goes to metadata addresses only where exactly that one is allowed, and never to no machine or to many', () => {
    const wide = createOutboundPolicy({ allowPrivate: ['0.0.0.0/0', '::/0'], allow: ['metadata.internal'] });
    const host = { host: 'metadata.internal', port: 80 };
    for (const ip of [
      '169.254.169.254',
      '::ffff:169.254.169.254',
      '100.100.100.200',
      'fd00:ec2::254',
      '0.0.0.0',
      '::',
      '224.0.0.1',
      '255.255.255.255',
    ]) {
      expect(wide(host, ip)).toBe(false);
    }
    expect(wide(host, '169.254.1.1')).toBe(true);
    expect(createOutboundPolicy({ allowPrivate: ['169.254.169.254'] })(host, '169.254.169.254')).toBe(true);
  });

  it('refuses entries that it cannot read', () => {
    const invalid = expect.objectContaining({ code: 'CONFIG_INVALID' });
    for (const entry of ['10.1', 'example.org', '10.0.0.0/33', '0x0a000000/8', '']) {
      expect(() => createOutboundPolicy({ allowPrivate: [entry] })).toThrow(invalid);
    }
    for (const entry of ['http://example.org', 'a b', '*.svc', '127.1', '']) {
      expect(() => createOutboundPolicy({ allowPrivate: [], allow: [entry] })).toThrow(invalid);
    }
  });
});

describe('an outbound connection', () => {
  it('goes to the address that was checked, however the DNS answers the next time', async () => {
    const server = await listen((_, response) => response.end());
    const policy = createOutboundPolicy({ allowPrivate: ['127.0.0.1'] });
    // The first answer is asked about and used; a second look would lead to ::1, where nobody listens.
    const { lookup, asked } = lookupOf(['127.0.0.1'], ['::1']);
    const outbound = createOutbound({ policy, lookup });
    expect(await ended(outbound.connect(parseOutboundAddress(`pd.example.org:${server.port}`)))).toBe(
      'connected',
    );
    expect(asked).toEqual(['pd.example.org']);
    expect(await ended(outbound.connect(parseOutboundAddress(`pd.example.org:${server.port}`)))).toEqual(
      REFUSED,
    );
  });

  it('never goes to an address that a name has besides a good one', async () => {
    const server = await listen((_, response) => response.end());
    const { lookup } = lookupOf(['127.0.0.1', '::1', '169.254.169.254']);
    const outbound = createOutbound({ policy: publicOnly, lookup });
    expect(await ended(outbound.connect(parseOutboundAddress(`rebind.example.org:${server.port}`)))).toEqual(
      REFUSED,
    );
    expect(server.sockets()).toBe(0);
  });
});

describe('an outbound HTTP call', () => {
  it('brings status, type and body, over one connection for many calls', async () => {
    const server = await listen((request, response) => {
      response
        .writeHead(201, { 'content-type': 'text/x' })
        .end(`${request.method} ${request.url} ${request.headers.host}`);
    });
    const client = clientTo(server.port);
    for (let index = 0; index < 3; index += 1) {
      const reply = await client.call({ ...CALL, path: `/${index}` });
      expect([reply.status, reply.contentType, reply.body.toString()]).toEqual([
        201,
        'text/x',
        `GET /${index} 127.0.0.1:${server.port}`,
      ]);
    }
    expect(server.sockets()).toBe(1);
  });

  it('does not follow a redirect', async () => {
    const paths: (string | undefined)[] = [];
    const server = await listen((request, response) => {
      paths.push(request.url);
      response.writeHead(307, { location: '/elsewhere' }).end();
    });
    expect((await clientTo(server.port).call(CALL)).status).toBe(307);
    expect(paths).toEqual(['/']);
  });

  it('ends at the limit of bytes, with or without a length', async () => {
    const server = await listen((_, response) => {
      const write = () => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
        response.once('drain', write);
      };
      write();
    });
    await expect(clientTo(server.port).call(CALL)).rejects.toMatchObject({ code: 'SYSTEM_GARBAGE' });
  });

  it('ends at the limit of time, whether nothing comes or a byte now and then', async () => {
    const silent = await listen(() => undefined);
    await expect(clientTo(silent.port).call({ ...CALL, timeout: 50 })).rejects.toMatchObject({
      code: 'SYSTEM_TIMEOUT',
      retryable: true,
    });
    const slow = await listen((_, response) => {
      const timer = setInterval(() => response.write('x'), 10);
      response.once('close', () => clearInterval(timer));
    });
    await expect(clientTo(slow.port).call({ ...CALL, timeout: 100 })).rejects.toMatchObject({
      code: 'SYSTEM_TIMEOUT',
    });
  });

  it('says that nobody is there, and that what is there speaks something else', async () => {
    const server = createNetServer((socket) => socket.resume().end('SSH-2.0-OpenSSH_9.2\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(clientTo(port).call(CALL)).rejects.toMatchObject({ code: 'SYSTEM_GARBAGE' });
    await new Promise((resolve) => server.close(resolve));
    await expect(clientTo(port).call(CALL)).rejects.toMatchObject({
      code: 'SYSTEM_UNREACHABLE',
      retryable: true,
    });
  });

  it('sends a call again when the kept connection was closed meanwhile', async () => {
    let calls = 0;
    const server = await listen((request, response) => {
      calls += 1;
      // The second call finds its connection cut without an answer.
      if (calls === 2) request.socket.destroy();
      else response.end('ok');
    });
    const client = clientTo(server.port);
    await client.call(CALL);
    expect((await client.call(CALL)).body.toString()).toBe('ok');
    expect([calls, server.sockets()]).toEqual([3, 2]);
  });

  it('ends with its signal', async () => {
    const server = await listen(() => abort.abort(new Error('enough')));
    const abort = new AbortController();
    await expect(clientTo(server.port).call({ ...CALL, signal: abort.signal })).rejects.toThrow('enough');
  });
});
