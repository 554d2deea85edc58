import type { ConsentDestination, PurposeView } from '@habeas/contract/api';

export const LEGAL_BASIS_WORDS: Readonly<Record<PurposeView['legal_basis'], string>> = {
  consent: 'consent',
  opt_out: 'opt-out',
  legitimate_interests: 'legitimate interests',
  contract: 'contract',
  legal_obligation: 'legal obligation',
};

/** Who is told of every change within seconds and is further behind has a problem. */
const LATE_SECONDS = 300;

/** What is wrong with a destination; undefined: nothing. */
export function troubleOf({
  given_up: lost,
  error,
  lag_seconds: lag,
}: ConsentDestination): string | undefined {
  if (lost > 0) return `given up for ${lost} ${lost === 1 ? 'person' : 'people'}`;
  if (error !== null) return 'does not take it';
  return lag !== null && lag > LATE_SECONDS ? 'late' : undefined;
}

/** What people read, in the reader's own language if it is there. */
export function nameOf({ name, code }: Pick<PurposeView, 'name' | 'code'>): string {
  const language = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => name[tag] !== undefined);
  return (language === undefined ? Object.values(name)[0] : name[language]) ?? code;
}

/** `12 s`, `5 min`, `3 h`, `2 d`. */
export function lengthOf(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
  ] as const;
  const [unit, size] = units.find(([, length]) => seconds >= length) ?? ['s', 1];
  return `${Math.round(seconds / size)} ${unit}`;
}
