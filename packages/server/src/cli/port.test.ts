import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { anyFreePort, ensurePortIsFree, holdFreePort } from './port.ts';

const HOST = '127.0.0.1';
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function occupy(answer: string): Promise<number> {
  const server = createServer((_request, response) => response.end(answer));
  servers.push(server);
  server.listen(0, HOST);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('a port that is taken', () => {
  it('is said to be taken by another Habeas, or by a program that a command names, and how to choose another', async () => {
    const habeas = await occupy('{"status":"ok","database":"ok"}');
    await expect(ensurePortIsFree({ host: HOST, port: habeas })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringMatching(new RegExp(`another Habeas server.*--port ${habeas + 1}`)),
    });
    const other = await occupy('<html>');
    await expect(ensurePortIsFree({ host: HOST, port: other })).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: expect.stringContaining(`lsof -i :${other}`),
    });
  });

  it('is passed over by who takes the next free one', async () => {
    const taken = await occupy('x');
    const next = await holdFreePort({ host: HOST, port: taken });
    expect(next.port).toBeGreaterThan(taken);
    const another = await holdFreePort({ host: HOST, port: taken });
    expect(another.port).toBeGreaterThan(next.port);
    await another.release();
    await next.release();
    await next.release();
    await ensurePortIsFree({ host: HOST, port: next.port });
    await expect(holdFreePort({ host: HOST, port: taken }, 1)).rejects.toMatchObject({ code: 'PORT_TAKEN' });
  });
});

describe('a port that is free', () => {
  it('is found and is fine', async () => {
    const port = await anyFreePort(HOST);
    await ensurePortIsFree({ host: HOST, port });
    const held = await holdFreePort({ host: HOST, port });
    expect(held.port).toBe(port);
    await held.release();
  });

  it('does not help on an address that this machine does not have', async () => {
    await expect(ensurePortIsFree({ host: '192.0.2.1', port: 7311 })).rejects.toMatchObject({
      code: 'BAD_INPUT',
    });
  });
});
