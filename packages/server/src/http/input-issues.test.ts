import { describe, expect, it } from 'vitest';
import { badInput } from './input-issues.ts';

describe('what is wrong with an input', () => {
  it('names fields as the schema spells them, and not what a caller put into their place', () => {
    const error = badInput('body', [
      { instancePath: '/identities/0/type', keyword: 'invalid_type', message: 'expected string' },
      { instancePath: '/counts/ada@example.org', keyword: 'invalid_type', message: 'expected number' },
      { instancePath: '/', keyword: 'unrecognized_keys', params: { keys: ['ada@example.org'] } },
      { instancePath: '/', keyword: 'unrecognized_keys', params: { keys: ['colour', 'Ada Lovelace'] } },
    ]);
    expect(error.code).toBe('BAD_INPUT');
    expect(error.details).toEqual([
      'body.identities.0.type: expected string',
      'body.counts.…: expected number',
      'body: has a field that this operation does not know',
      'body: has unknown fields: colour',
    ]);
    expect(error.message).not.toMatch(/ada/i);
  });
});
