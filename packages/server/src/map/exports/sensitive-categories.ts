/** Why data of a category needs special care. */
export type Sensitivity = 'article 9' | 'article 10' | 'highly personal';

/**
 * Categories whose data needs special care, with all that lies below them; docs/map-exports.md lists exactly these.
 * `article 9` and `article 10` are those of the GDPR; `highly personal` is what the Article 29 Working Party names beside them in
 * WP 248 rev.01 (III.B, criterion 4: location, finances, private communication, documents) and criterion 7 (children), and what
 * opens an account.
 */
export const SENSITIVE_CATEGORIES: Readonly<Record<string, Sensitivity>> = {
  'user.authorization': 'highly personal',
  'user.authorization.biometric': 'article 9',
  'user.biometric': 'article 9',
  'user.childrens': 'highly personal',
  'user.content.private': 'highly personal',
  'user.criminal_history': 'article 10',
  'user.demographic.political_opinion': 'article 9',
  'user.demographic.race_ethnicity': 'article 9',
  'user.demographic.religious_belief': 'article 9',
  'user.demographic.sexual_orientation': 'article 9',
  'user.financial': 'highly personal',
  'user.government_id': 'highly personal',
  'user.health_and_medical': 'article 9',
  'user.location.precise': 'highly personal',
  'user.payment': 'highly personal',
};

/** Why data of this category needs special care, after the longest key that holds it; undefined if it needs none. */
export function sensitivityOf(category: string | null): Sensitivity | undefined {
  const parts = category?.split('.') ?? [];
  for (let length = parts.length; length > 0; length -= 1) {
    const key = parts.slice(0, length).join('.');
    if (Object.hasOwn(SENSITIVE_CATEGORIES, key)) return SENSITIVE_CATEGORIES[key];
  }
  return undefined;
}
