import type { Identity } from './personal-data.ts';

/** What the data of a person may not be used for, as Habeas answers it. */
export interface ProcessingChoices {
  /** The data may be stored, and not be used otherwise (GDPR article 18). */
  readonly restricted: boolean;
  /** Purposes that the person objected to (GDPR article 21); one also covers what is below it. */
  readonly objections: readonly string[];
  readonly optedOutOfSale: boolean;
  readonly sensitiveDataLimited: boolean;
}

export interface ProcessingChecksOptions {
  /** Where Habeas is, such as `https://habeas.internal`. */
  readonly url: string;
  /** An API key. */
  readonly key: string;
  /** How long an answer is taken as it is, in milliseconds. (Default: 60000) */
  readonly fresh?: number;
  /** How long an old answer still counts while Habeas does not answer, in milliseconds. (Default: 10 minutes) */
  readonly stale?: number;
  /** Most people that are remembered. (Default: 10000) */
  readonly most?: number;
  /** How long one question may take, in milliseconds. (Default: 2000) */
  readonly timeout?: number;
  /** The present. (Default: the system's clock) */
  readonly now?: () => Date;
}

/** Asks Habeas before data of a person is used, and remembers the answers for a while. */
export interface ProcessingChecks {
  /** Rejects when Habeas does not answer and no recent answer is known. */
  check(identities: readonly Identity[]): Promise<ProcessingChoices>;
  /** Whether the person's processing is restricted; true while nobody can tell. */
  restricted(identities: readonly Identity[]): Promise<boolean>;
  /** Whether the data may be used for a purpose, such as `marketing.email`; false while nobody can tell. */
  allows(identities: readonly Identity[], purpose: string): Promise<boolean>;
  /** `personal_data_processing_checks_total{answer, source}`, for the service's own metrics page. */
  metrics(): string;
}

const DEFAULTS = { fresh: 60_000, stale: 600_000, most: 10_000, timeout: 2_000 };
/** What the API takes in one call. */
const MOST_PEOPLE = 500;

interface Remembered {
  readonly at: number;
  readonly choices: ProcessingChoices;
}

interface Waiting {
  readonly identities: readonly Identity[];
  readonly resolve: (choices: ProcessingChoices) => void;
  readonly reject: (error: unknown) => void;
}

type Source = 'cache' | 'habeas' | 'none';

/** Questions of one moment go out together; the same question is asked once. */
export function processingChecks(options: ProcessingChecksOptions): ProcessingChecks {
  const { fresh, stale, most, timeout } = { ...DEFAULTS, ...options };
  const now = () => (options.now?.() ?? new Date()).getTime();
  const known = new Map<string, Remembered>();
  const asking = new Map<string, Promise<ProcessingChoices>>();
  const counts = new Map<string, number>();
  let waiting: Waiting[] = [];

  const count = (answer: 'restricted' | 'free' | 'unknown', source: Source) => {
    const labels = `answer="${answer}",source="${source}"`;
    counts.set(labels, (counts.get(labels) ?? 0) + 1);
  };
  const remember = (name: string, choices: ProcessingChoices) => {
    known.delete(name);
    known.set(name, { at: now(), choices });
    const [oldest] = known.keys();
    if (known.size > most && oldest !== undefined) known.delete(oldest);
  };
  const send = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const people = await ask(options, batch, timeout);
      for (const [index, { resolve, reject }] of batch.entries()) {
        const choices = people[index];
        if (choices === undefined) reject(new Error('Habeas answered for fewer people than were asked for.'));
        else resolve(choices);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };
  const enqueue = (identities: readonly Identity[]): Promise<ProcessingChoices> =>
    new Promise((resolve, reject) => {
      if (waiting.length === 0) {
        setImmediate(() => {
          const all = waiting;
          waiting = [];
          for (let start = 0; start < all.length; start += MOST_PEOPLE)
            void send(all.slice(start, start + MOST_PEOPLE));
        });
      }
      waiting.push({ identities, resolve, reject });
    });

  const check = async (identities: readonly Identity[]): Promise<ProcessingChoices> => {
    const name = nameOf(identities);
    const remembered = known.get(name);
    const told = (choices: ProcessingChoices, source: Source) => {
      count(choices.restricted ? 'restricted' : 'free', source);
      return choices;
    };
    if (remembered !== undefined && now() - remembered.at < fresh) return told(remembered.choices, 'cache');
    let answer = asking.get(name);
    if (answer === undefined) {
      answer = enqueue(identities).finally(() => asking.delete(name));
      asking.set(name, answer);
    }
    try {
      const choices = await answer;
      remember(name, choices);
      return told(choices, 'habeas');
    } catch (error) {
      if (remembered !== undefined && now() - remembered.at < stale) return told(remembered.choices, 'cache');
      count('unknown', 'none');
      throw error;
    }
  };

  return {
    check,
    restricted: async (identities) => {
      try {
        return (await check(identities)).restricted;
      } catch {
        // A restriction that nobody can see may be there: not to use the data does no harm.
        return true;
      }
    },
    allows: async (identities, purpose) => {
      try {
        const { restricted, objections } = await check(identities);
        return !restricted && !objections.some((objected) => covers(objected, purpose));
      } catch {
        return false;
      }
    },
    metrics: () =>
      [
        '# HELP personal_data_processing_checks_total Questions whether data of a person may be used, by answer and where it is from',
        '# TYPE personal_data_processing_checks_total counter',
        ...[...counts].map(([labels, value]) => `personal_data_processing_checks_total{${labels}} ${value}`),
        '',
      ].join('\n'),
  };
}

async function ask(
  { url, key }: ProcessingChecksOptions,
  people: readonly Waiting[],
  timeout: number,
): Promise<readonly ProcessingChoices[]> {
  const response = await fetch(new URL('/api/v1/processing-choices:check', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ people: people.map(({ identities }) => ({ identities })) }),
    redirect: 'error',
    signal: AbortSignal.timeout(timeout),
  });
  if (!response.ok)
    throw new Error(`Habeas answered ${response.status} to the question what data may be used for.`);
  const body: unknown = await response.json();
  const answers = typeof body === 'object' && body !== null && 'people' in body ? body.people : undefined;
  if (!Array.isArray(answers)) throw new Error('Habeas gave an answer that is none.');
  return answers.map(toChoices);
}

/** What is missing or odd counts as "may not be used". */
function toChoices(answer: Readonly<Record<string, unknown>>): ProcessingChoices {
  const objections: unknown = answer.objections;
  return {
    restricted: answer.restricted !== false,
    objections: Array.isArray(objections) ? objections.filter((one) => typeof one === 'string') : [],
    optedOutOfSale: answer.opted_out_of_sale !== false,
    sensitiveDataLimited: answer.sensitive_data_limited !== false,
  };
}

function nameOf(identities: readonly Identity[]): string {
  return JSON.stringify(identities.map(({ type, value }) => [type, value]).sort());
}

/** `marketing` covers itself and `marketing.email`. */
function covers(general: string, particular: string): boolean {
  return particular === general || particular.startsWith(`${general}.`);
}
