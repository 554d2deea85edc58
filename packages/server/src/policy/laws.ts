/** How long something may take, and how its days are counted. */
export interface Term {
  readonly amount: number;
  /**
   * `months`: ends on the same day of a later month, or on that month's last day if it has no such day. `days`: calendar
   * days. `business-days`: neither weekends nor public holidays.
   */
  readonly unit: 'months' | 'days' | 'business-days';
  /** The first day of the count: the day of receipt itself, or the day after it. Means nothing for months. */
  readonly firstDay: 'receipt' | 'next';
}

/** Why a clock may stand still: who the person is, or what they ask for, has to be cleared up with them. */
export type StopReason = 'identity' | 'clarification';

/** What a law says about the time that an answer may take. */
export interface Law {
  readonly name: string;
  /** The articles that the terms come from. */
  readonly source: string;
  readonly answer: Term;
  /** By when receipt has to be confirmed; null: the law sets no such term. */
  readonly acknowledgement: Term | null;
  /**
   * By how much the answer's term can be extended, once, if the person is told within the answer's own term; null: not at
   * all. Counted on from the last day of that term.
   */
  readonly extension: Term | null;
  /** What happens to a term whose last day is a Saturday, a Sunday or a public holiday. */
  readonly rollOver: 'next-working-day' | 'none';
  /** The reasons for which the clock may stand still. */
  readonly stops: readonly StopReason[];
}

const months = (amount: number): Term => ({ amount, unit: 'months', firstDay: 'next' });
const days = (amount: number): Term => ({ amount, unit: 'days', firstDay: 'next' });

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
    rollOver: 'next-working-day',
    stops: ['identity', 'clarification'],
  },
  /**
   * 11 CCR § 7021(a): receipt is confirmed within 10 business days; (b): 45 calendar days that begin on the day of
   * receipt, whether or not the person is verified, up to 90 with notice. Taken stricter: the day of receipt is the
   * first of the 45, and no weekend moves the end.
   */
  ccpa: {
    name: 'CCPA/CPRA (California)',
    source: 'Cal. Civ. Code § 1798.130(a)(2); 11 CCR § 7021',
    answer: { amount: 45, unit: 'days', firstDay: 'receipt' },
    acknowledgement: { amount: 10, unit: 'business-days', firstDay: 'next' },
    extension: days(45),
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
    rollOver: 'none',
    stops: [],
  },
  /**
   * The 45 days of Virginia (Va. Code § 59.1-577(B)), Colorado (C.R.S. § 6-1-1306(2)), Connecticut (§ 42-518(c)), Texas
   * (Bus. & Com. Code § 541.052), Utah (§ 13-61-203), with one extension of 45 and notice within the first 45. From
   * secondary sources. Taken stricter: no weekend moves the end; a state that gives more (Iowa: 90) gets 45 too.
   */
  'us-states': {
    name: 'US state laws with 45 days (VA, CO, CT, TX, UT)',
    source:
      'Va. Code § 59.1-577(B); C.R.S. § 6-1-1306(2); Conn. § 42-518(c); Tex. § 541.052; Utah § 13-61-203',
    answer: days(45),
    acknowledgement: null,
    extension: days(45),
    rollOver: 'none',
    stops: [],
  },
} as const satisfies Readonly<Record<string, Law>>;

export type LawId = keyof typeof LAWS;

export const LAW_IDS = Object.keys(LAWS) as LawId[];
