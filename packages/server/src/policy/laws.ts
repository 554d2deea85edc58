import type { api } from '@habeas/contract';
import { businessDays, days, type Law, months } from './term.ts';
import { US_STATE_LAWS } from './us-state-laws.ts';

/**
 * The laws that terms are counted by. Where a law leaves room, the row takes the reading with the earlier end and says
 * so. No advice: have a lawyer read the row that you use.
 */
export const LAWS = {
  /**
   * GDPR Art. 12(3), (4): one month of receipt, extended by two further months with notice within that month. Regulation
   * 1182/71 Art. 3(1), (2)(c), (4): the day of the event is not counted; the same date; Saturdays, Sundays and public
   * holidays move the end. Taken stricter: only doubt about the identity stops the clock (Art. 12(6); a request to
   * specify may too), and the two months are counted from the end of the first, not three from receipt (up to three days
   * earlier, at the end of a month).
   */
  gdpr: {
    name: 'GDPR (EU)',
    source: 'Regulation (EU) 2016/679 Art. 12(3), (4), (6); Regulation 1182/71 Art. 3',
    answer: months(1),
    acknowledgement: null,
    extension: months(2),
    appeal: null,
    rollOver: 'next-working-day',
    stops: ['identity'],
  },
  /**
   * UK GDPR Art. 12(3) and Art. 12A (Data (Use and Access) Act 2025: the clock stops for identity and for clarification);
   * ICO, "Right of access": the corresponding date of the next month, its last day, the next working day. Taken stricter:
   * the extension as under the GDPR, where the ICO counts three months from the start.
   */
  'uk-gdpr': {
    name: 'UK GDPR',
    source: 'UK GDPR Art. 12(3), 12A; ICO guidance on the right of access',
    answer: months(1),
    acknowledgement: null,
    extension: months(2),
    appeal: null,
    rollOver: 'next-working-day',
    stops: ['identity', 'clarification'],
  },
  /**
   * 11 CCR § 7021(a): receipt is confirmed within 10 business days; (b): 45 calendar days that begin on the day of
   * receipt, whether or not the person is verified, up to 90 with notice. Taken stricter: the day of receipt is the
   * first of the 45, and no weekend moves the end. § 7026(f), § 7027(g): an opt-out of sale and sharing and a limit on the use of
   * sensitive data are heeded within 15 business days of receipt; § 7021 is about neither, so nothing is confirmed and nothing extended.
   */
  ccpa: {
    name: 'CCPA/CPRA (California)',
    source: 'Cal. Civ. Code § 1798.130(a)(2); 11 CCR § 7021',
    answer: { amount: 45, unit: 'days', firstDay: 'receipt' },
    acknowledgement: businessDays(10),
    extension: days(45),
    appeal: null,
    rights: {
      opt_out_of_sale: {
        source: '11 CCR § 7026(f)',
        answer: businessDays(15),
        acknowledgement: null,
        extension: null,
      },
      limit_sensitive_data: {
        source: '11 CCR § 7027(g)',
        answer: businessDays(15),
        acknowledgement: null,
        extension: null,
      },
    },
    rollOver: 'none',
    stops: [],
  },
  /**
   * LGPD Art. 19 II: a complete declaration within 15 days of the request. Taken stricter: 15 days for every right, no
   * weekend moves the end. Art. 19 I (the simplified answer "immediately") is no term that can be counted.
   */
  lgpd: {
    name: 'LGPD (Brazil)',
    source: 'Lei 13.709/2018 Art. 19 II',
    answer: days(15),
    acknowledgement: null,
    extension: null,
    appeal: null,
    rollOver: 'none',
    stops: [],
  },
  /**
   * PIPEDA s. 8(3): 30 days after receipt; s. 8(4): 30 more, with notice no later than 30 days after the request. Taken
   * stricter: no weekend moves the end (the Interpretation Act s. 26 would move Sundays and holidays).
   */
  pipeda: {
    name: 'PIPEDA (Canada)',
    source: 'S.C. 2000, c. 5, s. 8(3), (4)',
    answer: days(30),
    acknowledgement: null,
    extension: days(30),
    appeal: null,
    rollOver: 'none',
    stops: [],
  },
  /**
   * Act respecting the protection of personal information in the private sector (as amended by Law 25), s. 32: in writing
   * within 30 days after receipt; silence is a refusal. Taken stricter, from secondary sources: no extension, no weekend
   * moves the end.
   */
  'quebec-25': {
    name: 'Law 25 (Québec)',
    source: 'CQLR c. P-39.1, s. 32',
    answer: days(30),
    acknowledgement: null,
    extension: null,
    appeal: null,
    rollOver: 'none',
    stops: [],
  },
  /**
   * For whoever does not tell states apart: the 45 and 45 days of nearly all of them, and the shortest appeal. Taken stricter: a
   * state that gives more (Iowa: 90) gets 45 too. Florida, whose extension is 15 days, has to be named.
   */
  'us-states': {
    name: 'US state laws with 45 days',
    source: 'The laws of single states below, except Florida',
    answer: days(45),
    acknowledgement: null,
    extension: days(45),
    appeal: { answer: days(45), extension: null },
    rollOver: 'none',
    stops: [],
  },
  ...US_STATE_LAWS,
} as const satisfies Readonly<Record<api.Regime, Law>>;

/** What a request asks for, as far as its terms depend on it. */
export interface TermsAsked {
  readonly right: api.Right;
  /** Whether it is an appeal against a refusal. (Default: false) */
  readonly appeal?: boolean;
}

/** The terms of a law for one request; undefined: an appeal that the law does not know. */
export function termsOf(id: api.Regime, { right, appeal = false }: TermsAsked): Law | undefined {
  const { rights, ...law }: Law = LAWS[id];
  if (appeal) {
    if (law.appeal === null) return undefined;
    return { ...law, ...law.appeal, name: `${law.name}, appeal`, acknowledgement: null, appeal: null };
  }
  const own = rights?.[right];
  return own === undefined ? law : { ...law, ...own };
}

export const LAW_IDS = Object.keys(LAWS) as api.Regime[];
