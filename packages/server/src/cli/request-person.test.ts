import { expect, it } from 'vitest';
import { openAskingHouse } from '../../test/asking-house.ts';
import { TEST_KEY } from '../../test/in-memory-application.ts';
import { runHabeas } from '../../test/run-habeas.ts';

it('habeas request shows who asks by themselves, confirms them, and notes a mail that came back', async () => {
  await using house = await openAskingHouse({ intake: { require: ['codes', 'officer'] } });
  const url = await house.app.listen({ port: 0, host: '127.0.0.1' });
  const habeas = (argv: readonly string[], input?: string) =>
    runHabeas(['request', ...argv], { url, key: TEST_KEY, ...(input === undefined ? {} : { input }) });
  const agent = { name: 'Grace', email: 'grace@agents.example' };
  const identities = [{ type: 'email', value: 'ada@example.org' }];
  const { request_id: id } = await house.ask({ right: 'access', identities, agent });
  const sent = await house.mailTo('ada@example.org');

  const shown = await habeas(['verification', id]);
  expect(shown.out).toMatch(/^Missing: codes, officer; until /);
  expect(shown.out).toContain('c0 (subject): not proved');
  expect(shown.out).toContain('Agent: Grace <grace@agents.example>, without a signed permission');

  const returned = [
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    '',
    '--b',
    'Content-Type: message/delivery-status',
    '',
    'Action: failed',
    'Status: 5.1.1',
    '--b',
    'Content-Type: text/rfc822-headers',
    '',
    `Message-ID: ${sent.parsed.messageId}`,
    '--b--',
    '',
  ].join('\r\n');
  expect((await habeas(['bounce', '-'], returned)).out).toBe('Noted with its request.\n');
  const other = await habeas(['bounce', '-'], 'Subject: Hello\r\n\r\nHow are you?');
  expect([other.exit, other.out]).toEqual([1, 'This is no notification about a mail of Habeas.\n']);
  const mails = await habeas(['mails', id]);
  expect(mails.out).toMatch(/code {2}bounced \(5\.1\.1\)/);
  expect(mails.out).not.toContain('ada@');

  expect((await habeas(['verify', id])).exit).not.toBe(0);
  const verified = await habeas(['verify', id, '--reason', 'passport']);
  expect([verified.exit, verified.out]).toEqual([0, expect.stringContaining(`Request ${id} is `)]);
  expect((await habeas(['verification', id])).out).toContain('Nothing has to be proved any more.');
  expect((await habeas(['verify', id, '--reason', 'again'])).notes).toContain('does not wait for proof');
  await house.inState(id, 'completed');
});
