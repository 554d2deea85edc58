import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { DEFAULT_PEOPLE } from '../people.ts';

/** What every service of the example takes on its command line. */
export interface ServiceOptions {
  /** Where the service keeps its data. */
  readonly data: string;
  /** On 127.0.0.1. */
  readonly port: number;
  /** How many people there are when the data is made. */
  readonly people: number;
  /** Throws away data of former runs. */
  readonly fresh: boolean;
  /** The Ed25519 public keys (base64url) by which the service knows Habeas' calls. */
  readonly habeasKeys: readonly string[];
  /** How long the mailer thinks before it works, in milliseconds. */
  readonly delay: Range;
  readonly faults: Faults;
}

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Ways to go wrong on purpose, for tests of Habeas. All are off unless the command line names them. */
export interface Faults {
  /** Milliseconds that every answer takes longer: one half before the work, one half after it. */
  readonly latency: number;
  /** Of 1: how many calls fail, one half before the work, one half after it. */
  readonly failRate: number;
  /** Says that data was erased, and keeps it. */
  readonly keepData: boolean;
  /** Answers bytes that are no answer. */
  readonly garbage: boolean;
  /** Takes calls and never answers. */
  readonly hang: boolean;
  /** Accepts nobody's token. */
  readonly refuse: boolean;
}

const HELP = `
  --data FOLDER        where the service keeps its data (needed)
  --port N             on 127.0.0.1 (needed)
  --people N           how many people there are when the data is made (default: ${DEFAULT_PEOPLE})
  --fresh              throw away data of former runs
  --habeas-key=KEY     public key of Habeas, Ed25519 in base64url; may be named several times
  --delay N or N-M     how long the mailer thinks before it works, in milliseconds (default: 100-300)

Faults for tests, off by default:
  --latency N          each answer takes N milliseconds longer
  --fail-rate R        of 1: how many calls fail
  --keep-data          say that data was erased, and keep it
  --garbage            answer bytes that are no answer
  --hang               take calls and never answer
  --refuse             accept nobody's token
`;

/** Reads the command line; prints what it can be and ends the process when something is missing or wrong. */
export function readServiceOptions(): ServiceOptions {
  try {
    return parse(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n${HELP}`);
    return process.exit(2);
  }
}

function parse(args: string[]): ServiceOptions {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args,
    options: {
      data: text,
      port: text,
      people: { ...text, default: String(DEFAULT_PEOPLE) },
      fresh: flag,
      'habeas-key': { ...text, multiple: true, default: [] },
      delay: { ...text, default: '100-300' },
      latency: { ...text, default: '0' },
      'fail-rate': { ...text, default: '0' },
      'keep-data': flag,
      garbage: flag,
      hang: flag,
      refuse: flag,
    },
  });
  if (values.data === undefined) throw new Error('Name the folder for the data with --data.');
  mkdirSync(values.data, { recursive: true, mode: 0o700 });
  const [from, to = from] = values.delay.split('-').map((part) => number('delay', part));
  return {
    data: values.data,
    port: number('port', values.port),
    people: number('people', values.people),
    fresh: values.fresh,
    habeasKeys: values['habeas-key'],
    delay: { from: from ?? 0, to: to ?? 0 },
    faults: {
      latency: number('latency', values.latency),
      failRate: number('fail-rate', values['fail-rate']),
      keepData: values['keep-data'],
      garbage: values.garbage,
      hang: values.hang,
      refuse: values.refuse,
    },
  };
}

function number(name: string, text: string | undefined): number {
  const value = Number(text);
  if (text === undefined || text === '' || !(value >= 0)) throw new Error(`--${name} needs a number.`);
  return value;
}
