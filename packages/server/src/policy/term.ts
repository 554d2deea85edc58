import type { api } from '@habeas/contract';

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
  /** How long a person's appeal against a refusal may take to answer; null: the law knows no appeal to the controller. */
  readonly appeal: { readonly answer: Term; readonly extension: Term | null } | null;
  /** Rights whose requests the law has other terms for. (Default: none) */
  readonly rights?: { readonly [Right in api.Right]?: RightTerms };
  /** What happens to a term whose last day is a Saturday, a Sunday or a public holiday. */
  readonly rollOver: 'next-working-day' | 'none';
  /** The reasons for which the clock may stand still. */
  readonly stops: readonly StopReason[];
}

/** The terms of one right, where a law has them apart. */
export interface RightTerms extends Pick<Law, 'answer' | 'acknowledgement' | 'extension'> {
  readonly source: string;
}

export const months = (amount: number): Term => ({ amount, unit: 'months', firstDay: 'next' });
export const businessDays = (amount: number): Term => ({ amount, unit: 'business-days', firstDay: 'next' });
export const days = (amount: number): Term => ({ amount, unit: 'days', firstDay: 'next' });
