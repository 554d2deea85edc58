import type { Identity } from '../../catalog/index.ts';
import type { PurposeBits } from '../purposes/index.ts';
import type { Statement } from './fold.ts';

/** What a person was shown when they chose. */
export interface NoticeSeen {
  readonly version: string;
  readonly language: string;
  readonly variant: string;
}

/** One statement of consent, as it arrives. */
export interface Signal {
  /** Chosen by who sends it, so that sending it again changes nothing. */
  readonly eventId: string;
  readonly identity: Identity;
  readonly saidAt: Date;
  /** By the codes of purposes: granted or refused. */
  readonly choices: Readonly<Record<string, boolean>>;
  /** `tag`, `api`, `sdk`, `file`, `gpc`, `tcf`, `gpp`, `request`, `portal`, or `anonymous`: said before the person signed in. */
  readonly source: string;
  readonly notice?: NoticeSeen;
}

/** What became of a signal. `repeated`: it was here before, and says the same. */
export type Outcome = 'stored' | 'repeated' | RefusedOutcome;
export interface RefusedOutcome {
  readonly refused: Refusal;
  readonly reason: string;
}
export type Refusal =
  | 'unknown-purpose'
  | 'future'
  | 'event-id-reused'
  | 'nothing-said'
  | 'blank-identity'
  | 'malformed-tcf'
  | 'malformed-gpp'
  | 'unknown-gpp-section';

/** A signal that can be stored, at its place in the call. */
export interface Accepted extends Statement {
  readonly place: number;
  readonly source: string;
  readonly notice: NoticeSeen | undefined;
}

/** What can be told of a code that nobody knows. Anything else may be data of a person that got into the wrong place. */
const CODE = /^[a-z][a-z0-9_]{0,62}$/;

/** Clocks of phones are ahead by a little. */
const TOLERANCE_MILLISECONDS = 5 * 60_000;

export function refusalOf(
  { identity, choices, saidAt }: Signal,
  { purposes, now }: { readonly purposes: PurposeBits; readonly now: Date },
): Outcome | undefined {
  let empty = true;
  for (const code in choices) {
    empty = false;
    if (!purposes.has(code))
      return {
        refused: 'unknown-purpose',
        reason: CODE.test(code)
          ? `There is no purpose ${JSON.stringify(code)}.`
          : 'It names a purpose by something that is no code.',
      };
  }
  if (empty) return { refused: 'nothing-said', reason: 'It says nothing about any purpose.' };
  // What is blank without the blanks around it would be one person for all who sent it.
  if (identity.value === '')
    return { refused: 'blank-identity', reason: 'Its identity is blank. Send whose choice it is.' };
  if (!(saidAt.getTime() <= now.getTime() + TOLERANCE_MILLISECONDS))
    return {
      refused: 'future',
      reason: 'It was said at a time that has not come. Set the clock of the sender.',
    };
  return undefined;
}

export function accept(signal: Signal, place: number, purposes: PurposeBits): Accepted {
  let mask = 0n;
  let value = 0n;
  for (const code in signal.choices) {
    const bit = 1n << BigInt(purposes.get(code) ?? 0);
    mask |= bit;
    if (signal.choices[code] === true) value |= bit;
  }
  const { eventId, saidAt, source, notice } = signal;
  return { place, at: saidAt.getTime(), eventId, mask, value, ...kindOf(source), source, notice };
}

/** How a statement of this source counts. */
export function kindOf(source: string): Pick<Statement, 'automatic' | 'inherited'> {
  return { automatic: source === 'gpc', inherited: source === 'anonymous' };
}
