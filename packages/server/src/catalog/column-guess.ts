/** What a column's name suggests. A guess to be checked by a person, never a finding of its own. */
export interface ColumnGuess {
  readonly category: string;
  /** The identity type, where values of such a column usually point at one person. */
  readonly identity?: string;
}

interface Pattern extends ColumnGuess {
  /** Matched against the name in lower case with single underscores between words. */
  readonly name: RegExp;
}

/** The first that matches counts. Words are whole: `city` does not match `capacity`. */
const PATTERNS: readonly Pattern[] = [
  {
    name: /(^|_)e_?mails?(_?address(es)?)?(_?\d)?$|^mail(_address|box)?$/,
    category: 'user.contact.email',
    identity: 'email',
  },
  {
    name: /(^|_)(phone|telephone|mobile|cell|msisdn)s?(_?(number|no|nr)s?)?(_?\d)?$/,
    category: 'user.contact.phone_number',
    identity: 'phone_number',
  },
  { name: /(^|_)fax(_?(number|no))?$/, category: 'user.contact.fax_number' },
  {
    name: /^(first|given|fore|middle)_?names?$|^name_?(first|given|middle)$|^(first|middle|fname|prenom|vorname)$/,
    category: 'user.name.first',
  },
  {
    name: /^(last|family|sur|maiden)_?names?$|^name_?(last|family)$|^(last|maiden|lname|surname|nachname)$/,
    category: 'user.name.last',
  },
  {
    name: /^(full|display|legal|customer|contact|(account_?)?holder|card_?holder|recipient|buyer|patient|employee|author|sender|owner)_?names?$|^(card_?)?holder$/,
    category: 'user.name',
  },
  { name: /^(user|login|screen|nick)_?name$|^login$|^handle$/, category: 'user.account.username' },
  {
    name: /^pass(word|wd|phrase)?(_?(hash|digest|salt))?$|^(hashed|encrypted)_password$/,
    category: 'user.authorization.password',
  },
  {
    name: /(^|_)(access|refresh|session|auth|api|reset|remember)_?(token|key|secret)$|^(token|secret|otp|pin)$/,
    category: 'user.authorization.credentials',
  },
  {
    name: /^(date_of_birth|birth_?(date|day|month|year)|dob|born(_on|_at)?|year_of_birth)$/,
    category: 'user.demographic.date_of_birth',
  },
  { name: /^(birth|death)_?(place|date|day|month|year|country|state|city)$/, category: 'user.demographic' },
  { name: /^(gender|sex)$/, category: 'user.demographic.gender' },
  { name: /^(marital(_status)?|marital)$/, category: 'user.demographic.marital_status' },
  { name: /^(race|ethnicity)$/, category: 'user.demographic.race_ethnicity' },
  { name: /^(religion|faith)$/, category: 'user.demographic.religious_belief' },
  { name: /(^|_)(postal|zip|post)_?(code)?$|^postcode$|^plz$/, category: 'user.contact.address.postal_code' },
  {
    name: /(^|_)(street|addr(ess)?|address_?street|(address_?)?line)(_?address)?(_?\d)?$/,
    category: 'user.contact.address.street',
  },
  { name: /(^|_)(city|town|locality)$/, category: 'user.contact.address.city' },
  { name: /(^|_)(state|province|county)(_?code)?$|^region$/, category: 'user.contact.address.state' },
  { name: /(^|_)country(_?(code|name))?$/, category: 'user.contact.address.country' },
  { name: /^(lat|latitude|lon|lng|longitude|geo|location|coordinates)$/, category: 'user.location.precise' },
  {
    name: /(^|_)(ip|ip_?addr(ess)?(es)?|remote_addr)$|^ip_(signup|opt)$/,
    category: 'user.device.ip_address',
  },
  { name: /(^|_)device_?id$|^(advertising_?id|idfa|gaid)$/, category: 'user.device.device_id' },
  { name: /(^|_)cookie(_id)?$/, category: 'user.device.cookie_id' },
  { name: /^user_?agent$/, category: 'user.device' },
  {
    name: /^(ssn|social_security(_?(number|no))?|national_id|tax_?id|tin|nin|cpf|bsn|steuer_?id)$/,
    category: 'user.government_id.national_identification_number',
  },
  { name: /^passport(_?(number|no|nr))?$/, category: 'user.government_id.passport_number' },
  {
    name: /^(drivers?|driving)(_?licen[cs]e)?(_?(number|no))?$|^drivers$/,
    category: 'user.government_id.drivers_license_number',
  },
  {
    name: /^(iban|bic|swift|account_?(number|no)|bank_account|sort_code|routing_number)$/,
    category: 'user.financial.bank_account',
  },
  {
    name: /^(card|credit_?card|cc)_?(number|no|num|last_?(4|four))?$|^(pan|cvv|cvc)$|(^|_)last_?(4|four)$/,
    category: 'user.financial.credit_card',
  },
  { name: /^(salary|income|wage)$/, category: 'user.financial' },
  { name: /^(job_?title|occupation|profession)$/, category: 'user.job_title' },
  { name: /^(company|employer|organi[sz]ation)(_name)?$/, category: 'user.contact.organization' },
  {
    name: /^(diagnos[ei]s_?\d?|allerg(y|ies)|medications?|blood_type|disabilit(y|ies))$/,
    category: 'user.health_and_medical',
  },
  { name: /^(avatar|photo|picture|portrait)(_url)?$/, category: 'user.content.self_image' },
  { name: /^(user|customer|subject|account|member|person|patient)_?(uu)?id$/, category: 'user.unique_id' },
];

/** `customerId`, `CustomerID` and `customer_id` are one name. */
function normalize(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '');
}

/** What a column of this name most likely holds; undefined: nothing that the name tells. */
export function guessColumn(name: string): ColumnGuess | undefined {
  const normal = normalize(name);
  return PATTERNS.find((pattern) => pattern.name.test(normal));
}

/** Tables whose rows are people, so that their bare column `name` is the name of one. */
const PEOPLE =
  /(^|_)(customer|client|user|account|employee|staff|person|people|patient|member|contact|subscriber|guest|student|author|lead|profile|applicant|passenger|payee|donor|tenant|provider|doctor|physician|nurse|driver|agent|owner)s?$/;

/** Like {@link guessColumn}, and knows that `name` in `customers` is a person's, and in `products` is not. */
export function guessField(table: string, column: string): ColumnGuess | undefined {
  const guess = guessColumn(column);
  if (guess !== undefined) return guess;
  const normal = normalize(column);
  if (normal === 'name' && holdsPeople(table)) return { category: 'user.name' };
  const isTold = /^(reason_?)?(description|code|notes?|severity|reaction|value)_?\d?$/.test(normal);
  return isTold && HEALTH.test(bareName(table)) ? { category: 'user.health_and_medical' } : undefined;
}

/** Tables whose rows are about somebody's health, whatever the columns are called. */
const HEALTH =
  /(^|_)(allerg(y|ie)|condition|diagnos[ei]|medication|prescription|procedure|treatment|immuni[sz]ation|vaccination|care_?plan|encounter|observation|symptom)s?$/;

export function holdsPeople(table: string): boolean {
  return PEOPLE.test(bareName(table));
}

function bareName(table: string): string {
  return normalize(table.slice(table.lastIndexOf('.') + 1));
}
