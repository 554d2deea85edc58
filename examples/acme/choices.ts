import { createPrng } from './people/prng.ts';
import { type Person, person, SEED, STREAM } from './people.ts';

/** What some of Acme's people said before Habeas came, as a list in JSON lines that `habeas consent import` takes; one or two lines for each who said something. */
export function choicesOf(numbers: readonly number[]): readonly string[] {
  return numbers.flatMap((n) => linesOf(person(n)));
}

/** Nine in ten said something when they became customers; one in four of these changed their mind later. */
function linesOf({ n, email, since, language }: Person): readonly string[] {
  const prng = createPrng(SEED, STREAM.choices, n);
  const line = (part: string, day: string, choices: Readonly<Record<string, boolean>>) =>
    JSON.stringify({
      event_id: `acme-${n}-${part}`,
      identity: { type: 'email', value: email },
      said_at: `${day}T12:00:00Z`,
      choices,
      notice: { version: '2025-04', language, variant: part },
    });
  if (prng.int(10) === 0) return [];
  const statistics = prng.int(10) < 6;
  const newsletter = prng.int(10) < 4;
  const first = line('sign-up', since, { shop_statistics: statistics, newsletter });
  if (prng.int(4) > 0) return [first];
  const later = line('settings', '2025-11-03', { newsletter: !newsletter, advertising: false });
  return [first, later];
}
