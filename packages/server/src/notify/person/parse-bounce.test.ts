import { describe, expect, it } from 'vitest';
import { parseBounce } from './parse-bounce.ts';

const returned = (headers: string) => ['Content-Type: message/rfc822', '', headers, '', 'Hello'].join('\r\n');

function report(options: { readonly action?: string; readonly status?: string; readonly original?: string }) {
  const { action = 'failed', status = '5.1.1', original } = options;
  const parts = [
    'Content-Type: text/plain\r\n\r\nYour mail could not be delivered.',
    `Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; ada@example.org\r\nAction: ${action}\r\nStatus: ${status}\r\nDiagnostic-Code: smtp; 550 5.1.1 unknown user`,
    original ?? returned('From: habeas@acme.example\r\nMessage-ID:\r\n <mail_01abc@acme.example>'),
  ];
  return Buffer.from(
    [
      'From: MAILER-DAEMON@mx.example',
      'To: habeas@acme.example',
      'MIME-Version: 1.0',
      'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
      '',
      ...parts.map((part) => `--b\r\n${part}`),
      '--b--',
      '',
    ].join('\r\n'),
  );
}

describe('parseBounce', () => {
  it('says which mail came back, and why', async () => {
    expect(await parseBounce(report({}))).toEqual({
      messageId: 'mail_01abc@acme.example',
      action: 'failed',
      status: '5.1.1',
    });
  });

  it('reads one that has only the headers of the mail', async () => {
    const original =
      'Content-Type: text/rfc822-headers\r\n\r\nSubject: Hi\r\nMessage-Id: <mail_01abc-2@acme.example>';
    expect(await parseBounce(report({ original }))).toMatchObject({ messageId: 'mail_01abc-2@acme.example' });
  });

  it('tells a delay from a failure', async () => {
    expect(await parseBounce(report({ action: 'delayed', status: '4.4.1' }))).toMatchObject({
      action: 'other',
      status: '4.4.1',
    });
  });

  it('takes no other mail for a bounce, nor one whose body only looks like it', async () => {
    const absence = Buffer.from(
      'From: ada@example.org\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.\r\nMessage-ID: <mail_01abc@acme.example>\r\nAction: failed\r\n',
    );
    expect(await parseBounce(absence)).toBeUndefined();
    const original = returned('From: habeas@acme.example\r\n\r\nMessage-ID: <mail_01abc@acme.example>');
    expect(await parseBounce(report({ original }))).toBeUndefined();
    expect(await parseBounce(Buffer.from([0, 255, 10, 13, 10]))).toBeUndefined();
  });
});
