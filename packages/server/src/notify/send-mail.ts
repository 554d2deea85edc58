import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createTransport } from 'nodemailer';
import {
  formatOutboundAddress,
  HabeasError,
  type NotifyConfig,
  type Outbound,
  type OutboundAddress,
  parseOutboundAddress,
} from '../foundation/index.ts';
import type { MailText } from './mail-text.ts';

export interface MailSenderOptions {
  readonly smtp: NonNullable<NotifyConfig['smtp']>;
  /** Asks the policy about the address of the mail server. */
  readonly outbound: Outbound;
  /** For each step of a conversation with the mail server. (Default: 15000) */
  readonly timeoutMilliseconds?: number | undefined;
}

export interface Mail extends MailText {
  readonly to: string;
  /** The same for a mail that is sent again, so that mail systems may drop it. Letters, digits, - and _. */
  readonly id: string;
  /** The language that it is written in; ISO 639-1. */
  readonly language?: string | undefined;
}

export interface MailSender {
  /**
   * Resolves when the mail server took it. Throws ADDRESS_NOT_APPROVED, SYSTEM_UNREACHABLE, SYSTEM_TIMEOUT, or SYSTEM_REFUSED
   * when the server does not take it.
   */
  send(mail: Mail, signal: AbortSignal): Promise<void>;
}

const TIMEOUT_MILLISECONDS = 15_000;

/**
 * Plain SMTP to one server, one connection for each mail. `smtp://` changes to TLS where the server offers it, and has to where
 * there is a password; `smtps://` speaks TLS from the first byte.
 */
export function createMailSender(options: MailSenderOptions): MailSender {
  const { outbound, timeoutMilliseconds: timeout = TIMEOUT_MILLISECONDS } = options;
  const url = new URL(options.smtp.url);
  const secure = url.protocol === 'smtps:';
  const address = smtpAddress(url);
  const where = formatOutboundAddress(address);
  const { from } = options.smtp;
  const hasPassword = url.username !== '';
  const transport = createTransport({
    host: address.host,
    port: address.port,
    secure,
    requireTLS: hasPassword && !secure,
    // Where the server might as well not offer TLS, one that cannot show who it is, is still better than none (RFC 7435).
    tls: { rejectUnauthorized: secure || hasPassword },
    ...(hasPassword
      ? { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }
      : {}),
    connectionTimeout: timeout,
    greetingTimeout: timeout,
    socketTimeout: timeout,
    dnsTimeout: timeout,
    disableFileAccess: true,
    disableUrlAccess: true,
    getSocket(_, done) {
      connected(outbound, address, timeout).then(
        (connection) => done(null, { connection }),
        (error: Error) => done(error),
      );
    },
  });

  return {
    async send({ to, id, subject, text, html, language }, signal) {
      try {
        await transport.sendMail({
          from,
          // Not as text: whatever it holds is one address and never a list.
          to: { name: '', address: to },
          subject,
          text,
          html,
          signal,
          messageId: `<${id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
          // RFC 3834: nobody should answer this by itself.
          headers: {
            'Auto-Submitted': 'auto-generated',
            ...(language === undefined ? {} : { 'Content-Language': language }),
          },
        });
      } catch (error) {
        signal.throwIfAborted();
        throw explain(error, where);
      }
    },
  };
}

/** Where a mail server of the configuration is. (Default port: 465 for `smtps`, else 587) */
export function smtpAddress(url: URL): OutboundAddress {
  const port = url.port === '' ? (url.protocol === 'smtps:' ? '465' : '587') : url.port;
  return parseOutboundAddress(`${url.hostname}:${port}`);
}

async function connected(outbound: Outbound, address: OutboundAddress, timeout: number): Promise<Socket> {
  const socket = outbound.connect(address);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeout) });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function explain(error: unknown, where: string): HabeasError {
  if (error instanceof HabeasError) return error;
  const cause = error instanceof Error && error.cause instanceof HabeasError ? error.cause : undefined;
  if (cause !== undefined) return cause;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'no code';
  const reply = error instanceof Error && 'responseCode' in error ? Number(error.responseCode) : undefined;
  if (reply !== undefined || code === 'EAUTH' || code === 'ETLS') {
    const what = reply === undefined ? code : `${code}, SMTP ${reply}`;
    // RFC 5321 §4.2.1: 4yz means that the same may be taken later.
    const retryable = reply !== undefined && reply >= 400 && reply < 500;
    return new HabeasError('SYSTEM_REFUSED', `The mail server ${where} did not take a mail (${what}).`, {
      cause: error,
      retryable,
    });
  }
  const timedOut = code === 'ETIMEDOUT' || (error instanceof Error && error.name === 'AbortError');
  return timedOut
    ? new HabeasError('SYSTEM_TIMEOUT', `The mail server ${where} did not answer in time.`, {
        cause: error,
        retryable: true,
      })
    : new HabeasError(
        'SYSTEM_UNREACHABLE',
        `The mail server ${where} could not be reached, or the connection broke (${code}).`,
        {
          cause: error,
          retryable: true,
        },
      );
}

/** A reply about this mail, its recipient or its content, and not about us. */
const ABOUT_MAIL: readonly string[] = ['RCPT TO', 'DATA'];

/** Why the mail server does not take this mail, in its own figures: `5.1.1` (RFC 3463), or `550`; undefined if it is for another reason. */
export function refusedStatus({ cause }: HabeasError): string | undefined {
  if (!(cause instanceof Error) || !('responseCode' in cause) || !('command' in cause)) return undefined;
  if (!ABOUT_MAIL.includes(String(cause.command))) return undefined;
  const reply = 'response' in cause ? String(cause.response) : '';
  return /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})\b/.exec(reply)?.[1] ?? String(cause.responseCode);
}
