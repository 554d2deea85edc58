import PostalMime from 'postal-mime';

/** What a delivery status notification (RFC 3464) says of one mail. */
export interface Bounce {
  /** The `Message-ID` of the mail that it is about, without its brackets. */
  readonly messageId: string;
  /** `failed`: it will not arrive; `other`: it was delayed, relayed or delivered. */
  readonly action: 'failed' | 'other';
  /** RFC 3463, such as `5.1.1`. */
  readonly status: string | null;
}

/**
 * Reads a delivery status notification. undefined for any other mail, such as an absence note, and for one that does not say which
 * mail it is about. The addresses in it are not looked at.
 */
export async function parseBounce(raw: Uint8Array): Promise<Bounce | undefined> {
  const mail = await PostalMime.parse(raw, {
    // The mail that came back is a part like any other, and not to be taken apart.
    forceRfc822Attachments: true,
    attachmentEncoding: 'utf8',
  });
  const part = (type: string) => {
    const found = mail.attachments.find(({ mimeType }) => mimeType === type);
    return found === undefined ? undefined : String(found.content);
  };
  const report = part('message/delivery-status') ?? part('message/global-delivery-status');
  if (report === undefined) return undefined;
  const original =
    part('message/rfc822') ?? part('text/rfc822-headers') ?? part('message/rfc822-headers') ?? '';
  const messageId = field(headersOf(original), 'message-id')?.replace(/^<|>$/g, '');
  if (messageId === undefined) return undefined;
  const action = field(report, 'action')?.toLowerCase();
  const status = /^[245]\.\d{1,3}\.\d{1,3}/.exec(field(report, 'status') ?? '')?.[0] ?? null;
  return { messageId, action: action === 'failed' ? 'failed' : 'other', status };
}

/** RFC 5322 §2.1: what is before the first empty line. */
function headersOf(message: string): string {
  return message.split(/\r?\n\r?\n/, 1)[0] ?? '';
}

/** The first field of this name, unfolded (RFC 5322 §2.2.3). */
function field(text: string, name: string): string | undefined {
  const unfolded = text.replace(/\r?\n[ \t]+/g, ' ');
  const line = unfolded.split(/\r?\n/).find((one) => one.toLowerCase().startsWith(`${name}:`));
  return line?.slice(name.length + 1).trim();
}
