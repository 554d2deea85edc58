/**
 * Which targets a declaration was last seen at, and what follows when it is missing. A program that cannot be asked has
 * taken nothing back, so a declaration ends only when each of the targets that said it was asked again and did not repeat it, or
 * is gone while others of its job are there.
 */

/** A target by its job and instance: {@link targetOf}. */
export type Target = string;

/** What a source shows at one moment. */
export interface Sighting {
  /** Declaration → the targets that say it now. NO_TARGET for what comes from none, such as a push gateway. */
  readonly carried: ReadonlyMap<string, ReadonlySet<Target>>;
  readonly targets: ReadonlyMap<Target, TargetState>;
  /** Nothing is missing in the source's answer. */
  readonly whole: boolean;
}

export interface TargetState {
  /** up: it was asked and answered; down: it did not; refused: a part of its answer cannot be used. */
  readonly status: 'up' | 'down' | 'refused';
  /** How many of its samples the source's own rules left out. */
  readonly dropped: number;
}

/** Declaration → the targets that say it, or that said it and cannot be asked. Never empty. */
export type Carriers = ReadonlyMap<string, ReadonlySet<Target>>;

/** What was known before. */
export interface Known {
  readonly carriers: Carriers;
  /** How many samples of a target were left out when all that it had said was there. */
  readonly dropped: ReadonlyMap<Target, number>;
  /** Targets that the source does not know any more, and since when. */
  readonly absentSince: ReadonlyMap<Target, Date>;
}

export interface FollowOptions {
  readonly at: Date;
  /**
   * How long a target must be unknown to its source before it counts as removed; milliseconds. Longer than the source
   * needs to see all of its targets again after it was restarted.
   */
  readonly settle: number;
  /** Jobs of which a person said that they are gone for good. */
  readonly removedJobs: ReadonlySet<string>;
}

export interface Followed extends Known {
  /** Targets that cannot be asked, but still count, by why. */
  readonly held: ReadonlyMap<Target, Held>;
}

/**
 * down, refused: as in {@link TargetState}; unknown: its source does not know it any more, or gave a part of an answer;
 * filtered: rules of the source leave out more of it than before.
 */
export type Held = 'down' | 'refused' | 'unknown' | 'filtered';

export const NOTHING_KNOWN: Known = { carriers: new Map(), dropped: new Map(), absentSince: new Map() };

export const NO_TARGET: Target = targetOf('', '');

export function targetOf(job: string, instance: string): Target {
  return JSON.stringify([job, instance]);
}

export function partsOf(target: Target): { readonly job: string; readonly instance: string } {
  const [job = '', instance = ''] = JSON.parse(target) as string[];
  return { job, instance };
}

/** The next state: `carriers` has each declaration that still counts. Pure. */
export function follow(known: Known, sighting: Sighting, options: FollowOptions): Followed {
  const judge = judgeOf(known, sighting, options);
  let carriers: Map<string, ReadonlySet<Target>> | undefined;
  const held = new Map<Target, Held>();
  // Mostly nothing changed at all.
  const said = known.carriers === sighting.carried ? [] : known.carriers;
  for (const [declaration, before] of said) {
    const now = sighting.carried.get(declaration);
    if (now === before) continue;
    for (const target of before) {
      if (now?.has(target) === true) continue;
      const reason = sighting.whole ? judge.reasonToHold(target) : 'unknown';
      if (reason === undefined) continue;
      held.set(target, reason);
      // Copied only where something is held: there may be a hundred thousand, of which mostly nothing is.
      carriers ??= new Map(sighting.carried);
      carriers.set(declaration, new Set([...(carriers.get(declaration) ?? []), target]));
    }
  }
  const all = carriers ?? sighting.carried;
  return {
    carriers: all,
    held,
    absentSince: judge.absentSince,
    dropped: droppedOf(all, { known, sighting, held }),
  };
}

function judgeOf(known: Known, { targets }: Sighting, { at, settle, removedJobs }: FollowOptions) {
  const jobsUp = new Set<string>();
  let anyDown = false;
  for (const [target, { status }] of targets) {
    if (status === 'down') anyDown = true;
    else jobsUp.add(partsOf(target).job);
  }
  const absentSince = new Map<Target, Date>();
  const reasons = new Map<Target, Held | undefined>();

  function reasonToHold(target: Target): Held | undefined {
    if (!reasons.has(target)) reasons.set(target, find(target));
    return reasons.get(target);
  }

  function find(target: Target): Held | undefined {
    const state = targets.get(target);
    if (state !== undefined) {
      if (state.status !== 'up') return state.status;
      return state.dropped > (known.dropped.get(target) ?? state.dropped) ? 'filtered' : undefined;
    }
    const { job } = partsOf(target);
    if (removedJobs.has(job)) return undefined;
    const since = known.absentSince.get(target) ?? at;
    absentSince.set(target, since);
    if (at.getTime() - since.getTime() < settle) return 'unknown';
    // What comes from no target may be of any of them; a job of which nothing is left may be a broken configuration.
    return (target === NO_TARGET ? anyDown || jobsUp.size === 0 : !jobsUp.has(job)) ? 'unknown' : undefined;
  }

  return { reasonToHold, absentSince };
}

/** What was left out when all was there stays the measure until all is there again. */
function droppedOf(
  carriers: Carriers,
  context: { readonly known: Known; readonly sighting: Sighting; readonly held: ReadonlyMap<Target, Held> },
): ReadonlyMap<Target, number> {
  const dropped = new Map<Target, number>();
  let last: ReadonlySet<Target> | undefined;
  for (const set of carriers.values()) {
    // Most declarations of a target share one set.
    if (set === last) continue;
    last = set;
    for (const target of set) {
      if (dropped.has(target)) continue;
      const before = context.known.dropped.get(target);
      const now = context.held.has(target)
        ? before
        : (context.sighting.targets.get(target)?.dropped ?? before);
      if (now !== undefined) dropped.set(target, now);
    }
  }
  return dropped;
}
