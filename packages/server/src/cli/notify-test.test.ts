import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { receiveMails } from '../../test/mail-server.ts';
import { runHabeas } from '../../test/run-habeas.ts';
import { receiveWebhooks } from '../../test/webhook-receiver.ts';

const SECRET = Buffer.alloc(32, 5).toString('base64');

/** Runs `habeas notify test` over a configuration. */
async function notifyTest(config: object, ...argv: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'habeas-notify-'));
  try {
    writeFileSync(join(folder, 'habeas.yaml'), JSON.stringify(config));
    const environment = { SHOP_HOOK_SECRET: SECRET };
    return await runHabeas(['notify', 'test', ...argv], { folder, environment, width: 120 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('habeas notify test', () => {
  it('sends each receiver a message, and says who took it and why another did not', async () => {
    await using mails = await receiveMails();
    await using good = await receiveWebhooks();
    await using bad = await receiveWebhooks();
    bad.answer = (response) => response.writeHead(404).end();
    const config = {
      networks: { allow_private: ['127.0.0.1'] },
      connections: [{ key: 'x', kind: 'postgres', team: 'x', url: '$' + '{UNSET}', datasets: ['x.yml'] }],
      teams: {
        shop: { mail: 'shop@acme.example', webhook: { url: good.url, secret: '$' + '{SHOP_HOOK_SECRET}' } },
      },
      notify: {
        smtp: { url: `smtp://localhost:${mails.port}`, from: 'habeas@acme.example' },
        webhooks: [{ name: 'siem', url: bad.url, secret: SECRET }],
      },
    };
    const all = await notifyTest(config);
    expect(all.out.split('\n').slice(0, 4)).toEqual([
      expect.stringMatching(/RECEIVER +TO +RESULT/),
      expect.stringMatching(/teams\.shop\.mail +shop@acme\.example +sent/),
      expect.stringMatching(/teams\.shop\.webhook +127\.0\.0\.1:\d+ +sent/),
      expect.stringMatching(/notify\.webhooks\.siem +127\.0\.0\.1:\d+ +.*answered with HTTP 404/),
    ]);
    expect(all.exit).toBe(1);
    expect(mails.mails.map(({ to, parsed }) => [to, parsed.subject])).toEqual([
      [['shop@acme.example'], 'Habeas: Messages of Habeas arrive here'],
    ]);
    const { headers = {}, body = '' } = good.messages[0] ?? {};
    const signed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    expect(new Webhook(SECRET).verify(body, signed)).toMatchObject({ type: 'notify.test' });

    const team = await notifyTest(config, '--team', 'shop', '--json');
    expect(team.exit).toBe(0);
    expect(team.json()).toEqual({
      items: [
        { receiver: 'teams.shop.mail', kind: 'mail', to: 'shop@acme.example', error: null },
        { receiver: 'teams.shop.webhook', kind: 'webhook', to: new URL(good.url).host, error: null },
      ],
      keys: [],
    });
    expect(bad.messages).toHaveLength(1);
  });

  it('says that nobody is told anything, and that a team is not', async () => {
    const nobody = await notifyTest({});
    expect([nobody.exit, nobody.out]).toEqual([0, expect.stringContaining('Nobody is told anything')]);
    const unknown = await notifyTest({}, '--team', 'shop');
    expect([unknown.exit, unknown.notes]).toEqual([
      2,
      expect.stringContaining('Nothing is told to a team shop'),
    ]);
  });
});
