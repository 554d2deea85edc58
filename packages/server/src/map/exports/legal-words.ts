/** The bases of GDPR Article 6(1) in the order of its letters; docs/record-of-processing.md lists exactly these. */
export const LEGAL_BASES = [
  'consent',
  'contract',
  'legal-obligation',
  'vital-interests',
  'public-task',
  'legitimate-interests',
] as const;

/** The conditions of GDPR Article 9(2) in the order of its letters; docs/record-of-processing.md lists exactly these. */
export const CONDITIONS = [
  'explicit-consent',
  'employment',
  'vital-interests',
  'not-for-profit',
  'made-public',
  'legal-claims',
  'substantial-public-interest',
  'health-care',
  'public-health',
  'archiving-research',
] as const;

export type LegalBasis = (typeof LEGAL_BASES)[number];
export type Condition = (typeof CONDITIONS)[number];

interface Words {
  /** As the law names it. */
  readonly law: string;
  /** Fideslang's word (its enumerations of legal bases). */
  readonly fides: string;
  /** A term of DPV's extension for the GDPR. */
  readonly dpv: string;
}

export const BASIS_WORDS: Readonly<Record<LegalBasis, Words>> = {
  consent: { law: 'consent, Article 6(1)(a)', fides: 'Consent', dpv: 'A6-1-a' },
  contract: { law: 'contract, Article 6(1)(b)', fides: 'Contract', dpv: 'A6-1-b' },
  'legal-obligation': { law: 'legal obligation, Article 6(1)(c)', fides: 'Legal obligations', dpv: 'A6-1-c' },
  'vital-interests': { law: 'vital interests, Article 6(1)(d)', fides: 'Vital interests', dpv: 'A6-1-d' },
  'public-task': {
    law: 'task in the public interest, Article 6(1)(e)',
    fides: 'Public interest',
    dpv: 'A6-1-e',
  },
  'legitimate-interests': {
    law: 'legitimate interests, Article 6(1)(f)',
    fides: 'Legitimate interests',
    dpv: 'A6-1-f',
  },
};

export const CONDITION_WORDS: Readonly<Record<Condition, Words>> = {
  'explicit-consent': { law: 'explicit consent, Article 9(2)(a)', fides: 'Explicit consent', dpv: 'A9-2-a' },
  employment: {
    law: 'employment and social protection, Article 9(2)(b)',
    fides: 'Employment, social security and social protection',
    dpv: 'A9-2-b',
  },
  'vital-interests': { law: 'vital interests, Article 9(2)(c)', fides: 'Vital interests', dpv: 'A9-2-c' },
  'not-for-profit': {
    law: 'not-for-profit body, Article 9(2)(d)',
    fides: 'Not-for-profit bodies',
    dpv: 'A9-2-d',
  },
  'made-public': {
    law: 'made public by the data subject, Article 9(2)(e)',
    fides: 'Made public by the data subject',
    dpv: 'A9-2-e',
  },
  'legal-claims': {
    law: 'legal claims, Article 9(2)(f)',
    fides: 'Legal claims or judicial acts',
    dpv: 'A9-2-f',
  },
  'substantial-public-interest': {
    law: 'substantial public interest, Article 9(2)(g)',
    fides: 'Reasons of substantial public interest (with a basis in law)',
    dpv: 'A9-2-g',
  },
  'health-care': {
    law: 'health or social care, Article 9(2)(h)',
    fides: 'Health or social care (with a basis in law)',
    dpv: 'A9-2-h',
  },
  'public-health': {
    law: 'public health, Article 9(2)(i)',
    fides: 'Public health (with a basis in law)',
    dpv: 'A9-2-i',
  },
  'archiving-research': {
    law: 'archiving, research or statistics, Article 9(2)(j)',
    fides: 'Archiving, research and statistics (with a basis in law)',
    dpv: 'A9-2-j',
  },
};
