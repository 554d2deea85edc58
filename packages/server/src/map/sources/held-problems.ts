import { type Held, partsOf, type Target } from './carriers.ts';

const WORDS: Readonly<Record<Held, string>> = {
  down: 'could not be asked',
  refused: 'published something that was refused',
  unknown: 'are not known to it now; if they are gone for good, name their job in removed_jobs',
  filtered: 'have more samples left out by relabelling rules than when they declared it',
};

const SHOWN = 5;

/** One sentence per reason: what still counts although it was not seen, and why. */
export function heldProblems(source: string, held: ReadonlyMap<Target, Held>): readonly string[] {
  const reasons = Object.keys(WORDS) as Held[];
  return reasons.flatMap((reason) => {
    const targets = [...held].filter(([, why]) => why === reason).map(([target]) => target);
    if (targets.length === 0) return [];
    const more = targets.length > SHOWN ? ', …' : '';
    const names = `${targets.slice(0, SHOWN).map(shown).join(', ')}${more}`;
    return [
      `What ${targets.length} target(s) of ${source} declared stays as it is, because they ${WORDS[reason]}: ${names}.`,
    ];
  });
}

/** Anybody who has a metrics page can say that they are a job, so only what looks like a name is repeated. */
function shown(target: Target): string {
  const { job, instance } = partsOf(target);
  if (job === '' && instance === '') return 'what comes from no target of its own';
  return [job, instance].map((part) => (/^[\w.:/[\]-]{1,120}$/.test(part) ? part : '(not shown)')).join(' ');
}
