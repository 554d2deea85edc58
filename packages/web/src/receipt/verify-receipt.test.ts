import type { ReceiptView } from '@habeas/contract/api';
import { describe, expect, it } from 'vitest';
import { proveReceipt } from '../../../server/test/proven-receipt.ts';
import { verifyReceipt } from './verify-receipt.ts';

type Document = Record<string, unknown>;

/** Each breaks one thing; what must not hold any more. */
const BREAKS: Readonly<Record<string, readonly [string, (document: Document) => void]>> = {
  'a count': ['signature', ({ receipt }) => Object.assign(receipt as Document, { right: 'access' })],
  'the entry': [
    'inclusion',
    ({ log }) => Object.assign((log as { entry: Document }).entry, { at: '2026-11-21T09:30:00.000Z' }),
  ],
  'the request of the entry': [
    'entry',
    ({ log }) => Object.assign((log as { entry: Document }).entry, { subject: 'req_2' }),
  ],
  'the checkpoint': [
    'checkpoint',
    ({ log }) =>
      Object.assign(log as Document, { proof: String((log as Document)['proof']).replace(/\n8\n/, '\n9\n') }),
  ],
  'the proof': ['checkpoint', ({ log }) => Object.assign(log as Document, { proof: 'none' })],
  'the signature': ['signature', (document) => Object.assign(document, { signature: 'a..b' })],
};

const failed = async (document: Document, trust: string) =>
  (await verifyReceipt(document as unknown as ReceiptView, trust)).flatMap(({ check, holds }) =>
    holds ? [] : [check],
  );

describe('the receipt that a browser verifies', () => {
  it.each([
    [1, 0],
    [8, 3],
    [300, 299],
  ])('holds as number %i of a log, index %i', async (entries, index) => {
    const { document, trust } = await proveReceipt({ entries, index });
    expect(await failed(document as Document, trust)).toEqual([]);
  });

  it.each(Object.entries(BREAKS))('does not hold when somebody changed %s', async (_, [check, change]) => {
    const proven = await proveReceipt({ entries: 8, index: 3 });
    const document = structuredClone(proven.document) as Document;
    change(document);
    expect(await failed(document, proven.trust)).toContain(check);
  });

  it('does not hold by the key of another log', async () => {
    const [{ document }, { trust }] = await Promise.all([
      proveReceipt({ entries: 8, index: 3 }),
      proveReceipt({ entries: 8, index: 3 }),
    ]);
    expect(await failed(document as Document, trust)).toEqual(['signature', 'checkpoint', 'inclusion']);
  });

  it('does not hold without a proof', async () => {
    const { document, trust } = await proveReceipt({ entries: 8, index: 3 });
    expect(await failed({ ...document, log: null }, trust)).toEqual(['entry', 'checkpoint', 'inclusion']);
  });
});
