import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';

/** Where the mails of the example arrive, so that nobody invented gets one: a mail server, and a page that shows them. */
export interface Postbox {
  /** `smtp://127.0.0.1:…` */
  readonly smtpUrl: string;
  /** The newest mails, for a browser. */
  readonly pageUrl: string;
  close(): Promise<void>;
}

/** Older ones are forgotten. */
const MOST_MAILS = 50;
const MAX_BYTES = 1024 * 1024;

export async function openPostbox(): Promise<Postbox> {
  const mails: Email[] = [];
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    size: MAX_BYTES,
    onData(stream, _session, done) {
      buffer(stream)
        .then((raw) => PostalMime.parse(raw))
        .then((mail) => {
          mails.unshift(mail);
          mails.length = Math.min(mails.length, MOST_MAILS);
          done();
        })
        .catch(done);
    },
  });
  // A client that hangs up in the middle is no reason to end.
  smtp.on('error', (error) => process.stderr.write(`postbox: ${error.name}\n`));
  const page = createServer((_request, response) => {
    response
      .setHeader('content-type', 'text/html; charset=utf-8')
      .setHeader('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
      .setHeader('cache-control', 'no-store')
      .end(pageOf(mails));
  });
  smtp.listen(0, '127.0.0.1');
  page.listen(0, '127.0.0.1');
  await Promise.all([once(smtp.server, 'listening'), once(page, 'listening')]);
  const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;
  return {
    smtpUrl: `smtp://127.0.0.1:${portOf(smtp.server)}`,
    pageUrl: `http://127.0.0.1:${portOf(page)}`,
    async close() {
      page.closeAllConnections();
      await Promise.all([
        new Promise<void>((resolve) => smtp.close(resolve)),
        new Promise((resolve) => page.close(resolve)),
      ]);
    },
  };
}

function pageOf(mails: readonly Email[]): string {
  const items = mails.map(({ subject = '', to = [], date = '', text = '' }) => {
    const whom = to.map(({ address = '' }) => address).join(', ');
    return `<article><h2>${asText(subject)}</h2><p>To ${asText(whom)}, ${asText(date)}</p><pre>${asText(text)}</pre></article>`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mails of the example</title>
<style>:root { color-scheme: light dark; } body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
article { border: 1px solid GrayText; border-radius: .5rem; padding: 0 1rem; margin-block: 1rem; } pre { white-space: pre-wrap; font: inherit; }</style>
</head><body><main><h1>Mails of the example</h1>
<p>What Habeas writes to people of the example company arrives here and nowhere else. Load the page again for new ones.</p>
${items.length === 0 ? '<p>None yet.</p>' : items.join('\n')}
</main></body></html>
`;
}

function asText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
