import { DEFAULT_THEME, luminance } from '@mantine/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LINE_SHADES } from '../theme/line-color.ts';
import { looksOf, PALETTE } from './team-look.ts';

describe('how teams look', () => {
  it('is their initials, in two letters where those are free', () => {
    const looks = looksOf(['growth', 'Data Platform', 'groceries', 'green room', '7']);
    const initials = [...looks].map(([team, look]) => [team, look.initials]);
    expect(Object.fromEntries(initials)).toEqual({
      '7': '71',
      'Data Platform': 'DP',
      'green room': 'GR',
      groceries: 'GO',
      growth: 'GW',
      'no team': '?',
    });
  });

  it('tells forty teams apart by colour and pattern, and any number by their initials, in whatever order they come', () => {
    const names = fc.uniqueArray(fc.oneof(fc.string(), fc.constantFrom('a', 'A', 'a a', 'b-b', '🦖', '?')), {
      maxLength: 90,
    });
    fc.assert(
      fc.property(names, (teams) => {
        const looks = looksOf(teams);
        const initials = [...looks.values()].map((look) => look.initials);
        expect(new Set(initials).size).toBe(initials.length);
        expect(looksOf(teams.toReversed())).toEqual(looks);
      }),
    );
    const forty = looksOf(Array.from({ length: 40 }, (_, number) => `team ${number}`));
    const drawn = [...forty.values()].map(({ color, pattern }) => `${color} ${pattern}`);
    expect(new Set(drawn).size).toBe(41);
  });

  it('is told from the page in light and in dark', () => {
    const contrast = (one: number, other: number) =>
      (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const pages = { light: luminance('#ffffff'), dark: luminance(DEFAULT_THEME.colors.dark[7]) };
    for (const color of [...PALETTE, 'gray']) {
      for (const scheme of ['light', 'dark'] as const) {
        const line = luminance(DEFAULT_THEME.colors[color]?.[LINE_SHADES[scheme]] ?? '');
        expect([color, scheme, contrast(line, pages[scheme]) >= 3]).toEqual([color, scheme, true]);
      }
    }
  });
});
