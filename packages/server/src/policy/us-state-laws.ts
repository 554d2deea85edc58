import { days, type Law } from './term.ts';

/** An answer within `answer` days of receipt, once extended by `extension` with notice before; an appeal within `appeal`. */
function stateLaw(terms: {
  readonly name: string;
  readonly source: string;
  /** (Default: 45) */
  readonly answer?: number;
  /** (Default: 45) */
  readonly extension?: number;
  /** null: no appeal to the controller. (Default: 60) */
  readonly appeal?: number | null;
  /** By how much the answer to an appeal can be extended. (Default: not at all) */
  readonly appealExtension?: number;
}): Law {
  const { name, source, appeal = 60, appealExtension } = terms;
  return {
    name,
    source,
    answer: days(terms.answer ?? 45),
    acknowledgement: null,
    extension: days(terms.extension ?? 45),
    appeal:
      appeal === null
        ? null
        : { answer: days(appeal), extension: appealExtension === undefined ? null : days(appealExtension) },
    rollOver: 'none',
    stops: [],
  };
}

/**
 * The privacy laws of single states of the USA. Read in secondary sources (comparisons of law firms, commercial copies of the
 * codes), except New Jersey, Utah and Oregon, whose sections were read. Taken stricter in all: the days begin after the day of
 * receipt and no weekend moves the end; a term begins with receipt, also where the law lets it begin with a verified request.
 */
export const US_STATE_LAWS = {
  /** § 59.1-577(B)(1), (C): 45 and 45 days; an appeal within 60. */
  'us-va': stateLaw({ name: 'Virginia (VCDPA)', source: 'Va. Code § 59.1-577(B), (C)' }),
  /** § 6-1-1306(2), (3): 45 and 45 days; an appeal within 45, once 60 more. */
  'us-co': stateLaw({
    name: 'Colorado (CPA)',
    source: 'C.R.S. § 6-1-1306(2), (3)',
    appeal: 45,
    appealExtension: 60,
  }),
  'us-ct': stateLaw({ name: 'Connecticut (CTDPA)', source: 'Conn. Gen. Stat. § 42-518(c), (d)' }),
  /** § 13-61-203(2): 45 and 45 days; the law knows no appeal. */
  'us-ut': stateLaw({ name: 'Utah (UCPA)', source: 'Utah Code § 13-61-203', appeal: null }),
  'us-tx': stateLaw({ name: 'Texas (TDPSA)', source: 'Tex. Bus. & Com. Code §§ 541.052, 541.053' }),
  /** § 501.706: 45 and only 15 days. */
  'us-fl': stateLaw({ name: 'Florida (FDBR)', source: 'Fla. Stat. § 501.706', extension: 15 }),
  /** ORS 646A.576(5), (6): 45 and 45 days; an appeal within 45. */
  'us-or': stateLaw({ name: 'Oregon (OCPA)', source: 'ORS 646A.576', appeal: 45 }),
  'us-mt': stateLaw({ name: 'Montana (MCDPA)', source: 'Mont. Code § 30-14-2808' }),
  /** § 715D.3: 90 and 45 days. */
  'us-ia': stateLaw({ name: 'Iowa (ICDPA)', source: 'Iowa Code § 715D.3', answer: 90 }),
  'us-de': stateLaw({ name: 'Delaware (DPDPA)', source: '6 Del. C. § 12D-104' }),
  'us-nh': stateLaw({ name: 'New Hampshire (NHPA)', source: 'N.H. RSA 507-H:4' }),
  /** 56:8-166.7(a): 45 and 45 days; an appeal within 45. */
  'us-nj': stateLaw({ name: 'New Jersey (NJDPA)', source: 'N.J.S.A. 56:8-166.7', appeal: 45 }),
  'us-ne': stateLaw({ name: 'Nebraska (NDPA)', source: 'Nebraska Data Privacy Act (LB 1074, 2024)' }),
  'us-tn': stateLaw({
    name: 'Tennessee (TIPA)',
    source: 'Tennessee Information Protection Act (Pub. Ch. 408, 2023)',
  }),
  /** § 325M.14: 45 and 45 days; an appeal within 45, once 60 more. */
  'us-mn': stateLaw({
    name: 'Minnesota (MCDPA)',
    source: 'Minn. Stat. § 325M.14',
    appeal: 45,
    appealExtension: 60,
  }),
  'us-md': stateLaw({ name: 'Maryland (MODPA)', source: 'Maryland Online Data Privacy Act of 2024' }),
  'us-in': stateLaw({ name: 'Indiana (ICDPA)', source: 'Ind. Code § 24-15-3-1' }),
  'us-ky': stateLaw({ name: 'Kentucky (KCDPA)', source: 'KRS 367.3615' }),
  'us-ri': stateLaw({ name: 'Rhode Island (RIDTPPA)', source: 'R.I. Gen. Laws § 6-48.1-5' }),
} as const satisfies Readonly<Record<`us-${string}`, Law>>;
