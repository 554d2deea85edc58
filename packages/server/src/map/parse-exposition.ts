import { parseSampleLine, type SampleLine } from './sample-line.ts';

/** The three metrics by which services declare what they do with personal data. */
export const FAMILIES = ['transmit', 'store', 'client'] as const;

export type Family = (typeof FAMILIES)[number];

/** A sample of one of our families. */
export interface DeclaredSample {
  readonly family: Family;
  /** Under its bare name, which other programs may use for something else. */
  readonly bare: boolean;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
  /** Counts from 1. */
  readonly line: number;
}

export interface Exposition {
  readonly samples: readonly DeclaredSample[];
  /** Lines of our families that cannot be read, at most {@link MAX_BROKEN} of them. */
  readonly broken: readonly { readonly line: number; readonly reason: string }[];
  /** All of them. */
  readonly brokenCount: number;
  readonly foreign: {
    /** Good lines of other families. */
    readonly samples: number;
    /** Lines of other families that cannot be read. They do not matter. */
    readonly broken: number;
  };
  /** `# EOF` was there and nothing came after it: an OpenMetrics page arrived whole. */
  readonly ended: boolean;
}

/** How many broken lines of one page are told. */
export const MAX_BROKEN = 20;

export interface ExpositionReader {
  /** Takes the next line, without its line break. */
  line(text: string): void;
  /** What the lines so far hold. */
  finish(): Exposition;
}

export interface ExpositionOptions {
  /** Our families are read under their bare names and under names with this before them: `personal_data_store`. */
  readonly prefix: string;
}

/** Reads a metrics page line by line and holds on to our families only, so that a large page costs little memory. */
export function createExpositionReader(options: ExpositionOptions): ExpositionReader {
  const names = familyNames(options.prefix);
  const samples: DeclaredSample[] = [];
  const broken: { line: number; reason: string }[] = [];
  const foreign = { samples: 0, broken: 0 };
  let number = 0;
  let brokenCount = 0;
  let ended = false;

  function sample(text: string): void {
    const parsed = parseSampleLine(text);
    const known = names.get(parsed.name ?? '');
    if ('broken' in parsed) {
      if (known === undefined) foreign.broken += 1;
      else {
        brokenCount += 1;
        if (broken.length < MAX_BROKEN) broken.push({ line: number, reason: parsed.broken });
      }
    } else if (known === undefined || (known.bare && !hasOurLabels(known.family, parsed))) {
      foreign.samples += 1;
    } else {
      samples.push({ ...known, labels: parsed.labels, value: parsed.value, line: number });
    }
  }

  return {
    line(text) {
      number += 1;
      if (/^[ \t]*$/.test(text)) return;
      ended = text === '# EOF';
      if (!/^[ \t]*#/.test(text)) sample(text);
    },
    finish: () => ({ samples, broken, brokenCount, foreign: { ...foreign }, ended }),
  };
}

/** The whole page at once. The last line counts whether or not it ends with a line break. */
export function parseExposition(text: string, options: ExpositionOptions): Exposition {
  const reader = createExpositionReader(options);
  for (const line of text.split('\n')) reader.line(line);
  return reader.finish();
}

interface KnownName {
  readonly family: Family;
  readonly bare: boolean;
}

/** OpenMetrics wants the names of such metrics to end with `_info`, so both forms are ours. */
function familyNames(prefix: string): ReadonlyMap<string, KnownName> {
  const names = new Map<string, KnownName>();
  for (const family of FAMILIES) {
    for (const suffix of ['', '_info']) {
      names.set(`${prefix}${family}${suffix}`, { family, bare: false });
      names.set(`${family}${suffix}`, { family, bare: true });
    }
  }
  return names;
}

/** `client{method="GET"}` of some other library is not a broken declaration of ours. */
function hasOurLabels(family: Family, sample: SampleLine): boolean {
  const has = (name: string) => sample.labels.has(name) || sample.labels.has(`exported_${name}`);
  if (has('team')) return true;
  return family === 'client' ? has('address') && has('protocol') : has('data_type');
}
