import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../test/eventually.ts';
import { type HabeasHouse, openHabeasHouse } from '../../test/habeas-house.ts';
import { startNats } from '../../test/nats-server.ts';
import { serveMetrics } from '../../test/page-server.ts';
import { PARTNER_CA, PARTNER_CERTIFICATE, PARTNER_KEY } from '../../test/partner-certificates.ts';
import { requireProgram } from '../../test/requirements.ts';
import type { HabeasResult } from '../../test/run-habeas.ts';
import { receiveWebhooks } from '../../test/webhook-receiver.ts';

const SECRET = Buffer.alloc(32, 5).toString('base64');

let house: HabeasHouse;
beforeEach(async () => {
  house = await openHabeasHouse();
});
afterEach(() => house[Symbol.asyncDispose]());

const configure = (config: object) =>
  writeFileSync(
    join(house.folder, 'habeas.yaml'),
    JSON.stringify({ networks: { allow_private: ['127.0.0.1'] }, ...config }),
  );

/** A server, and the command line that asks it. */
async function serve(): Promise<(...argv: readonly string[]) => Promise<HabeasResult>> {
  const { url, key } = await house.serve();
  return (...argv) => house.run(argv, { HABEAS_URL: url, HABEAS_API_KEY: key });
}

interface Line {
  readonly what: string;
  readonly verdict: string;
  readonly finding: string;
  readonly next?: string;
}

/** What the doctor says of these things. */
async function doctorSays(what: RegExp): Promise<readonly Line[]> {
  const { items } = (await house.run(['doctor', '--json'])).json() as { readonly items: readonly Line[] };
  return items.filter((item) => what.test(item.what));
}

describe('habeas webhooks', () => {
  it('lists one that answered 410 and what it lost, enables it, and sends what it lost again', async () => {
    await using siem = await receiveWebhooks();
    siem.answer = (response) => response.writeHead(410).end();
    await using page = await serveMetrics('store{team="data",service="bigtable",data_type="ip"} 1\n');
    const name = 'notify.webhooks.siem';
    configure({
      map: { scrape: [{ url: page.url }] },
      notify: { webhooks: [{ name: 'siem', url: siem.url, secret: SECRET, events: ['map.*'] }] },
    });
    const habeas = await serve();
    const listed = async () => {
      const { items } = (await habeas('webhooks', '--json')).json() as {
        readonly items: readonly { readonly name: string; readonly disabled_at: string | null }[];
      };
      return items;
    };
    await eventually('it is disabled', async () => (await listed())[0]?.disabled_at !== null);
    expect(await listed()).toMatchObject([{ name, host: new URL(siem.url).host }]);
    expect((await habeas('webhooks', 'list')).out).toMatch(
      /^notify\.webhooks\.siem .*disabled since [\s\S]*: it answered 410$/m,
    );
    expect(await doctorSays(/^receiver/)).toEqual([
      {
        what: `receiver ${name}`,
        verdict: 'warn',
        finding: expect.stringContaining('answered 410'),
        next: `habeas webhooks enable ${name}`,
      },
    ]);

    siem.answer = (response) => response.writeHead(204).end();
    const before = siem.messages.length;
    const enabled = await habeas('webhooks', 'enable', name);
    expect([enabled.exit, enabled.out]).toEqual([0, expect.stringMatching(/ well$/m)]);
    await eventually('it goes on', () => siem.messages.length > before);
    expect(await doctorSays(/^receiver/)).toEqual([]);

    expect((await habeas('webhooks', 'dead')).out).toBe('There are no dead letters.\n');
    // As after the 75 hours of ten tries.
    const { id, type } = JSON.parse(siem.messages.at(-1)?.body ?? '');
    await house.database.pool.query(
      `insert into notify_dead_letters (organization_id, subscription, event_id, sequence, type, at, given_up_at, error)
       select organization_id, $1, id, sequence, type, at, now(), 'SYSTEM_REFUSED' from outbox_events where id = $2`,
      [name, id],
    );
    const dead = await habeas('webhooks', 'dead', '--receiver', name, '--json');
    expect(dead.json()).toMatchObject({ items: [{ event: id, type, receiver: name }] });
    expect((await habeas('webhooks', 'dead')).out).toContain(id);
    expect(await doctorSays(/^receiver/)).toMatchObject([{ finding: expect.stringContaining('lost 1 ') }]);
    const again = siem.messages.length;
    const replayed = await habeas('webhooks', 'replay', name, id);
    expect([replayed.exit, replayed.out]).toEqual([0, `1 message sent again to ${name}.\n`]);
    await eventually('it comes again', () =>
      siem.messages.slice(again).some(({ body }) => JSON.parse(body).id === id),
    );
    const unknown = await habeas('webhooks', 'enable', 'notify.webhooks.none');
    expect([unknown.exit, unknown.notes]).toEqual([2, expect.stringContaining('NOT_FOUND')]);
  });
});

describe('habeas partners', () => {
  it('registers, lists, limits and revokes partners, and shows a token once', async () => {
    configure({});
    const habeas = await serve();
    const origin = 'https://dsr.controller.example';
    const made = await habeas('partners', 'add-controller', 'ctl-1', '--name', 'One', '--callback', origin);
    const [token = ''] = /habeas_partner_[a-z0-9]{52}/.exec(made.out) ?? [];
    expect([made.exit, token]).toEqual([0, expect.stringMatching(/./)]);
    writeFileSync(
      join(house.folder, 'agents.json'),
      JSON.stringify([{ id: 'AGENT', name: 'An agent', verify_key: Buffer.alloc(32, 1).toString('base64') }]),
    );
    const added = await habeas('partners', 'add-agents', 'agents.json', '--callback', 'https://a.example');
    expect([added.exit, added.out]).toEqual([0, expect.stringMatching(/ DRP +AGENT +An agent +registered/)]);
    writeFileSync(join(house.folder, 'agents.json'), '[{ "id": "AGENT" }]');
    const bad = await habeas('partners', 'add-agents', 'agents.json');
    expect([bad.exit, bad.notes]).toEqual([2, expect.stringContaining('is not a list of agents')]);

    const list = async () =>
      (await habeas('partners', '--json')).json() as {
        readonly items: readonly {
          readonly id: string;
          readonly partner_id: string;
          readonly callback_origins: readonly string[];
          readonly revoked_at: string | null;
        }[];
      };
    const { items } = await list();
    expect(items.map(({ partner_id: id, callback_origins: origins }) => [id, origins]).toSorted()).toEqual([
      ['AGENT', ['https://a.example']],
      ['ctl-1', [origin]],
    ]);
    const id = items.find(({ partner_id }) => partner_id === 'ctl-1')?.id ?? '';
    const moved = await habeas('partners', 'allow-callbacks', id, 'https://other.example');
    expect(moved.out).toBe('Partner ctl-1 may be called at https://other.example.\n');
    expect((await habeas('partners', 'allow-callbacks', id)).out).toBe('Partner ctl-1 is not called.\n');
    expect((await habeas('partners', 'revoke', id)).out).toBe('Partner ctl-1 is revoked.\n');
    const shown = await habeas('partners', 'list');
    expect(shown.out).toMatch(/ OpenDSR +ctl-1 +One +revoked \d{4}-\d\d-\d\d/);
    for (const { out } of [shown, await habeas('partners', '--json')]) expect(out).not.toContain(token);
    const unknown = await habeas('partners', 'revoke', 'none');
    expect([unknown.exit, unknown.notes]).toEqual([2, expect.stringContaining('NOT_FOUND')]);
  });

  it('are in the words of the doctor: a certificate that can be used, and one whose key is another', async () => {
    mkdirSync(join(house.folder, 'tls'));
    const put = (name: string, text: string) => writeFileSync(join(house.folder, 'tls', name), text);
    put('chain.pem', `${PARTNER_CERTIFICATE}${PARTNER_CA}`);
    put('key.pem', PARTNER_KEY);
    configure({
      partners: {
        opendsr: {
          domain: 'dsr.acme.example',
          certificate: 'tls/chain.pem',
          key: 'tls/key.pem',
          identities: { email: 'email' },
        },
      },
    });
    await (await house.serve()).stop();
    expect(await doctorSays(/^OpenDSR/)).toEqual([
      {
        what: 'OpenDSR certificate',
        verdict: 'ok',
        finding: expect.stringMatching(/^The certificate for dsr\.acme\.example is valid until \d{4}-/),
      },
    ]);
    put('chain.pem', PARTNER_CA);
    expect(await doctorSays(/^OpenDSR/)).toMatchObject([
      { verdict: 'fail', next: expect.stringContaining('docs/partners-opendsr.md') },
    ]);
    expect((await house.run(['doctor'])).exit).toBe(1);
  });
});

describe('habeas request deadline', () => {
  it('shows what is due, and every move of it with its reason', async () => {
    await using page = await serveMetrics('store{team="data",service="bigtable",data_type="ip"} 1\n');
    configure({ map: { scrape: [{ url: page.url }] } });
    const habeas = await serve();
    // Nothing reaches the store, so the request waits for its ticket.
    const made = await habeas('request', 'access', '--email', 'ada@example.org', '--json');
    const { id } = made.json() as { readonly id: string };
    const due = async () =>
      (await habeas('request', 'deadline', id, '--json')).json() as {
        readonly due_at: string;
        readonly clock_stopped_at: string | null;
        readonly acknowledged_at: string | null;
        readonly changes: readonly { readonly kind: string; readonly reason: string | null }[];
      };
    const first = await due();
    expect((await habeas('request', 'deadline', id)).out).toMatch(/^Due \d{4}-\d\d-\d\d .*\(gdpr\)\n/);

    const extended = await habeas('request', 'extend', id, '--reason', 'ComplexityOfProcess');
    expect([extended.exit, extended.out]).toEqual([
      0,
      expect.stringContaining('#ComplexityOfProcess) by key:'),
    ]);
    const second = await due();
    expect(Date.parse(second.due_at) - Date.parse(first.due_at)).toBeGreaterThan(55 * 86_400_000);
    const twice = await habeas('request', 'extend', id, '--reason', 'ComplexityOfProcess');
    expect([twice.exit, twice.notes]).toEqual([2, expect.stringContaining('CONFLICT')]);
    expect((await due()).due_at).toBe(second.due_at);

    const stopped = await habeas('request', 'stop-clock', id, '--reason', 'identity');
    expect([stopped.exit, stopped.out]).toEqual([0, expect.stringContaining('The clock stands still since')]);
    expect((await due()).clock_stopped_at).not.toBeNull();
    const resumed = await habeas('request', 'resume-clock', id);
    expect([resumed.exit, resumed.out]).toEqual([0, expect.not.stringContaining('stands still')]);
    const acknowledged = await habeas('request', 'acknowledge', id);
    expect([acknowledged.exit, acknowledged.out]).toEqual([
      0,
      expect.stringContaining('Receipt was confirmed'),
    ]);
    const last = await due();
    expect(last.acknowledged_at).not.toBeNull();
    expect(last.changes.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/#ComplexityOfProcess$/),
        expect.stringMatching(/identity/i),
      ]),
    );
    const without = await habeas('request', 'extend', id);
    expect([without.exit, without.notes]).toEqual([2, expect.stringContaining('--reason')]);
  });
});

describe('habeas doctor', () => {
  it('names what is paused, why, and how it goes on', async () => {
    configure({});
    const habeas = await serve();
    expect(await doctorSays(/^work/)).toEqual([]);
    expect((await habeas('pause', '--reason', 'the audit runs')).exit).toBe(0);
    expect(await doctorSays(/^work/)).toEqual([
      {
        what: 'work of the organization',
        verdict: 'warn',
        finding: expect.stringMatching(/^It is paused since .* by key:\S+: the audit runs$/),
        next: 'When it may go on: habeas resume',
      },
    ]);
    expect((await house.run(['doctor'])).out).toMatch(/^warn +work of the organiz/m);
    expect((await habeas('resume')).exit).toBe(0);
    expect(await doctorSays(/^work/)).toEqual([]);
  });

  it.skipIf(requireProgram('nats-server', '--version') === undefined)(
    'says whether NATS answers',
    async () => {
      await using nats = await startNats();
      configure({ streams: { nats: { servers: [nats.url] } } });
      await (await house.serve()).stop();
      expect(await doctorSays(/^streams/)).toEqual([
        {
          what: 'streams',
          verdict: 'ok',
          finding: expect.stringMatching(
            /^NATS at 127\.0\.0\.1:\d+ answers; 0 kinds of events are followed\.$/,
          ),
        },
      ]);
      await nats.kill();
      expect(await doctorSays(/^streams/)).toMatchObject([
        { verdict: 'fail', next: expect.stringContaining('docs/errors.md') },
      ]);
    },
  );
});
