import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { loadPurposes } from './consent/index.ts';
import { type Clock, type Config, HabeasError, systemClock } from './foundation/index.ts';
import type { Foundations } from './foundations.ts';
import { PORTAL_PATH, type Portal } from './http/index.ts';
import { type PackageTexts, portalTextsFromConfig } from './notify/index.ts';
import { type ContactProofs, createContactProofs, limitOf } from './requests/index.ts';

/** The page where people go on with a request: the organization's own one, or ours; undefined where people cannot ask. */
export function intakePageOf({ intake }: Pick<Config, 'intake'>, publicUrl: string): string | undefined {
  return intake === undefined ? undefined : (intake.page ?? `${publicUrl}${PORTAL_PATH}/request`);
}

/** The pages on which people ask by themselves; undefined where they cannot. Throws CONFIG_INVALID for a logo that cannot be read. */
export function assemblePortal(
  config: Config,
  {
    organizationId,
    purposes,
  }: { readonly organizationId: string } & Pick<ReturnType<typeof loadPurposes>, 'purposes'>,
): Portal | undefined {
  const { portal, intake } = config;
  if (intake === undefined) return undefined;
  const { issuer } = intake.sign_in ?? {};
  const texts = portalTextsFromConfig(config, organizationId);
  // What a contract or a law needs cannot be objected to.
  const free = purposes.filter((one) => !['contract', 'legal_obligation'].includes(one.legal_basis));
  return {
    texts,
    rights: portal.rights,
    purposes: (language) =>
      free.length === 0
        ? [{ code: 'marketing', name: texts.words[language].marketing }]
        : free.map(({ code, name }) => ({
            code,
            name: name[language] ?? name.en ?? Object.values(name)[0] ?? code,
          })),
    choices: free.length > 0,
    color: portal.color,
    logo: portal.logo === undefined ? undefined : readLogo(config, portal.logo),
    notice: portal.notice,
    frames: portal.frames,
    signIn: issuer === undefined ? undefined : new URL(issuer).origin,
  };
}

/** How people prove an address for what is no request; undefined where people cannot ask, or no mail server sends codes. */
export function assembleContactProofs(
  { db, organizationId, masterKey }: Pick<Foundations, 'db' | 'organizationId' | 'masterKey'>,
  { intake }: Pick<Config, 'intake'>,
  { sendChoicesCode: send }: Pick<PackageTexts, 'sendChoicesCode'>,
  clock: Clock = systemClock,
): ContactProofs | undefined {
  if (intake === undefined || send === undefined) return undefined;
  const { asks_per_client: asks, calls_per_client: calls, codes_per_address: codes } = intake.limits;
  return createContactProofs({
    db,
    organizationId,
    masterKey,
    clock,
    send,
    asksPerClient: limitOf(asks),
    callsPerClient: limitOf(calls),
    codesPerAddress: limitOf(codes),
  });
}

function readLogo({ folder }: Pick<Config, 'folder'>, path: string): Portal['logo'] {
  try {
    const bytes = readFileSync(resolve(folder, path));
    return { type: path.endsWith('.svg') ? 'image/svg+xml' : 'image/png', bytes };
  } catch (cause) {
    throw new HabeasError('CONFIG_INVALID', `portal.logo: the file ${path} cannot be read.`, { cause });
  }
}
