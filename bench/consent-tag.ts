import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import type { Benchmark } from './benchmark.ts';
import { judge } from './figure.ts';

/** How many bytes a browser fetches for the consent tag, compressed as most servers do it. */
export const consentTag: Benchmark = {
  name: 'consent-tag',
  about: 'how large the consent tag is, beside another one',
  async run() {
    const peer = (...files: readonly string[]) =>
      kilobytes(...files.map((file) => `vanilla-cookieconsent/dist/${file}`));
    return [
      judge({
        name: 'consent-tag-core',
        value: kilobytes('@habeas/consent/headless.js'),
        unit: 'kB',
        baseline: peer('core/cookieconsent-core.umd.js'),
        goal: { value: 4, ratio: 1 },
        measured:
          '`/consent/v1/headless.js`, gzip: choices, outbox, gates of scripts, Google Consent Mode, calls of the server; no looks',
        against: 'the build without looks of vanilla-cookieconsent 3.1.0, which calls no server',
      }),
      judge({
        name: 'consent-tag',
        value: kilobytes('@habeas/consent/tag.js'),
        unit: 'kB',
        baseline: peer('cookieconsent.umd.js', 'cookieconsent.css'),
        goal: { value: 10, ratio: 1 },
        measured:
          '`/consent/v1/tag.js`, gzip: the same with banner and preference centre, their styles included',
        against: 'vanilla-cookieconsent 3.1.0 with its style sheet, without the texts that both need',
      }),
    ];
  },
};

/** Of 1,000 bytes, each file compressed by itself. */
function kilobytes(...specifiers: readonly string[]): number {
  const sizes = specifiers.map(
    (specifier) => gzipSync(readFileSync(new URL(import.meta.resolve(specifier))), { level: 9 }).length,
  );
  return sizes.reduce((sum, size) => sum + size, 0) / 1_000;
}
