import type { HttpReply } from './outbound-request.ts';

/** The one word of S3's error document that is no quotation of ours: `NoSuchBucket`, `SlowDown`; empty: there is none. */
export function s3ErrorCode(reply: Pick<HttpReply, 'body'>): string {
  const code = xmlText(reply.body.toString('utf8', 0, 4_096), 'Code');
  return /^[A-Za-z]{1,64}$/.test(code) ? code : '';
}

/** What stands in the first element of this name, which has no elements in it; empty: there is none. */
export function xmlText(xml: string, name: string): string {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';
  return found.replaceAll(/&(?:#x([0-9A-Fa-f]{1,6})|#([0-9]{1,7})|(lt|gt|quot|apos|amp));/g, decoded);
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

function decoded(_: string, hex?: string, decimal?: string, name = ''): string {
  if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
  return decimal === undefined ? (ENTITIES[name] ?? '') : String.fromCodePoint(Number(decimal));
}

/** The elements of one name, in order, without their tags. They do not contain each other. */
export function* xmlElements(xml: string, name: string): Iterable<string> {
  for (const [, inner = ''] of xml.matchAll(new RegExp(`<${name}(?: [^>]*)?>(.*?)</${name}>`, 'gs')))
    yield inner;
}
