import { NO_TEAM } from './collapse.ts';

/** Mantine's names of colours; a team's own colour is never the only sign of it: its name and initials stand beside it. */
export const PALETTE = [
  'blue',
  'orange',
  'teal',
  'grape',
  'red',
  'cyan',
  'lime',
  'pink',
  'indigo',
  'violet',
] as const;

/** How a colour is filled, so that teams beyond the colours look another way. */
export const PATTERNS = ['solid', 'stripes', 'bars', 'dots'] as const;
export type Pattern = (typeof PATTERNS)[number];

export interface TeamLook {
  readonly color: string;
  readonly pattern: Pattern;
  /** No two teams have the same. */
  readonly initials: string;
}

/** How each team looks: colours first, then patterns over them. The same teams look the same every time, in whatever order they come. */
export function looksOf(teams: readonly string[]): ReadonlyMap<string, TeamLook> {
  const names = [...new Set(teams)].filter((team) => team !== NO_TEAM).toSorted();
  const taken = new Set<string>(['?']);
  const looks = names.map((team, index): [string, TeamLook] => {
    const initials = initialsOf(team, taken);
    taken.add(initials);
    return [
      team,
      {
        color: PALETTE[index % PALETTE.length] ?? 'gray',
        pattern: PATTERNS[Math.floor(index / PALETTE.length) % PATTERNS.length] ?? 'solid',
        initials,
      },
    ];
  });
  return new Map([...looks, [NO_TEAM, { color: 'gray', pattern: 'solid', initials: '?' }]]);
}

/** `Data Platform` → `DP`, `growth` → `GR`; where others have that, another letter of the name, and a number at last. */
function initialsOf(team: string, taken: ReadonlySet<string>): string {
  const words = team.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
  const letters = [...words.join('').toUpperCase()];
  const [first = '#'] = letters;
  const ofWords = words.map((word) => [...word.toUpperCase()][0] ?? '');
  const wishes = [
    ...(words.length > 1 ? [ofWords.slice(0, 2).join(''), ofWords.slice(0, 3).join('')] : []),
    ...letters.slice(1).map((letter) => first + letter),
  ];
  const free = wishes.find((wish) => !taken.has(wish));
  if (free !== undefined) return free;
  for (let number = 1; ; number += 1) if (!taken.has(`${first}${number}`)) return `${first}${number}`;
}
