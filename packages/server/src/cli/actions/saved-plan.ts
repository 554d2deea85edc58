import { writeFileSync } from 'node:fs';
import * as z from 'zod';
import { type InstallPlan, stepsHash } from '../../consent/index.ts';
import { HabeasError } from '../../foundation/index.ts';

const savedPlanSchema = z.strictObject({
  version: z.literal(1),
  target: z.string(),
  fingerprint: z.string(),
  steps: z.array(
    z.strictObject({
      action: z.enum(['make', 'replace', 'remove', 'restore', 'unknown']),
      kind: z.string(),
      name: z.string(),
      why: z.string(),
      statements: z.array(z.string()),
    }),
  ),
  steps_sha256: z.string(),
});

/** Writes what is to be done, with its statements, for somebody to read. */
export function savePlan(file: string, target: string, { steps, fingerprint }: InstallPlan): void {
  const saved = { version: 1, target, fingerprint, steps, steps_sha256: stepsHash({ fingerprint, steps }) };
  writeFileSync(file, `${JSON.stringify(saved, null, 2)}\n`, { mode: 0o600 });
}

/** Throws BAD_INPUT for what is no plan, and for one whose steps are not those that it was made with: what was read is what is done. */
export function readPlan(
  text: string,
  file: string,
): { readonly target: string; readonly fingerprint: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new HabeasError('BAD_INPUT', `${file} is no JSON.`, { cause });
  }
  const { success, data } = savedPlanSchema.safeParse(value);
  if (!success)
    throw new HabeasError(
      'BAD_INPUT',
      `${file} is no plan of this version. Make one by habeas consent plan --out.`,
    );
  if (data.steps_sha256 !== stepsHash(data))
    throw new HabeasError('BAD_INPUT', `${file} was changed after it was made. Plan again.`);
  return data;
}
