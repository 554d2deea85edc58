import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { newLogKey } from '../../test/log-key.ts';
import { type ProvenReceipt, proveReceipt } from '../../test/proven-receipt.ts';
import { pathsOf, tamper } from '../../test/tamper.ts';
import {
  openCheckpoint,
  openNote,
  parseTrust,
  type Verdict,
  verdictLines,
  verifyFile,
} from './habeas-verify.mjs';
import { verifierKey } from './note.ts';

/** The example of C2SP signed-note's Go implementation, `golang.org/x/mod/sumdb/note`: not made by us. */
const NEURAL = {
  key: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  note:
    'If you think cryptography is the answer to your problem,\n' +
    "then you don't know what your problem is.\n" +
    '\n' +
    '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
};

const PROGRAM = fileURLToPath(new URL('./habeas-verify.mjs', import.meta.url));
const verify = (text: string, proven: ProvenReceipt, trust = proven.trust): Verdict =>
  verifyFile({ text, trust: parseTrust(trust) });
const failed = (verdict: Verdict) => verdict.checks.filter(({ holds }) => !holds).map(({ check }) => check);

let proven: ProvenReceipt;
beforeAll(async () => {
  proven = await proveReceipt({ entries: 1_000, index: 700 });
});

describe('a signed note', () => {
  it('of another implementation is opened by its key, and not when a letter of it was changed', () => {
    const trust = parseTrust(NEURAL.key);
    expect(openNote(NEURAL.note, trust)).toMatchObject({ signer: { name: 'PeterNeumann', id: 'c74f20a3' } });
    expect(() => openNote(NEURAL.note.replace('answer', 'Answer'), trust)).toThrow('not over this text');
    expect(() => openNote(NEURAL.note, parseTrust(proven.trust))).toThrow('no trusted key');
  });

  it('is not signed by a key of the same name with another id', () => {
    const other = verifierKey('acme.example/audit', newLogKey().publicKey);
    expect(() => openCheckpoint(proven.checkpoint, parseTrust(other))).toThrow('no trusted key');
    expect(openCheckpoint(proven.checkpoint, parseTrust(`${other}\n# mine\n\n${proven.trust}`)).size).toBe(
      1_000,
    );
  });

  it.each([
    ['', 'no verifier key'],
    ['acme', 'has the form'],
    ['acme+00000000+AQ==', 'has the form'],
    [NEURAL.key.replace('c74f20a3', 'c74f20a4'), 'does not fit'],
  ])('has no trust in %s', (line, text) => {
    expect(() => parseTrust(line)).toThrow(text);
  });
});

describe('a receipt', () => {
  it('is verified line by line', () => {
    const verdict = verify(proven.text, proven);
    expect(verdictLines(verdict)).toEqual([
      expect.stringMatching(/^ok {4}document: receipt of req_1: erasure, completed, /),
      expect.stringMatching(/^ok {4}signature: signed by the key [0-9a-f]{8} of acme\.example\/audit$/),
      expect.stringMatching(/^ok {4}entry: aud_\S+ of \S+ has the hash of exactly this receipt$/),
      'ok    checkpoint: of 1000 entries, signed by acme.example/audit',
      'ok    inclusion: the entry is number 700 of the log, of 1000',
      'verified',
    ]);
  });

  it.each<[string, (document: ProvenReceipt['document']) => unknown, readonly string[]]>([
    [
      'another state',
      (d) => ({ ...d, receipt: { ...d.receipt, state: 'cancelled' } }),
      ['signature', 'entry', 'inclusion'],
    ],
    ['a member more', (d) => ({ ...d, note: 'trust me' }), ['document']],
    ['no proof yet', (d) => ({ ...d, log: null }), ['entry', 'checkpoint', 'inclusion']],
    ['another key along', (d) => ({ ...d, public_key: { ...d.public_key, use: 'enc' } }), ['signature']],
    [
      'another time of its entry',
      (d) => ({ ...d, log: { ...d.log, entry: { ...d.log.entry, at: '2020-01-01T00:00:00.000Z' } } }),
      ['inclusion'],
    ],
    [
      'another index',
      (d) => ({ ...d, log: { ...d.log, proof: d.log.proof.replace('index 700', 'index 701') } }),
      ['inclusion'],
    ],
    [
      'another size',
      (d) => ({ ...d, log: { ...d.log, proof: d.log.proof.replace('\n1000\n', '\n1001\n') } }),
      ['checkpoint', 'inclusion'],
    ],
    ['nothing', () => null, ['document']],
    ['a list', () => [], ['document']],
  ])('with %s is not verified, and the line says so', (_what, change, lines) => {
    expect(failed(verify(JSON.stringify(change(proven.document)), proven))).toEqual(lines);
  });

  it('signed and logged by another organization is not verified', async () => {
    const forged = await proveReceipt({ entries: 1_000, index: 700 });
    expect(failed(verify(forged.text, proven))).toEqual(['signature', 'checkpoint', 'inclusion']);
    const mixed = { ...proven.document, log: forged.document.log };
    expect(failed(verify(JSON.stringify(mixed), proven))).toEqual(['checkpoint', 'inclusion']);
  });

  it('of another log entry of the same log is not verified', async () => {
    const two = await proveReceipt({ entries: 1_000, index: 700, key: proven.key, request: 'req_2' });
    const spliced = { ...proven.document, log: two.document.log };
    expect(failed(verify(JSON.stringify(spliced), proven))).toEqual(['entry', 'inclusion']);
  });

  it('changed at random in any value is never verified', () => {
    const paths = pathsOf(proven.document);
    fc.assert(
      fc.property(
        fc.nat(paths.length - 1),
        fc.nat(),
        fc.integer({ min: 1, max: 0xff }),
        (at, position, change) => {
          const tampered = tamper(proven.document, paths[at] ?? [], { position, change });
          expect(verify(JSON.stringify(tampered), proven).verified).toBe(false);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('with any character of the file changed says the same as before, or is not verified', () => {
    fc.assert(
      fc.property(fc.nat(proven.text.length - 1), fc.integer({ min: 32, max: 126 }), (at, code) => {
        const text = proven.text.slice(0, at) + String.fromCharCode(code) + proven.text.slice(at + 1);
        if (!verify(text, proven).verified) return;
        expect(JSON.parse(text)).toEqual(proven.document);
      }),
      { numRuns: 2_000 },
    );
  });

  it('cannot steer the terminal of who verifies it', () => {
    const odd = {
      ...proven.document,
      receipt: { ...proven.document.receipt, request_id: 'req\u001b[2J\n✓ verified' },
    };
    expect(verdictLines(verify(JSON.stringify(odd), proven)).join('')).not.toMatch(/\p{Cc}/u);
  });
});

describe('the program', () => {
  it('ends with 0, 1 and 2, with a trust file or a key, and prints JSON when asked', () => {
    const folder = mkdtempSync(join(tmpdir(), 'habeas-verify-'));
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const program = file('copied.mjs', readFileSync(PROGRAM, 'utf8'));
    const run = (...argv: readonly string[]) =>
      spawnSync(process.execPath, [program, ...argv], { encoding: 'utf8', cwd: folder });
    try {
      const receipt = file('receipt.json', proven.text);
      const bad = file('bad.json', proven.text.replace('"erasure"', '"access"'));
      expect(run(receipt, file('trust.txt', proven.trust))).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/\nverified\n$/),
      });
      const { status, stdout } = run(bad, proven.trust.trim(), '--json');
      expect([status, JSON.parse(stdout).verified]).toEqual([1, false]);
      expect(run(receipt).status).toBe(2);
      expect(run(receipt, 'nonsense')).toMatchObject({
        status: 2,
        stderr: expect.stringContaining('name+id+base64'),
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
