import type { DataMap } from './data-map.ts';

export interface WarmUpOptions {
  readonly answers: Pick<DataMap, 'mapJson' | 'changesJson'>;
  readonly now: Date;
  /** (Default: the process' own clock) */
  readonly elapsed?: () => number;
}

/** Back from now: what people compare with. */
const DAYS = [1, 7, 30, 90];
const DAY_MILLISECONDS = 86_400_000;
/** All of it takes no longer, in milliseconds, whatever the size of the map. */
const LONGEST = 1_500;
/** A round of questions that takes no longer, in milliseconds, needs no compiled code. */
const SHORT = 40;

/**
 * Asks what people will ask, and throws the answers away: the first person to look at a large map would otherwise wait for code that
 * the engine has not compiled and for declarations that nobody has loaded. Returns how many questions were asked.
 */
export async function warmUp({
  answers,
  now,
  elapsed = () => performance.now(),
}: WarmUpOptions): Promise<number> {
  const began = elapsed();
  const ago = (days: number) => new Date(now.getTime() - days * DAY_MILLISECONDS).toISOString();
  const questions = DAYS.flatMap((days) => [
    () => answers.mapJson({ as_of: ago(days) }),
    () => answers.changesJson({ as_of: ago(days), compare_to: ago(days / 2) }),
    // Since before there was a map: a list of all that there is.
    () => answers.changesJson({ as_of: ago(days), compare_to: new Date(0).toISOString() }),
    () => answers.mapJson(),
  ]);
  let asked = 0;
  for (;;) {
    const round = elapsed();
    for (const question of questions) {
      (await question()).release();
      asked += 1;
      if (elapsed() - began > LONGEST) return asked;
    }
    if (elapsed() - round < SHORT) return asked;
  }
}
