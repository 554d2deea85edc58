import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERRORS } from '../foundation/index.ts';

const text = readFileSync(new URL('../../../../docs/errors.md', import.meta.url), 'utf8');

/** Code → what its section says. */
const sections = new Map(
  text
    .split(/^### /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section.split(/^## /m)[0] ?? '']),
);

describe('docs/errors.md', () => {
  it('has a section for every code of the registry', () => {
    expect(Object.keys(ERRORS).filter((code) => !sections.has(code))).toEqual([]);
  });

  it('has no section for a code that does not exist, and none twice', () => {
    expect([...sections.keys()].filter((code) => !(code in ERRORS))).toEqual([]);
    expect(text.match(/^### /gm)?.length).toBe(sections.size);
  });

  it('says for each code its status, its title, when it happens and what to do', () => {
    for (const [code, { status, title }] of Object.entries(ERRORS)) {
      const section = sections.get(code)?.replaceAll(/\s+/g, ' ') ?? '';
      expect([code, section]).toEqual([code, expect.stringContaining(`HTTP ${status}. ${title}.`)]);
      expect([code, section]).toEqual([code, expect.stringMatching(/- \*\*When:\*\* .{20,}/)]);
      expect([code, section]).toEqual([code, expect.stringMatching(/- \*\*What to do:\*\* .{10,}/)]);
    }
  });
});
