import { afterEach, expect, inject, test, vi } from 'vitest';
import { requireData, requireProgram, requireServer } from './requirements.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

test('a data set that is not there fails where everything is required', () => {
  vi.stubEnv('HABEAS_TEST_REQUIRE', 'all');
  expect(() => requireData('no-such-set')).toThrow('tests with the data set no-such-set cannot run');
});

test('a program that is not installed fails where everything is required, and is only told of elsewhere', () => {
  vi.stubEnv('HABEAS_TEST_REQUIRE', '');
  expect(requireProgram('no-such-program')).toBe(undefined);
  vi.stubEnv('HABEAS_TEST_REQUIRE', 'all');
  expect(() => requireProgram('no-such-program')).toThrow('it is not installed');
});

test('a server that is not named or does not answer fails where everything is required', async () => {
  vi.stubEnv('HABEAS_TEST_REQUIRE', 'all');
  vi.stubEnv('HABEAS_TEST_POSTGRES_URL', '');
  await expect(requireServer('postgres')).rejects.toThrow('HABEAS_TEST_POSTGRES_URL is not set');
  vi.stubEnv('HABEAS_TEST_POSTGRES_URL', 'postgres://nobody@127.0.0.1:1/none');
  await expect(requireServer('postgres')).rejects.toThrow('does not answer');
});

test('elsewhere both are only told of, and a server that answers is given', async () => {
  vi.stubEnv('HABEAS_TEST_REQUIRE', '');
  vi.stubEnv('HABEAS_TEST_POSTGRES_URL', '');
  expect([requireData('no-such-set'), await requireServer('postgres')]).toEqual([undefined, undefined]);
  vi.stubEnv('HABEAS_TEST_POSTGRES_URL', inject('databaseUrl'));
  expect(await requireServer('postgres')).toBe(inject('databaseUrl'));
});
