import { NO_TEAM } from './collapse.ts';

/** Mantine's names of colours; a team's own colour is never the only sign of it: its name and initials stand beside it. */
const PALETTE = [
  'blue',
  'orange',
  'teal',
  'grape',
  'red',
  'cyan',
  'lime',
  'pink',
  'indigo',
  'yellow',
] as const;

export interface TeamLook {
  readonly color: string;
  readonly initials: string;
}

/** How each team looks. The same teams look the same every time. With more teams than colours, the initials tell them apart. */
export function looksOf(teams: readonly string[]): ReadonlyMap<string, TeamLook> {
  const names = [...new Set(teams)].filter((team) => team !== NO_TEAM).toSorted();
  const looks = names.map((team, index): [string, TeamLook] => [
    team,
    { color: PALETTE[index % PALETTE.length] ?? 'gray', initials: initialsOf(team) },
  ]);
  return new Map([...looks, [NO_TEAM, { color: 'gray', initials: '?' }]]);
}

/** `Data Platform` → `DP`, `growth` → `GR`. */
function initialsOf(team: string): string {
  const words = team.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
  const letters = words.length > 1 ? words.map((word) => [...word][0]) : [...(words[0] ?? '?')];
  return letters.slice(0, 2).join('').toUpperCase();
}
