/**
 * Data categories of Fideslang and the nearest term of DPV's extension for personal data (https://w3id.org/dpv/pd, version 2.3).
 * A category that is not here has the term of the one above it, and at last `dpv:PersonalData`.
 */
export const DPV_TERMS: Readonly<Record<string, string>> = {
  'user.account': 'Identifying',
  'user.account.username': 'Username',
  'user.authorization': 'Authenticating',
  'user.authorization.biometric': 'Biometric',
  'user.authorization.password': 'Password',
  'user.behavior': 'Behavioural',
  'user.behavior.browsing_history': 'BrowserHistory',
  'user.behavior.media_consumption': 'ServiceConsumptionBehaviour',
  'user.behavior.purchase_history': 'Purchase',
  'user.behavior.search_history': 'BrowsingBehaviour',
  'user.biometric': 'Biometric',
  'user.biometric.fingerprint': 'Fingerprint',
  'user.biometric.health': 'Health',
  'user.biometric.retinal': 'Retina',
  'user.contact': 'Contact',
  'user.contact.address': 'PhysicalAddress',
  'user.contact.address.city': 'City',
  'user.contact.address.country': 'Country',
  'user.contact.address.postal_code': 'PostalCode',
  'user.contact.address.state': 'Region',
  'user.contact.address.street': 'Street',
  'user.contact.email': 'EmailAddress',
  'user.contact.phone_number': 'TelephoneNumber',
  'user.content.private': 'Communication',
  'user.content.self_image': 'Picture',
  'user.criminal_history': 'Criminal',
  'user.demographic': 'Demographic',
  'user.demographic.age_range': 'AgeRange',
  'user.demographic.date_of_birth': 'BirthDate',
  'user.demographic.gender': 'Gender',
  'user.demographic.language': 'Language',
  'user.demographic.marital_status': 'MaritalStatus',
  'user.demographic.political_opinion': 'PoliticalOpinion',
  'user.demographic.race_ethnicity': 'Ethnicity',
  'user.demographic.religious_belief': 'ReligiousBelief',
  'user.demographic.sexual_orientation': 'SexualPreference',
  'user.device': 'DeviceBased',
  'user.device.device_id': 'UID',
  'user.device.ip_address': 'IPAddress',
  'user.financial': 'Financial',
  'user.financial.bank_account': 'BankAccount',
  'user.financial.credit_card': 'PaymentCardNumber',
  'user.government_id': 'OfficialID',
  'user.government_id.drivers_license_number': 'VehicalLicenseNumber',
  'user.government_id.passport_number': 'Passport',
  'user.government_id.vehicle_registration': 'VehicalLicenseRegistration',
  'user.health_and_medical': 'MedicalHealth',
  'user.health_and_medical.genetic': 'Genetic',
  'user.health_and_medical.record_id': 'HealthRecord',
  'user.job_title': 'Job',
  'user.location': 'Location',
  'user.location.precise': 'GPSCoordinate',
  'user.name': 'Name',
  'user.payment': 'PaymentCard',
  'user.privacy_preferences': 'PrivacyPreference',
  'user.social': 'Social',
  'user.unique_id': 'Identifier',
  'user.unique_id.pseudonymous': 'UID',
  'user.workplace': 'WorkLocation',
};

/** The term for a category, as it stands in JSON-LD. */
export function dpvTermOf(category: string | null): string {
  const parts = category?.split('.') ?? [];
  for (let length = parts.length; length > 0; length -= 1) {
    const key = parts.slice(0, length).join('.');
    const term = Object.hasOwn(DPV_TERMS, key) ? DPV_TERMS[key] : undefined;
    if (term !== undefined) return `pd:${term}`;
  }
  return 'dpv:PersonalData';
}
