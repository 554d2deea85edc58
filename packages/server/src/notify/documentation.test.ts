import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { eventually } from '../../test/eventually.ts';
import { freePort } from '../../test/free-port.ts';
import { signStandardWebhook } from '../access/index.ts';
import { parseConfig, systemClock } from '../foundation/index.ts';
import { createCourier } from './courier.ts';
import { receiversOf } from './receivers.ts';
import { sendTest } from './send-test.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const page = readFileSync(`${root}docs/notifications.md`, 'utf8');
const SECRET = Buffer.alloc(32, 3).toString('base64');

it('docs/notifications.md shows a configuration with the receivers that it speaks of', () => {
  const [, text = ''] = /```yaml\n(.*?)```/s.exec(page) ?? [];
  const environment = { SHOP_HOOK_SECRET: SECRET, SIEM_HOOK_SECRET: SECRET };
  const config = parseConfig({ text, file: 'habeas.yaml', environment });
  expect(receiversOf(config).map(({ name }) => name)).toEqual([
    'teams.shop.mail',
    'teams.shop.webhook',
    'teams.data.mail',
    'notify.officer.mail',
    'notify.operators.mail',
    'notify.webhooks.siem',
  ]);
});

it('docs/examples/receive-webhooks.ts takes what Habeas signs, and nothing else', async () => {
  const port = await freePort();
  const child = spawn(process.execPath, [`${root}docs/examples/receive-webhooks.ts`], {
    env: { ...process.env, PORT: String(port), SHOP_HOOK_SECRET: SECRET },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  try {
    const test = async (secret: string) => {
      const url = `http://127.0.0.1:${port}/`;
      const value = {
        teams: { shop: { webhook: { url, secret } } },
        networks: { allow_private: ['127.0.0.1'] },
      };
      const config = parseConfig({ text: JSON.stringify(value), file: 'habeas.yaml', environment: {} });
      const courier = createCourier({ config, clock: systemClock, sign: signStandardWebhook });
      const { signal } = new AbortController();
      const options = { organizationId: 'acme', now: new Date(), signal };
      const [result] = await sendTest({ ...options, courier, receivers: receiversOf(config) });
      courier.close();
      return result?.error?.message;
    };
    await eventually('it takes a message', async () => (await test(SECRET)) === undefined);
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { type: 'notify.test', data: { receiver: 'teams.shop.webhook' } },
    ]);
    expect(await test(Buffer.alloc(32, 4).toString('base64'))).toContain('HTTP 401');
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
});
