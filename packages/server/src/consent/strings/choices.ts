import type { Purpose, PurposeFile } from '../purposes/index.ts';
import { decodeGpp, encodeGpp, type GppSection } from './gpp.ts';
import type { GppField } from './gpp-layouts.ts';
import { decodeTcf, encodeTcf, type TcfString, vendorsOf } from './tcf.ts';

/** By the codes of purposes: granted or refused. */
export type Choices = Readonly<Record<string, boolean>>;

/**
 * What a string of Europe says about purposes that name purposes or special features of the framework: all of them have to be
 * granted, and for legitimate interests none objected to. A string that does not say which vendors were disclosed proves no consent since
 * version 2.3: only what it refuses counts. Throws `MalformedString`.
 */
export function choicesOfTcf(text: string, purposes: readonly Purpose[]): Choices {
  const said = decodeTcf(text);
  const choices = purposes.flatMap(({ code, tcf, legal_basis: basis }) => {
    if (tcf === undefined) return [];
    const granted =
      tcf.purposes.every((id) =>
        (basis === 'legitimate_interests' ? said.purposeInterests : said.purposeConsents).has(id),
      ) && tcf.special_features.every((id) => said.specialFeatures.has(id));
    return granted && said.disclosedVendors === undefined ? [] : [[code, granted] as const];
  });
  return Object.fromEntries(choices);
}

/** Sections of a string are not known, and what is known of it says nothing about the purposes. */
export class UnknownSections extends Error {
  readonly ids: readonly number[];

  constructor(ids: readonly number[]) {
    super(`sections ${ids.join(', ')} are not known`);
    this.ids = ids;
  }
}

/**
 * What the sections of the United States say about purposes that name opt-outs: an opt-out in any section counts, and Global Privacy Control
 * opts out of purposes with `gpc`. Who did not opt out has agreed to nothing: of purposes that need consent only opt-outs count. So they do
 * of a string with a section that is not known, as there may be one in that section.
 * Throws `MalformedString`, and {@link UnknownSections} where such a string opts out of nothing.
 */
export function choicesOfGpp(text: string, purposes: readonly Purpose[]): Choices {
  const { sections, unknown } = decodeGpp(text);
  const choices = purposes.flatMap(({ code, gpp, gpc, legal_basis: basis }) => {
    const opted = sections
      .flatMap((section) => gpp.map((field) => section[field]))
      .filter((one) => one !== undefined);
    if (gpc && sections.some((section) => section.gpc === true)) opted.push(true);
    const granted = !opted.includes(true);
    const provesNothing = granted && (unknown.length > 0 || basis === 'consent');
    return opted.length === 0 || provesNothing ? [] : [[code, granted] as const];
  });
  const isAsked = purposes.some(({ gpp, gpc }) => gpc || gpp.length > 0);
  if (choices.length === 0 && unknown.length > 0 && isAsked) throw new UnknownSections(unknown);
  return Object.fromEntries(choices);
}

/** What a person's choices are as strings; each is there where purposes name its fields. */
export function stringsOf(
  { purposes, tcf }: PurposeFile,
  allowed: (code: string) => boolean,
  now: Date,
): { readonly tcf?: string; readonly gpp?: string } {
  return {
    ...(tcf === undefined ? {} : { tcf: encodeTcf(tcfOf(purposes, tcf, { allowed, now })) }),
    ...(purposes.some(({ gpp }) => gpp.length > 0) ? { gpp: encodeGpp([gppOf(purposes, allowed)]) } : {}),
  };
}

const NATIONAL = 7;

function gppOf(purposes: readonly Purpose[], allowed: (code: string) => boolean): GppSection {
  const opted = (field: GppField) => {
    const about = purposes.filter(({ gpp }) => gpp.includes(field));
    return about.length === 0 ? undefined : about.some(({ code }) => !allowed(code));
  };
  return {
    id: NATIONAL,
    sale: opted('sale'),
    sharing: opted('sharing'),
    targeted_advertising: opted('targeted_advertising'),
    gpc: undefined,
  };
}

interface Said {
  readonly allowed: (code: string) => boolean;
  readonly now: Date;
}

function tcfOf(
  purposes: readonly Purpose[],
  tcf: NonNullable<PurposeFile['tcf']>,
  { allowed, now }: Said,
): TcfString {
  // Days, not moments: a moment would tell one browser from another (specification, "Created").
  const day = new Date(Math.floor(now.getTime() / 86_400_000) * 86_400_000);
  const isInterest = (purpose: Purpose) => purpose.legal_basis === 'legitimate_interests';
  // What is allowed because nobody objected is no consent.
  const needConsent = purposes.filter((purpose) => purpose.legal_basis === 'consent');
  const idsOf = (
    field: 'purposes' | 'special_features',
    { from, users }: { readonly from: readonly Purpose[]; readonly users: readonly Purpose[] },
  ) => {
    const ids = new Set(from.flatMap((purpose) => purpose.tcf?.[field] ?? []));
    // Granted only where everything that uses it is allowed.
    for (const purpose of users)
      if (!allowed(purpose.code)) for (const id of purpose.tcf?.[field] ?? []) ids.delete(id);
    return ids;
  };
  const interested = purposes.filter(isInterest);
  const consents = idsOf('purposes', {
    from: needConsent,
    users: purposes.filter((purpose) => !isInterest(purpose)),
  });
  const interests = idsOf('purposes', { from: interested, users: interested });
  const vendors = vendorsOf(tcf.vendors);
  return {
    created: day,
    lastUpdated: day,
    cmpId: tcf.cmp_id,
    cmpVersion: tcf.cmp_version,
    consentScreen: 1,
    language: 'EN',
    vendorListVersion: tcf.vendor_list_version,
    policyVersion: 5,
    isServiceSpecific: true,
    useNonStandardTexts: false,
    specialFeatures: idsOf('special_features', { from: needConsent, users: purposes }),
    purposeConsents: consents,
    purposeInterests: interests,
    purposeOneTreatment: false,
    publisherCountry: tcf.country,
    vendorConsents: consents.size > 0 ? vendors : [],
    vendorInterests: interests.size > 0 ? vendors : [],
    restrictions: [],
    disclosedVendors: vendors,
  };
}
