/** What people are shown, as `GET /consent/v1/notice` tells it: purposes and texts in one language, and the rules of a region. */
export interface Notice {
  readonly version: string;
  /** Of the texts, BCP 47. */
  readonly language: string;
  /** By the names of docs/consent-tag.md. */
  readonly texts: Readonly<Record<string, string>>;
  readonly jurisdiction: { readonly code: string; readonly show: JurisdictionShow };
  readonly purposes: readonly NoticePurpose[];
}

/** Whether people are asked, find a link, or see nothing. */
export type JurisdictionShow = 'banner' | 'link' | 'nothing';

export interface NoticePurpose {
  readonly code: string;
  readonly name: string;
  readonly description: string | null;
  readonly legal_basis: string;
  /** Whether Global Privacy Control opts out of it. */
  readonly gpc: boolean;
  /** Whether it is allowed for those who said nothing. */
  readonly allowed_by_default: boolean;
  /** After so many days people are asked again; what they said holds until they answer. */
  readonly ask_again_days: number | null;
  /** After so many days an agreement counts no longer: it is as if nothing had been said. A refusal counts for ever. */
  readonly validity_days: number | null;
}

/** Nobody can refuse what a contract or a law asks for (GDPR article 21 has no objection to these). */
export function canRefuse({ legal_basis: basis }: NoticePurpose): boolean {
  return basis !== 'contract' && basis !== 'legal_obligation';
}
